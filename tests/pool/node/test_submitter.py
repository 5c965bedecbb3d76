"""A block at every node at once, until it is known what became of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pool.node.fate import FINAL_DEPTH
from pool.node.spool import Settled
from pool.node.submitter import REFUSED_SECONDS, RETRY_SECONDS_FIRST, WATCH_SECONDS
from tests.pool.node.blocks import block
from tests.pool.node.captured import captured_events, names
from tests.pool.node.submitting import AWAY, BLOCK, HASH, Setup


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

    def test_after_six_hours_it_is_counted_no_more_so_that_it_does_not_page_for_ever(self, setup: Setup) -> None:
        setup.node.verdicts = ["bad-cb-amount"]
        setup.submit()
        setup.reactor.advance(REFUSED_SECONDS - 1)
        before = setup.submitter.refused
        setup.reactor.advance(1)
        assert (before, setup.submitter.refused) == (1, 0)

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
