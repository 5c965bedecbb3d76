"""The chain gate with nodes that answer, disagree, hang and come back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from native import sha256d
from pool.bitcoin.network import BlockAt
from pool.node.chain_watch import ROUND_SECONDS, SILENCE_SECONDS_MAX, ChainWatch, GateSettings
from pool.work.chain_gate import Chain, GateRules
from tests.pool.node.captured import captured_events, names
from tests.pool.node.fake_clock import FakeClock
from tests.pool.node.fake_node import FakeNode

GENESIS = BlockAt(0, b"genesis")
RULES = GateRules((GENESIS,), None)


class Gate:
    """A watch on fake nodes with their own chains."""

    def __init__(self, *nodes: FakeNode, settings: GateSettings | None = None) -> None:
        self.nodes = nodes
        self.reactor = Clock()
        self.changes = 0
        self.watch = ChainWatch(
            nodes, settings or GateSettings(RULES), self.reactor, FakeClock(self.reactor), self._changed
        )
        self.run = Deferred.fromCoroutine(self.watch.run())
        self.run.addErrback(lambda failure: None)

    def _changed(self) -> None:
        self.changes += 1

    def pass_seconds(self, seconds: float) -> None:
        self.reactor.pump([0.5] * int(seconds * 2))

    def chains(self) -> list[Chain | None]:
        return [None if verdict is None else verdict.chain for verdict in self.watch.verdicts]


def node(blocks: int, branch: str = "") -> FakeNode:
    """A node with so many blocks, which on another branch are others from the first on."""
    made = FakeNode()
    grow(made, blocks, branch)
    return made


def grow(made: FakeNode, blocks: int, branch: str = "") -> None:
    made.extend(by=blocks + 1 - made.template.height)
    made.hashes = {GENESIS.height: GENESIS.block_hash}
    made.hashes |= {height: sha256d(f"{branch}{height}".encode()) for height in range(1, blocks + 1)}


@pytest.fixture
def split() -> Iterator[Gate]:
    gate = Gate(node(8), node(9, "other "))
    yield gate
    gate.run.cancel()


class TestStart:
    def test_before_the_first_answers_no_node_is_judged(self) -> None:
        away = FakeNode()
        away.problem = "nothing listens there"
        gate = Gate(away)
        assert (gate.watch.is_judged(0), gate.watch.pool_verdict) == (False, gate.watch.verdicts[0])
        gate.run.cancel()

    def test_a_node_that_comes_later_is_judged_within_two_seconds(self) -> None:
        away = node(3)
        away.problem = "nothing listens there"
        gate = Gate(away)
        gate.pass_seconds(60)
        away.problem = None
        gate.pass_seconds(2)
        assert gate.watch.is_judged(0)
        gate.run.cancel()

    def test_one_node_alone_is_mined_on_unless_the_operator_says_otherwise(self) -> None:
        lax, strict = Gate(node(3)), Gate(node(3), settings=GateSettings(RULES, mines_on_unknown=False))
        assert lax.watch.refusal(0) is None
        assert "its chain is unknown" in str(strict.watch.refusal(0))
        lax.run.cancel()
        strict.run.cancel()


class TestSplit:
    def test_the_node_with_less_work_is_not_mined_on(self, split: Gate) -> None:
        assert split.chains() == [Chain.MINORITY, Chain.MAJORITY]
        assert "has less work" in str(split.watch.refusal(0))
        assert split.watch.refusal(1) is None

    def test_the_pool_is_as_good_as_its_best_node(self, split: Gate) -> None:
        verdict = split.watch.pool_verdict
        assert verdict is not None
        assert verdict.chain is Chain.MAJORITY

    def test_a_split_while_it_runs_is_noticed_within_a_round(self) -> None:
        first, second = node(5), node(5)
        gate = Gate(first, second)
        assert gate.chains() == [Chain.MAJORITY, Chain.MAJORITY]
        grow(first, 9, "other ")
        grow(second, 8)
        gate.pass_seconds(ROUND_SECONDS)
        assert gate.chains() == [Chain.MAJORITY, Chain.MINORITY]
        gate.run.cancel()

    def test_a_node_that_refuses_the_next_block_is_noticed_within_a_round(self) -> None:
        """Block 961632, August 2026: nodes with BIP-0110 called it invalid and went on by themselves."""
        core, knots = node(5), node(5)
        gate = Gate(core, knots)
        grow(core, 6)
        knots.refused = (BlockAt(6, core.hashes[6]),)
        gate.pass_seconds(ROUND_SECONDS)
        assert gate.chains() == [Chain.MAJORITY, Chain.MINORITY]
        gate.run.cancel()

    def test_nodes_of_one_mind_are_not_asked_what_they_refuse(self) -> None:
        gate = Gate(node(5), node(5))
        gate.pass_seconds(60)
        assert [each.refused_asked for each in gate.nodes] == [0, 0]
        gate.run.cancel()

    def test_a_node_that_comes_over_is_taken_back(self, split: Gate) -> None:
        grow(split.nodes[0], 9, "other ")
        split.pass_seconds(ROUND_SECONDS)
        assert split.chains() == [Chain.MAJORITY, Chain.MAJORITY]

    def test_whoever_chooses_is_told_after_each_round(self, split: Gate) -> None:
        split.pass_seconds(2 * ROUND_SECONDS)
        assert split.changes == 3

    def test_a_change_of_sides_is_an_event_and_a_round_without_one_is_not(self) -> None:
        with captured_events() as events:
            gate = Gate(node(8), node(9, "other "))
            gate.pass_seconds(5 * ROUND_SECONDS)
        gate.run.cancel()
        assert names(events) == ["chain_minority", "chain_majority"]


class TestAway:
    def test_what_a_node_said_holds_for_a_while(self, split: Gate) -> None:
        split.nodes[1].problem = "it is too busy"
        split.pass_seconds(SILENCE_SECONDS_MAX - 1)
        assert split.chains() == [Chain.MINORITY, Chain.MAJORITY]

    def test_then_nothing_is_known_of_it_and_no_job_is_made_of_its_templates(self, split: Gate) -> None:
        split.nodes[1].problem = "it is too busy"
        split.pass_seconds(SILENCE_SECONDS_MAX + 2 * ROUND_SECONDS)
        assert not split.watch.is_judged(1)

    def test_one_that_is_silent_for_a_moment_leaves_the_other_on_the_majority(self) -> None:
        gate = Gate(node(8), node(8))
        gate.nodes[1].problem = "it is too busy"
        gate.pass_seconds(SILENCE_SECONDS_MAX - 1)
        assert gate.chains() == [Chain.MAJORITY, Chain.MAJORITY]
        gate.pass_seconds(2 * ROUND_SECONDS)
        assert gate.chains() == [Chain.UNKNOWN, Chain.UNKNOWN]
        gate.run.cancel()

    def test_who_was_on_the_minority_stays_there(self, split: Gate) -> None:
        split.nodes[1].problem = "it is too busy"
        grow(split.nodes[0], 30)
        split.pass_seconds(60)
        assert split.chains() == [Chain.MINORITY, Chain.UNKNOWN]
