"""A block while nodes are away, come back or disagree, and across restarts of the work role; pool/node/submitter.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from pool.node.submitter import RETRY_SECONDS_FIRST, RETRY_SECONDS_MAX, WATCH_SECONDS
from tests.pool.node.captured import captured_events, names
from tests.pool.node.submitting import AWAY, BLOCK, HASH, SPOOLED, Setup


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path)


@pytest.fixture
def two(tmp_path: Path) -> Setup:
    return Setup(tmp_path, nodes=2)


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
