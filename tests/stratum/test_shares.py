"""stratum.shares: from a submission to its answer, through the whole server with its neighbours faked."""

from __future__ import annotations

import pytest

from pool.fleet.kinds import Assignment
from pool.fleet.slices import SliceTable
from pool.work.job import Job
from pool.work.share import Outcome
from stratum import limits
from stratum.jobs import OLD_TIP_SECONDS
from tests.native import blocks
from tests.stratum.scene import (
    NEXT_TIP,
    Pool,
    block_job,
    block_params,
    block_pool,
    logged,
    make_job,
    pool_with_job,
    request,
    solving_miner,
    submit,
)


class TestShare:
    def test_it_is_in_the_journal_before_its_miner_hears_of_it(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        pool.share_log.hold = True
        miner.send(submit())
        pool.turn()
        assert miner.received() == []
        pool.share_log.release()
        assert miner.replies() == {4: True}

    def test_it_has_the_slice_that_holds_when_it_is_judged(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        begins_ms = pool.clock.time_ms() + 1000
        assignment = Assignment(
            account="alice", pattern="*", fleet="alice/f", site="s", slice_id=7, row_id=1, valid_from_ms=begins_ms
        )
        pool.server.slices.take(SliceTable([assignment]), pool.clock.time_ms())
        miner.send(submit(4, nonce="1"))
        pool.clock.advance(0.999)
        miner.send(submit(5, nonce="2"))
        pool.clock.advance(0.001)
        miner.send(submit(6, nonce="3") + submit(7, job_id="ff"))
        pool.turn()
        assert [share.slice_id for share in pool.shares] == [None, None, 7, 7]

    def test_a_worker_that_no_pattern_fits_is_paid_all_the_same(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        begun_ms = pool.clock.time_ms()
        assignment = Assignment(
            account="alice",
            pattern="elsewhere",
            fleet="alice/f",
            site="s",
            slice_id=7,
            row_id=1,
            valid_from_ms=begun_ms,
        )
        pool.server.slices.take(SliceTable([assignment]), begun_ms)
        miner.send(submit(4))
        pool.turn()
        assert miner.replies() == {4: True}
        assert pool.shares[0].slice_id is None

    def test_the_shares_of_one_turn_are_one_group(self) -> None:
        pool = pool_with_job()
        first, second = pool.ready(), pool.ready()
        first.send(submit(nonce="1"))
        second.send(submit(nonce="2"))
        first.send(submit(nonce="3"))
        pool.turn()
        assert [len(group) for group in pool.share_log.groups] == [1, 3]

    def test_shares_that_come_while_a_group_is_written_are_the_next_group(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        pool.share_log.hold = True
        miner.send(submit(4, nonce="1"))
        pool.turn()
        miner.send(submit(5, nonce="2"))
        pool.share_log.release()
        assert [len(group) for group in pool.share_log.groups] == [1, 1, 1]
        assert miner.replies() == {4: True, 5: True}

    def test_replies_of_one_session_keep_their_order(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        miner.send(submit(4) + submit(5) + request("mining.ping", [], 6) + submit(7, job_id="ff"))
        pool.turn()
        assert [message["id"] for message in miner.received()] == [4, 5, 6, 7]

    def test_replies_of_one_turn_are_one_write(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        writes: list[bytes] = []
        miner.transport.write = writes.append
        miner.send(submit(4) + submit(5))
        pool.turn()
        assert len(writes) == 1

    def test_a_refused_share_is_a_record_too(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        miner.send(submit(4), submit(5), submit(6, job_id="ff"), request("mining.submit", ["alice.rig1"], 7))
        pool.turn()
        assert pool.outcomes == [Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.UNKNOWN_JOB, Outcome.MALFORMED]

    def test_and_counted_by_its_reason(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        miner.send(submit(4), submit(5), request("mining.nonsense", []))
        pool.turn()
        counters = pool.server.counters
        assert (counters["share_accepted"], counters["share_duplicate"], counters["refused_unknown_method"]) == (
            1,
            1,
            1,
        )

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            (submit(job_id="ff"), 21),
            (submit(login="mallory"), 24),
            (submit(nonce="0x1"), 20),
            (request("mining.submit", [], 4), 20),
        ],
    )
    def test_each_refusal_has_its_code(self, line: bytes, code: int) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        miner.send(line)
        pool.turn()
        assert miner.replies()[4][0] == code

    def test_a_share_above_its_target_has_code_23(self) -> None:
        pool = pool_with_job(difficulty=1000.0)
        miner = pool.ready()
        miner.send(submit())
        pool.turn()
        assert miner.replies()[4][0] == 23

    def test_the_same_header_over_two_connections_is_a_duplicate(self) -> None:
        # The same extranonce1 twice: what a resumed session will have.
        pool = Pool(extranonces=[b"same", b"same"])
        pool.server.take_job(make_job())
        first, second = pool.ready(), pool.ready()
        first.send(submit())
        second.send(submit())
        pool.turn()
        assert (first.replies()[4], second.replies()[4][0]) == (True, 22)

    def test_it_is_judged_by_the_difficulty_of_its_job(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        miner.send(request("mining.suggest_difficulty", [1000]))
        pool.server.take_job(make_job("a2"))
        miner.send(submit(4, job_id="a1"), submit(5, job_id="a2"))
        pool.turn()
        assert [share.difficulty for share in pool.shares] == [1e-10, 1000.0]
        assert pool.outcomes == [Outcome.ACCEPTED, Outcome.LOW_DIFFICULTY]

    def test_a_job_from_before_the_session_is_unknown_to_it(self) -> None:
        pool = pool_with_job()
        pool.server.take_job(make_job("a2"))
        miner = pool.ready()
        miner.send(submit(job_id="a1"))
        pool.turn()
        assert miner.replies()[4][0] == 21

    def test_each_worker_of_a_connection_has_its_own(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        miner.send(request("mining.authorize", ["bob.rig2", "x"]))
        miner.send(submit(4, "bob.rig2", nonce="1"), submit(5, "alice.rig1", nonce="2"))
        pool.turn()
        assert [(share.account, share.worker) for share in pool.shares] == [("bob", "rig2"), ("alice", "rig1")]


class TestTips:
    def test_a_share_for_a_former_tip_is_stale(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        pool.server.take_job(make_job("b1", NEXT_TIP))
        miner.received()
        miner.send(submit(job_id="a1"))
        pool.turn()
        assert miner.replies() == {4: [21, "stale: a new block has come", None]}

    def test_later_its_job_is_not_known_any_more(self) -> None:
        pool = pool_with_job()
        pool.server.start()
        miner = pool.ready()
        pool.server.take_job(make_job("b1", NEXT_TIP))
        pool.pass_seconds(int(OLD_TIP_SECONDS))
        miner.received()
        miner.send(submit(job_id="a1"))
        pool.turn()
        assert miner.replies() == {4: [21, "job not found", None]}

    def test_with_the_same_tip_an_older_job_stays_good(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        pool.server.take_job(make_job("a2"))
        pool.pass_seconds(600)
        pool.server.take_job(make_job("a3"))
        miner.received()
        miner.send(submit(job_id="a1"))
        pool.turn()
        assert miner.replies() == {4: True}


class TestBlock:
    def test_a_block_goes_to_the_work_role_before_the_journal_has_its_share(self) -> None:
        pool = block_pool()
        miner = solving_miner(pool)
        miner.send(request("mining.submit", block_params()))
        [candidate] = pool.candidates.sent
        assert (candidate.block_hash, candidate.login) == (blocks.BLOCK_HASH, "alice.rig1")
        assert pool.shares == []

    def test_also_when_the_journal_fails(self) -> None:
        pool = block_pool()
        miner = solving_miner(pool)
        pool.share_log.failure = OSError(28, "No space left on device")
        miner.send(request("mining.submit", block_params()))
        pool.turn()
        assert len(pool.candidates.sent) == 1

    def test_also_when_its_share_is_stale(self) -> None:
        pool = block_pool()
        miner = solving_miner(pool)
        pool.server.take_job(make_job("b1", NEXT_TIP))
        miner.received()
        miner.send(request("mining.submit", block_params()))
        pool.turn()
        assert len(pool.candidates.sent) == 1
        assert miner.replies()[1][0] == 21

    def test_also_when_its_worker_is_a_stranger(self) -> None:
        pool = block_pool()
        miner = solving_miner(pool)
        miner.send(request("mining.submit", block_params(login="mallory")))
        pool.turn()
        [candidate] = pool.candidates.sent
        assert candidate.login == "alice.rig1"
        assert miner.replies()[1][0] == 24

    def test_its_record_says_so(self) -> None:
        pool = block_pool()
        solving_miner(pool).send(request("mining.submit", block_params()))
        pool.turn()
        assert [share.block_hash for share in pool.shares] == [blocks.BLOCK_HASH]


class TestSeveralProcesses:
    def test_a_share_of_one_process_is_worth_nothing_in_another(self) -> None:
        """Its extranonce1 begins with the range of its process, so that the other one sees another header."""
        first, second = block_pool(), Pool(1.0)
        second.server.take_job(block_job())
        second.turn()
        for pool in (first, second):
            miner = solving_miner(pool)
            miner.send(request("mining.submit", block_params(), 4))
            pool.turn()
        assert first.outcomes == [Outcome.ACCEPTED]
        assert second.outcomes == [Outcome.LOW_DIFFICULTY]


class TestJournal:
    def test_a_jobs_record_stands_before_its_first_share(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        miner.send(submit())
        pool.turn()
        job, share = pool.share_log.records
        assert isinstance(job, Job)
        assert (job.job_id, pool.shares) == ("a1", [share])

    def test_a_job_without_shares_is_committed_too(self) -> None:
        pool = pool_with_job()
        assert pool.share_log.records == [make_job()]

    def test_when_it_fails_no_miner_hears_true(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        pool.share_log.failure = OSError(28, "No space left on device")
        miner.send(submit())
        pool.turn()
        assert (miner.received(), miner.closed) == ([], True)

    def test_only_the_sessions_with_shares_in_it_are_closed(self) -> None:
        pool = pool_with_job()
        miner, other = pool.ready(), pool.ready()
        pool.share_log.failure = OSError(5, "Input/output error")
        miner.send(submit())
        pool.turn()
        assert not other.closed

    def test_that_is_logged_once_until_it_works_again(self) -> None:
        pool = pool_with_job()
        with logged() as events:
            for failure in (OSError(28, "full"), OSError(28, "full"), None, OSError(5, "broken")):
                pool.share_log.failure = failure
                pool.ready().send(submit())
                pool.turn()
        assert [event["error"] for event in events if event.get("event") == "share_commit_failed"] == [
            "[Errno 28] full",
            "[Errno 5] broken",
        ]

    def test_a_share_that_it_lost_may_come_again(self) -> None:
        pool = Pool(extranonces=[b"same", b"same"])
        pool.server.take_job(make_job())
        pool.turn()
        first = pool.ready()
        pool.share_log.failure = OSError(28, "full")
        first.send(submit())
        pool.turn()
        pool.share_log.failure = None
        second = pool.ready()
        second.send(submit())
        pool.turn()
        assert second.replies() == {4: True}

    def test_a_jobs_record_that_it_lost_comes_again_before_the_next_share(self) -> None:
        pool = Pool()
        pool.share_log.failure = OSError(28, "full")
        pool.server.take_job(make_job())
        pool.turn()
        pool.share_log.failure = None
        miner = pool.ready()
        miner.send(submit())
        pool.turn()
        assert pool.share_log.records == [make_job(), *pool.shares]
        assert miner.replies() == {4: True}

    def test_a_flood_of_one_delays_no_answer_of_another(self) -> None:
        pool = pool_with_job()
        flood, other = pool.ready(), pool.ready()
        for turn in range(20):
            flood.send(b"".join(submit(nonce=f"{turn:x}{n:03x}") for n in range(500)))
            other.send(submit(7, nonce=f"{turn:x}ffff"))
            pool.turn()
            assert other.replies() == {7: True}, "in the same turn"
            assert len(flood.received()) == 500

    def test_while_it_is_behind_who_sends_is_not_read(self) -> None:
        pool = pool_with_job()
        miner, idle = pool.ready(), pool.ready()
        pool.share_log.hold = True
        miner.send(submit())
        pool.turn()
        miner.send(b"".join(submit(nonce=f"{n:x}") for n in range(limits.UNSETTLED_SHARES_MAX + 1)))
        assert (miner.transport.producerState, idle.transport.producerState) == ("paused", "producing")
        pool.share_log.release()
        assert miner.transport.producerState == "producing"

    def test_the_limit_holds_two_seconds_of_the_greatest_load(self) -> None:
        assert limits.UNSETTLED_SHARES_MAX >= 2 * 2_000


class TestRejects:
    def test_each_has_its_reason_text_and_the_age_of_its_job(self) -> None:
        pool = pool_with_job()
        miner = pool.ready()
        pool.pass_seconds(7)
        miner.send(submit(), submit(), submit(job_id="ff"))
        pool.turn()
        changed, _ = pool.server.rejects.changes()
        assert [(each.reason, each.text, each.job_id, each.job_age_ms) for each in changed["alice.rig1"]] == [
            ("duplicate", "duplicate share", "a1", 7000),
            ("unknown_job", "job not found", "ff", None),
        ]
