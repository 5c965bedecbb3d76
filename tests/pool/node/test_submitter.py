"""The table of answers to submitblock, and a node that is away when a block is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.task import Clock

from native import sha256d
from pool.node.spool import CandidateSpool, Settled, SpooledBlock
from pool.node.submitter import RETRY_SECONDS_FIRST, RETRY_SECONDS_MAX, Submitter
from tests.pool.node.captured import captured_events, names
from tests.pool.node.fake_clock import FakeClock
from tests.pool.node.fake_node import FakeNode

BLOCK = bytes(80) + b"transactions"
SPOOLED = SpooledBlock(height=1, block_hash=sha256d(BLOCK[:80]))

OPEN_ANSWERS = (
    "duplicate",
    "inconclusive",
    "duplicate-inconclusive",
    "valid?",
    "prev-blk-not-found",
    "time-too-new",
)


class Setup:
    """A submitter on a fake node, with one block in its spool."""

    def __init__(self, folder: Path) -> None:
        self.node = FakeNode()
        self.reactor = Clock()
        self.spool = CandidateSpool(folder)
        self.spool.put(SPOOLED, BLOCK)
        self.submitter = self.another()

    def another(self) -> Submitter:
        return Submitter([self.node], self.spool, self.reactor, FakeClock(self.reactor, start_ms=1000))

    def submit(self) -> Settled | None:
        self.submitter.submit(SPOOLED, BLOCK)
        return self.spool.settled(SPOOLED)

    def wait(self) -> Settled | None:
        self.reactor.pump([RETRY_SECONDS_MAX] * 3)
        return self.spool.settled(SPOOLED)


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path)


class TestAnswers:
    """BIP-0022; Bitcoin Core, `submitblock` and `BIP22ValidationResult`."""

    def test_null_is_accepted(self, setup: Setup) -> None:
        setup.node.verdicts = [None]
        assert setup.submit() == Settled(accepted=True, reason=None, time_ms=1000)

    @pytest.mark.parametrize(
        "reason",
        [
            "rejected",
            "high-hash",
            "bad-txnmrklroot",
            "bad-cb-amount",
            "bad-blk-sigops",
            "duplicate-invalid",
            "stale-prevblk",
        ],
    )
    def test_anything_else_is_rejected_with_its_reason(self, setup: Setup, reason: str) -> None:
        setup.node.verdicts = [reason]
        assert setup.submit() == Settled(accepted=False, reason=reason, time_ms=1000)

    @pytest.mark.parametrize("reason", OPEN_ANSWERS)
    def test_an_answer_that_leaves_it_open_is_accepted_if_the_chain_has_the_block(
        self, setup: Setup, reason: str
    ) -> None:
        setup.node.verdicts = [reason]
        setup.node.places[SPOOLED.block_hash] = 1
        assert setup.submit() == Settled(accepted=True, reason=reason, time_ms=1000)

    @pytest.mark.parametrize("reason", OPEN_ANSWERS)
    @pytest.mark.parametrize("confirmations", [-1, None])
    def test_and_stays_open_if_it_has_not(self, setup: Setup, reason: str, confirmations: int | None) -> None:
        setup.node.verdicts = [reason]
        if confirmations is not None:
            setup.node.places[SPOOLED.block_hash] = confirmations
        assert setup.submit() is None

    def test_a_block_off_the_chain_is_accepted_when_the_chain_turns_to_it(self, setup: Setup) -> None:
        setup.node.verdicts = ["inconclusive", "duplicate"]
        setup.node.places[SPOOLED.block_hash] = -1
        setup.submit()
        setup.node.places[SPOOLED.block_hash] = 2
        assert setup.wait() == Settled(accepted=True, reason="duplicate", time_ms=6000)

    def test_a_block_off_the_chain_is_given_up_six_blocks_later(self, setup: Setup) -> None:
        setup.node.verdicts = ["inconclusive"] * 10
        setup.node.places[SPOOLED.block_hash] = -1
        setup.submit()
        setup.node.extend(by=7)
        assert setup.wait() == Settled(accepted=False, reason="inconclusive", time_ms=6000)

    def test_but_not_five_blocks_later(self, setup: Setup) -> None:
        setup.node.verdicts = ["inconclusive"] * 10
        setup.node.places[SPOOLED.block_hash] = -1
        setup.submit()
        setup.node.extend(by=6)
        assert setup.wait() is None


class TestNodeAway:
    def test_the_block_stays_open(self, setup: Setup) -> None:
        setup.node.problem = "nothing listens there"
        assert setup.submit() is None

    def test_it_is_submitted_when_the_node_is_back(self, setup: Setup) -> None:
        setup.node.problem = "nothing listens there"
        setup.submit()
        setup.node.problem = None
        setup.reactor.advance(RETRY_SECONDS_FIRST)
        assert setup.node.submitted == [BLOCK]

    def test_however_long_that_takes_the_wait_has_a_ceiling(self, setup: Setup) -> None:
        setup.node.problem = "nothing listens there"
        setup.submit()
        setup.reactor.pump([1.0] * 3600)
        setup.node.problem = None
        setup.reactor.advance(RETRY_SECONDS_MAX)
        assert setup.node.submitted == [BLOCK]

    def test_it_is_logged_once(self, setup: Setup) -> None:
        setup.node.problem = "nothing listens there"
        with captured_events() as events:
            setup.submit()
            setup.reactor.pump([1.0] * 60)
        assert names(events) == ["block_undecided"]


class TestOnce:
    def test_a_block_that_is_handed_in_twice_is_submitted_once(self, setup: Setup) -> None:
        setup.submit()
        setup.submit()
        assert setup.node.submitted == [BLOCK]

    def test_while_it_is_open_it_counts_as_pending(self, setup: Setup) -> None:
        setup.node.problem = "nothing listens there"
        setup.submit()
        assert setup.submitter.pending == 1

    def test_once_it_is_settled_it_does_not(self, setup: Setup) -> None:
        setup.submit()
        assert setup.submitter.pending == 0


class TestRestart:
    def test_what_was_open_is_submitted_by_the_next_run(self, setup: Setup) -> None:
        setup.node.problem = "nothing listens there"
        setup.submit()
        setup.submitter.stop()
        setup.node.problem = None
        setup.another().resume()
        assert (setup.node.submitted, setup.submitter.pending) == ([BLOCK], 0)

    def test_a_kill_between_answer_and_verdict_ends_in_the_same_verdict(self, setup: Setup) -> None:
        # The node has taken the block; only its file is left of the earlier run.
        setup.node.verdicts = ["duplicate"]
        setup.node.places[SPOOLED.block_hash] = 1
        setup.another().resume()
        assert setup.spool.settled(SPOOLED) == Settled(accepted=True, reason="duplicate", time_ms=1000)

    def test_what_was_settled_is_left_alone(self, setup: Setup) -> None:
        setup.submit()
        setup.another().resume()
        assert setup.node.submitted == [BLOCK]

    def test_a_damaged_file_does_not_keep_the_others_from_the_node(self, setup: Setup, tmp_path: Path) -> None:
        (tmp_path / f"0-{'00' * 32}.block").write_text("zz")
        with captured_events() as events:
            setup.another().resume()
        assert (names(events), setup.node.submitted) == (["candidate_unreadable", "block_accepted"], [BLOCK])


class TestLog:
    def test_an_accepted_block_is_an_event(self, setup: Setup) -> None:
        with captured_events() as events:
            setup.submit()
        assert [(event["event"], event["height"], event["block_hash"]) for event in events] == [
            ("block_accepted", 1, SPOOLED.block_hash[::-1].hex())
        ]

    def test_a_rejected_block_is_a_critical_one_with_the_nodes_reason(self, setup: Setup) -> None:
        setup.node.verdicts = ["bad-cb-amount"]
        with captured_events() as events:
            setup.submit()
        assert [(event["event"], event["log_level"].name, event["reason"]) for event in events] == [
            ("block_rejected", "critical", "bad-cb-amount")
        ]

    def test_a_verdict_that_cannot_be_written_leaves_the_block_to_the_next_run(
        self, setup: Setup, tmp_path: Path
    ) -> None:
        (tmp_path / f"{SPOOLED.name}.verdict.tmp").mkdir()
        with captured_events() as events:
            setup.submit()
        assert (names(events), setup.spool.pending()) == (["block_accepted", "candidate_not_written"], (SPOOLED,))
