"""A block at every node at once, until it is known what became of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock

from pool.node.fate import FINAL_DEPTH
from pool.node.spool import CandidateSpool, Settled, spooled_of
from pool.node.submitter import RETRY_SECONDS_FIRST, RETRY_SECONDS_MAX, WATCH_SECONDS, Submitter
from tests.pool.node.blocks import block
from tests.pool.node.captured import captured_events, names
from tests.pool.node.fake_clock import FakeClock
from tests.pool.node.fake_node import FakeNode

BLOCK = block(height=1)
SPOOLED = spooled_of(BLOCK)
HASH = BLOCK.block_hash
AWAY = "nothing listens there"


class Setup:
    """A submitter on fake nodes, with one block in its spool."""

    def __init__(self, folder: Path, nodes: int = 1) -> None:
        self.nodes = [FakeNode() for _ in range(nodes)]
        for number, node in enumerate(self.nodes):
            node.name = f"node{number}:8332"
            node.extend()  # the block's height is that of the tip from now on
        self.node = self.nodes[0]
        self.reactor = Clock()
        self.spool = CandidateSpool(folder)
        self.spool.keep(BLOCK)
        self.submitter = self.another()

    def another(self) -> Submitter:
        return Submitter(self.nodes, self.spool, self.reactor, FakeClock(self.reactor, start_ms=1000), maybeDeferred)

    def submit(self) -> Settled | None:
        self.submitter.submit(BLOCK)
        return self.settled

    def wait(self, seconds: float = 3 * WATCH_SECONDS) -> Settled | None:
        self.reactor.pump([RETRY_SECONDS_FIRST] * int(seconds / RETRY_SECONDS_FIRST))
        return self.settled

    @property
    def settled(self) -> Settled | None:
        return self.spool.settled(SPOOLED)

    def bury(self, node: FakeNode, depth: int = FINAL_DEPTH) -> None:
        """Put blocks on the node's tip, and so on ours if it is there."""
        node.extend(by=depth)
        if node.places.get(HASH, 0) > 0:
            node.places[HASH] += depth


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path)


@pytest.fixture
def two(tmp_path: Path) -> Setup:
    return Setup(tmp_path, nodes=2)


class TestAcceptance:
    def test_a_block_in_the_chain_is_accepted_and_may_still_fall_out(self, setup: Setup) -> None:
        assert setup.submit() == Settled(
            accepted=True, reason=None, time_ms=1000, answers={"node0:8332": "accepted"}, final=False
        )

    def test_six_blocks_later_it_is_so_for_good(self, setup: Setup) -> None:
        setup.submit()
        setup.bury(setup.node)
        settled = setup.wait()
        assert settled is not None
        assert (settled.accepted, settled.final) == (True, True)

    def test_then_nobody_is_asked_any_more(self, setup: Setup) -> None:
        setup.submit()
        setup.bury(setup.node)
        setup.wait()
        assert setup.reactor.getDelayedCalls() == []

    def test_a_duplicate_is_no_refusal(self, setup: Setup) -> None:
        setup.node.verdicts = ["duplicate"]
        setup.node.places[HASH] = 1
        with captured_events() as events:
            setup.submit()
        assert (names(events), setup.submitter.refused) == (["block_accepted"], 0)

    def test_it_is_offered_to_a_node_once(self, setup: Setup) -> None:
        setup.submit()
        setup.wait()
        assert setup.node.submitted == [BLOCK.data]

    def test_a_node_that_forgot_it_gets_it_again(self, setup: Setup) -> None:
        setup.submit()
        del setup.node.places[HASH]
        setup.wait()
        assert setup.node.submitted == [BLOCK.data] * 2


class TestOpen:
    @pytest.mark.parametrize("reason", ["inconclusive", "duplicate-inconclusive", "prev-blk-not-found", "time-too-new"])
    def test_what_leaves_it_open_is_asked_again_until_it_is_in_the_chain(self, setup: Setup, reason: str) -> None:
        setup.node.verdicts = [reason]
        before = setup.submit()
        settled = setup.wait()
        assert before is None
        assert settled is not None
        assert settled.accepted

    def test_with_six_blocks_on_top_of_another_one_it_is_lost(self, setup: Setup) -> None:
        setup.node.verdicts = ["inconclusive"] * 100
        setup.submit()
        setup.bury(setup.node, FINAL_DEPTH - 1)
        before = setup.wait()
        setup.bury(setup.node, 1)
        settled = setup.wait()
        assert before is None
        assert settled is not None
        assert (settled.accepted, settled.reason, settled.final) == (False, "inconclusive", True)

    def test_a_lost_race_is_no_refusal(self, setup: Setup) -> None:
        setup.node.verdicts = ["inconclusive"] * 100
        with captured_events() as events:
            setup.submit()
            setup.bury(setup.node)
            setup.wait()
        assert (names(events)[-1], setup.submitter.refused) == ("block_lost", 0)


class TestTie:
    def test_a_node_that_saw_another_block_first_is_told_to_stand_by_ours(self, setup: Setup) -> None:
        setup.node.verdicts = ["inconclusive"]
        setup.node.places[HASH] = -1
        settled = setup.submit()
        assert setup.node.preferred == [HASH]
        assert settled is not None
        assert settled.accepted

    def test_again_as_long_as_it_does_not(self, setup: Setup) -> None:
        setup.node.follows_preference = False
        setup.node.verdicts = ["inconclusive"]
        setup.node.places[HASH] = -1
        setup.submit()
        setup.wait(RETRY_SECONDS_FIRST)
        assert setup.node.preferred == [HASH] * 2

    def test_not_once_the_other_one_is_longer(self, setup: Setup) -> None:
        setup.node.verdicts = ["inconclusive"]
        setup.node.places[HASH] = -1
        setup.node.extend()
        setup.submit()
        assert setup.node.preferred == []

    def test_not_over_another_one_of_ours_or_the_two_would_take_turns_for_ever(self, setup: Setup) -> None:
        other = block(height=1, head=bytes(80) + b"\x02 and another coinbase")
        setup.submit()
        setup.node.verdicts = ["inconclusive"]
        setup.node.places[other.block_hash] = -1
        setup.submitter.submit(other)
        setup.wait()
        assert setup.node.preferred == []

    def test_but_over_a_strangers_that_took_the_place_of_both(self, setup: Setup) -> None:
        other = block(height=1, head=bytes(80) + b"\x02 and another coinbase")
        setup.submit()
        setup.node.places[HASH] = -1
        setup.node.verdicts = ["inconclusive"]
        setup.node.places[other.block_hash] = -1
        setup.wait()
        setup.submitter.submit(other)
        setup.wait()
        assert setup.node.preferred == [HASH]


class TestReorganization:
    def test_a_block_that_falls_out_is_open_again(self, setup: Setup) -> None:
        setup.submit()
        setup.node.places[HASH] = -1
        setup.node.extend()
        with captured_events() as events:
            settled = setup.wait(WATCH_SECONDS)
        assert (settled, names(events)[0], setup.submitter.pending) == (None, "block_undecided", 1)
        assert "block_fell_out" in names(events)

    def test_and_accepted_again_when_the_chain_turns_back(self, setup: Setup) -> None:
        setup.submit()
        setup.node.places[HASH] = -1
        setup.node.extend()
        setup.wait(WATCH_SECONDS)
        setup.node.places[HASH] = 3
        settled = setup.wait(WATCH_SECONDS)
        assert settled is not None
        assert settled.accepted


class TestRefusal:
    def test_what_the_only_node_refuses_is_rejected_with_its_reason(self, setup: Setup) -> None:
        setup.node.verdicts = ["bad-cb-amount"]
        assert setup.submit() == Settled(
            accepted=False, reason="bad-cb-amount", time_ms=1000, answers={"node0:8332": "bad-cb-amount"}
        )

    def test_it_pages(self, setup: Setup) -> None:
        setup.node.verdicts = ["bad-cb-amount"]
        with captured_events() as events:
            setup.submit()
        assert [(event["event"], event["log_level"].name) for event in events] == [
            ("block_refused", "critical"),
            ("block_rejected", "critical"),
        ]

    def test_it_is_counted(self, setup: Setup) -> None:
        setup.node.verdicts = ["bad-cb-amount"]
        setup.submit()
        assert setup.submitter.refused == 1

    def test_one_node_alone_does_not_decide(self, two: Setup) -> None:
        two.nodes[0].verdicts = ["bad-blk-sigops"]
        with captured_events() as events:
            settled = two.submit()
        assert settled is not None
        assert (settled.accepted, settled.answers) == (
            True,
            {"node0:8332": "bad-blk-sigops", "node1:8332": "accepted"},
        )
        assert "block_refused" in names(events)

    def test_nor_while_another_is_away(self, two: Setup) -> None:
        two.nodes[0].verdicts = ["bad-blk-sigops"]
        two.nodes[1].problem = AWAY
        two.submit()
        before = two.wait()
        two.nodes[1].problem = None
        settled = two.wait()
        assert before is None
        assert settled is not None
        assert settled.accepted

    def test_who_refused_is_not_offered_it_again(self, two: Setup) -> None:
        two.nodes[0].verdicts = ["bad-blk-sigops"]
        two.submit()
        two.wait()
        assert two.nodes[0].submitted == [BLOCK.data]


class TestSeveralNodes:
    def test_each_gets_it_at_once(self, two: Setup) -> None:
        two.submit()
        assert [node.submitted for node in two.nodes] == [[BLOCK.data]] * 2

    def test_one_that_is_away_keeps_the_other_from_nothing(self, two: Setup) -> None:
        two.nodes[0].problem = AWAY
        settled = two.submit()
        assert settled is not None
        assert settled.answers == {"node0:8332": "no answer yet", "node1:8332": "accepted"}

    def test_and_gets_it_when_it_is_back(self, two: Setup) -> None:
        two.nodes[0].problem = AWAY
        two.submit()
        two.nodes[0].problem = None
        two.wait()
        assert two.nodes[0].submitted == [BLOCK.data]

    def test_one_that_dies_with_the_highest_tip_takes_nothing_back(self, two: Setup) -> None:
        two.submit()
        two.bury(two.nodes[0], 2)
        two.wait(WATCH_SECONDS)
        two.nodes[0].problem = AWAY
        with captured_events() as events:
            two.wait()
        assert "block_fell_out" not in names(events)

    def test_nor_does_one_that_alone_had_it_while_the_other_is_behind(self, two: Setup) -> None:
        two.nodes[1].extend(by=-1)
        two.nodes[1].verdicts = ["prev-blk-not-found"] * 100
        two.submit()
        two.nodes[0].problem = AWAY
        with captured_events() as events:
            settled = two.wait()
        assert "block_fell_out" not in names(events)
        assert settled is not None
        assert settled.accepted

    def test_one_that_could_not_take_it_and_then_heard_of_its_header_is_offered_it_again(self, two: Setup) -> None:
        two.nodes[0].problem = AWAY
        two.nodes[1].verdicts = ["prev-blk-not-found"]
        two.submit()
        two.nodes[1].places[HASH] = -1
        two.nodes[1].follows_preference = False
        two.wait(RETRY_SECONDS_MAX)
        assert two.nodes[1].submitted == [BLOCK.data] * 2


class TestNodeAway:
    def test_the_block_stays_open(self, setup: Setup) -> None:
        setup.node.problem = AWAY
        assert setup.submit() is None

    def test_it_is_submitted_when_the_node_is_back(self, setup: Setup) -> None:
        setup.node.problem = AWAY
        setup.submit()
        setup.node.problem = None
        setup.reactor.advance(RETRY_SECONDS_FIRST)
        assert setup.node.submitted == [BLOCK.data]

    def test_however_long_that_takes_the_wait_has_a_ceiling(self, setup: Setup) -> None:
        setup.node.problem = AWAY
        setup.submit()
        setup.reactor.pump([1.0] * 3600)
        setup.node.problem = None
        setup.reactor.advance(RETRY_SECONDS_MAX)
        assert setup.node.submitted == [BLOCK.data]

    def test_it_is_logged_once(self, setup: Setup) -> None:
        setup.node.problem = AWAY
        with captured_events() as events:
            setup.submit()
            setup.reactor.pump([1.0] * 60)
        assert names(events) == ["block_undecided"]


class TestOnce:
    def test_a_block_that_is_handed_in_twice_is_submitted_once(self, setup: Setup) -> None:
        setup.submit()
        setup.submit()
        assert setup.node.submitted == [BLOCK.data]

    def test_while_it_is_open_it_counts_as_pending(self, setup: Setup) -> None:
        setup.node.problem = AWAY
        setup.submit()
        assert setup.submitter.pending == 1

    def test_once_it_is_in_the_chain_it_does_not(self, setup: Setup) -> None:
        setup.submit()
        assert setup.submitter.pending == 0


class TestRestart:
    def test_what_was_open_is_submitted_by_the_next_run(self, setup: Setup) -> None:
        setup.node.problem = AWAY
        setup.submit()
        setup.submitter.stop()
        setup.node.problem = None
        setup.another().resume()
        assert setup.node.submitted == [BLOCK.data]

    def test_so_is_what_could_still_fall_out(self, setup: Setup) -> None:
        setup.submit()
        setup.submitter.stop()
        setup.another().resume()
        setup.bury(setup.node)
        settled = setup.wait()
        assert settled is not None
        assert settled.final

    def test_a_kill_between_answer_and_verdict_ends_in_the_same_verdict(self, setup: Setup) -> None:
        # The node has taken the block; only its file is left of the earlier run.
        setup.node.verdicts = ["duplicate"]
        setup.node.places[HASH] = 1
        setup.another().resume()
        assert setup.settled is not None
        assert setup.settled.accepted

    def test_what_was_settled_for_good_is_left_alone(self, setup: Setup) -> None:
        setup.node.verdicts = ["bad-cb-amount"]
        setup.submit()
        assert setup.another().resume() == []

    def test_what_cannot_be_read_may_be_brought_again(self, setup: Setup, tmp_path: Path) -> None:
        (tmp_path / f"{SPOOLED.name}.block").write_text("zz")
        setup.another().resume()
        assert not setup.spool.holds(HASH)

    def test_a_damaged_file_does_not_keep_the_others_from_the_node(self, setup: Setup, tmp_path: Path) -> None:
        (tmp_path / f"0-{'00' * 32}.block").write_text("zz")
        with captured_events() as events:
            setup.another().resume()
        assert (names(events), setup.node.submitted) == (["candidate_unreadable", "block_accepted"], [BLOCK.data])


class TestLog:
    def test_an_accepted_block_is_an_event(self, setup: Setup) -> None:
        with captured_events() as events:
            setup.submit()
        assert [(event["event"], event["height"], event["block_hash"]) for event in events] == [
            ("block_accepted", 1, HASH[::-1].hex())
        ]

    def test_a_verdict_that_cannot_be_written_leaves_the_block_to_the_next_run(
        self, setup: Setup, tmp_path: Path
    ) -> None:
        (tmp_path / f"{SPOOLED.name}.verdict.tmp").mkdir()
        with captured_events() as events:
            setup.submit()
        assert (names(events), setup.spool.pending()) == (["block_accepted", "candidate_not_written"], (SPOOLED,))
