"""What the workshop does with a node on a minority chain, with a template that its node refuses, with a slow node."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock

from native import sha256d
from pool.bitcoin.network import REGTEST, BlockAt
from pool.node.chain_watch import ROUND_SECONDS, GateSettings
from pool.node.empty_first import EmptySettings
from pool.node.proposals import DELAY_SECONDS
from pool.node.workshop import Workshop, WorkshopSettings
from pool.work.chain_gate import Chain, GateRules
from pool.work.job import Job
from tests.pool.node.captured import captured_events, names
from tests.pool.node.fake_clock import FakeClock
from tests.pool.node.fake_node import FakeNode
from tests.pool.work.templates import COINBASE, template

RULES = GateRules((BlockAt(0, b"genesis"),), None)
SETTINGS = WorkshopSettings(gate=GateSettings(RULES), empty_first=EmptySettings(REGTEST, 0.5))


class Running:
    """A workshop on fake nodes."""

    def __init__(self, folder: Path, *nodes: FakeNode, settings: WorkshopSettings = SETTINGS) -> None:
        self.nodes = nodes
        self.reactor = Clock()
        self.jobs: list[Job] = []
        self.workshop = Workshop(
            nodes, COINBASE, folder, settings, self.reactor, FakeClock(self.reactor), self.jobs.append, maybeDeferred
        )
        self.run = Deferred.fromCoroutine(self.workshop.run())

    def pass_seconds(self, seconds: float) -> None:
        self.reactor.pump([0.25] * int(seconds * 4))


def on_chain(node: FakeNode, blocks: int, branch: str = "") -> FakeNode:
    """Give a node so many blocks, which on another branch are others from the first on."""
    node.extend(by=blocks + 1 - node.template.height, branch=branch)
    node.hashes = {0: b"genesis"}
    node.hashes |= {height: sha256d(f"{branch}{height}".encode()) for height in range(1, blocks + 1)}
    return node


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "candidates"


@pytest.fixture
def running(folder: Path) -> Iterator[Running]:
    """Two nodes of one mind."""
    running = Running(folder, on_chain(FakeNode("a:1"), 5), on_chain(FakeNode("b:1"), 5))
    yield running
    running.workshop.stop()


class TestChainGate:
    def test_there_is_no_job_before_the_verdict(self, folder: Path) -> None:
        node = on_chain(FakeNode(), 5)
        asked: list[Deferred[Any]] = []

        async def wait_for_ever() -> Any:
            asked.append(Deferred())
            return await asked[-1]

        node.chain_facts = wait_for_ever  # type: ignore[method-assign]
        running = Running(folder, node)
        running.pass_seconds(4)
        assert (running.jobs, len(asked)) == ([], 1)
        running.workshop.stop()
        # Not an error, though it came in the middle of a question.
        assert running.run.called
        assert running.run.result is None

    def test_there_is_none_of_a_node_off_the_checkpoints(self, folder: Path) -> None:
        node = on_chain(FakeNode(), 5)
        node.hashes[0] = b"other"
        running = Running(folder, node)
        running.pass_seconds(60)
        assert (running.jobs, "its chain is minority" in str(running.workshop.status().problem)) == ([], True)
        running.workshop.stop()

    def test_there_is_none_of_one_node_alone_if_the_operator_wants_to_be_sure(self, folder: Path) -> None:
        sure = msgspec.structs.replace(SETTINGS, gate=GateSettings(RULES, mines_on_unknown=False))
        running = Running(folder, on_chain(FakeNode(), 5), settings=sure)
        running.pass_seconds(60)
        assert running.jobs == []
        running.workshop.stop()

    def test_the_preferred_node_is_left_when_it_stays_behind_at_a_block_that_it_refuses(self, running: Running) -> None:
        first, second = running.nodes
        on_chain(second, 6)
        first.refused = (BlockAt(6, second.hashes[6]),)
        running.pass_seconds(ROUND_SECONDS + 1)
        status = running.workshop.status()
        assert [each and each.chain for each in status.chains] == [Chain.MINORITY, Chain.MAJORITY]
        assert (running.jobs[-1].height, status.nodes[1].is_chosen) == (7, True)

    def test_when_the_other_node_goes_away_then_nobody_works_on_the_minority(self, running: Running) -> None:
        first, second = running.nodes
        on_chain(second, 9)
        on_chain(first, 8, "other ")
        running.pass_seconds(ROUND_SECONDS + 1)
        before = len(running.jobs)
        second.problem = "nothing listens there"
        on_chain(first, 30, "other ")
        running.pass_seconds(60)
        assert {job.height for job in running.jobs[before:]} == {10}
        status = running.workshop.status()
        assert "its chain is minority" in str(status.problem)

    def test_when_the_only_chain_turns_out_a_minority_there_are_no_new_jobs_of_it(self, folder: Path) -> None:
        node = on_chain(FakeNode(), 5)
        running = Running(folder, node)
        node.hashes[0] = b"other"
        running.pass_seconds(ROUND_SECONDS)
        before = len(running.jobs)
        running.pass_seconds(120)
        assert len(running.jobs) == before == 1
        running.workshop.stop()

    def test_the_status_has_the_verdict_of_the_pool(self, running: Running) -> None:
        chain = running.workshop.status().chain
        assert chain is not None
        assert chain.chain is Chain.MAJORITY


class TestProposal:
    def test_the_node_that_gave_the_template_sees_it_within_a_second(self, running: Running) -> None:
        running.pass_seconds(1)
        assert [len(node.proposed) for node in running.nodes] == [1, 0]

    def test_of_a_refused_one_the_job_is_withdrawn_and_the_next_node_gives_the_work(self, running: Running) -> None:
        first, second = running.nodes
        second.template = msgspec.structs.replace(second.template, time=second.template.time + 7)
        first.opinions = ["bad-blk-sigops"] * 100
        with captured_events() as events:
            running.pass_seconds(1)
        assert [(job.clean, job.ntime == second.template.time) for job in running.jobs[1:]] == [(True, True)]
        assert "template_refused" in names(events)
        assert running.workshop.status().proposals.refused == 1

    def test_with_one_node_it_is_a_fresh_one_of_the_same(self, folder: Path) -> None:
        node = on_chain(FakeNode(), 5)
        node.opinions = ["bad-txns-inputs-missingorspent", None]
        running = Running(folder, node)
        running.pass_seconds(1)
        assert [job.clean for job in running.jobs] == [True, True]
        assert node.opinions == []
        running.workshop.stop()

    def test_while_nothing_is_taken_the_refused_job_is_not_sent_again(self, folder: Path) -> None:
        node = on_chain(FakeNode(), 5)
        node.opinions = ["bad-cb-amount"] * 100
        running = Running(folder, node)
        running.pass_seconds(100)
        assert len(running.jobs) == 1
        assert "it refuses its own template" in str(running.workshop.status().problem)
        running.workshop.stop()

    def test_a_node_that_takes_no_transactions_gives_empty_work(self, folder: Path) -> None:
        node = FakeNode()
        node.template = template()
        node.hashes = {0: b"genesis"}
        node.opinions = ["bad-blk-weight", "bad-blk-weight", None, *["bad-blk-weight", None] * 50]
        running = Running(folder, node)
        running.pass_seconds(1)
        assert [len(job.branch) for job in running.jobs] == [2, 0]
        running.workshop.stop()


class TestRoom:
    def test_a_template_without_room_for_our_coinbase_loses_its_last_transactions(self, folder: Path) -> None:
        node = FakeNode()
        needs = sum(each.weight for each in template().transactions)
        node.template = msgspec.structs.replace(template(), weight_max=needs + 1_000)
        node.hashes = {0: b"genesis"}
        with captured_events() as events:
            running = Running(folder, node)
        trimmed = [event for event in events if event["event"] == "template_trimmed"]
        assert [(event["transactions"], event["dropped"]) for event in trimmed] == [(3, 1)]
        assert len(running.jobs[0].branch) == 2
        running.workshop.stop()

    def test_without_any_room_there_is_no_job_and_a_page(self, folder: Path) -> None:
        node = on_chain(FakeNode(), 5)
        node.template = msgspec.structs.replace(node.template, weight_max=100)
        with captured_events() as events:
            running = Running(folder, node)
            running.pass_seconds(5)
        assert (running.jobs, "template_refused" in names(events)) == ([], True)
        running.workshop.stop()


class TestEmptyFirst:
    def slow(self, folder: Path) -> Running:
        """A node that took six seconds for its last template."""
        node = on_chain(FakeNode(), 5)
        running = Running(folder, node)
        self.next_block(running, seconds=6)
        return running

    def next_block(self, running: Running, seconds: float) -> None:
        [node] = running.nodes
        node.is_slow = True
        before = len(node.waiting)
        on_chain(node, node.template.height)
        running.pass_seconds(0.5)
        running.pass_seconds(seconds)
        node.is_slow = False
        for waiting in node.waiting[before:]:
            waiting.callback(node.template)
        del node.waiting[before:]

    def test_miners_of_a_slow_node_get_an_empty_job_and_then_the_whole_one(self, folder: Path) -> None:
        running = self.slow(folder)
        before = len(running.jobs)
        self.next_block(running, seconds=2)
        empty, whole = running.jobs[before:]
        assert (empty.height, empty.prev_hash, empty.fees_sat) == (whole.height, whole.prev_hash, 0)
        assert (empty.clean, whole.clean) == (True, False)
        running.workshop.stop()

    def test_those_of_a_quick_one_do_not(self, folder: Path) -> None:
        running = Running(folder, on_chain(FakeNode(), 5))
        before = len(running.jobs)
        self.next_block(running, seconds=2)
        assert len(running.jobs) == before + 1
        running.workshop.stop()


def test_the_delay_of_a_proposal_leaves_time_within_a_second() -> None:
    assert DELAY_SECONDS <= 0.5
