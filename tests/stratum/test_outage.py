"""stratum.outage: a time in which the journal takes nothing, seen from the miners."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from stratum.limits import CloseReason
from stratum.outage import LAST_TRIES, SEND_AWAY_SECONDS
from tests.native import blocks
from tests.stratum.scene import (
    PEER,
    Pool,
    block_job,
    block_params,
    block_pool,
    logged,
    pool_with_job,
    request,
    solving_miner,
    submit,
)

FULL = OSError(28, "No space left on device")


def failing() -> Pool:
    """A pool whose journal has just refused a share."""
    pool = pool_with_job()
    pool.server.start()
    miner = pool.ready()
    pool.share_log.failure = FULL
    miner.send(submit())
    pool.turn()
    assert miner.transport.disconnected
    return pool


def test_nobody_new_comes_in() -> None:
    pool = failing()
    assert pool.server.warden.admit(PEER.host) is CloseReason.JOURNAL_FAILED


def test_a_moment_later_all_are_sent_away() -> None:
    pool = pool_with_job()
    pool.server.start()
    miner, other = pool.ready(), pool.ready()
    pool.share_log.failure = FULL
    miner.send(submit())
    pool.turn()
    pool.pass_seconds(1)
    assert not other.closed
    pool.pass_seconds(SEND_AWAY_SECONDS)
    assert other.transport.disconnected


def test_it_ends_by_itself_once_the_journal_takes_a_record() -> None:
    pool = failing()
    pool.share_log.failure = None
    pool.pass_seconds(1)
    pool.turn()
    assert pool.server.warden.admit(PEER.host) is None


class TestBlocks:
    """The books know of a block by its share alone, and it went to the nodes before the journal refused that."""

    def found(self) -> Pool:
        """A pool whose journal has just refused the share of a block."""
        pool = block_pool(miners=2)
        pool.server.start()
        miner = solving_miner(pool)
        pool.share_log.failure = FULL
        miner.send(request("mining.submit", block_params()))
        pool.turn()
        assert pool.shares == []
        return pool

    def test_its_share_is_recorded_once_the_journal_takes_it(self) -> None:
        pool = self.found()
        for failure in (FULL, FULL, None, None):
            pool.share_log.failure = failure
            pool.pass_seconds(1)
            pool.turn()
        assert [share.block_hash for share in pool.shares] == [blocks.BLOCK_HASH]

    def test_and_the_job_before_it(self) -> None:
        pool = block_pool()
        pool.share_log.failure = FULL
        pool.server.take_job(block_job("2"))
        pool.turn()
        pool.server.start()
        solving_miner(pool).send(request("mining.submit", block_params(job_id="2")))
        pool.turn()
        pool.share_log.failure = None
        pool.pass_seconds(1)
        pool.turn()
        ids = [record.job_id for record in pool.share_log.records]
        assert [share.block_hash for share in pool.shares] == [blocks.BLOCK_HASH]
        assert ids.index("2") < len(ids) - 1

    def test_who_sends_it_again_is_told_that_it_is_there_already(self) -> None:
        pool = self.found()
        pool.share_log.failure = None
        pool.pass_seconds(1)
        pool.turn()
        again = solving_miner(pool)
        again.send(request("mining.submit", block_params(), 4))
        pool.turn()
        assert again.replies() == {4: [22, "duplicate share", None]}

    def test_it_is_kept_for_the_next_process_until_then(self) -> None:
        pool = self.found()
        assert set(pool.found.open) == {blocks.BLOCK_HASH}
        pool.pass_seconds(1)
        pool.turn()
        assert set(pool.found.open) == {blocks.BLOCK_HASH}
        pool.share_log.failure = None
        pool.pass_seconds(1)
        pool.turn()
        assert pool.found.open == {}

    def test_that_holds_from_the_moment_at_which_the_block_is_on_its_way(self) -> None:
        pool = block_pool()
        solving_miner(pool).send(request("mining.submit", block_params()))
        assert (len(pool.candidates.sent), set(pool.found.open)) == (1, {blocks.BLOCK_HASH})
        pool.turn()
        assert pool.found.open == {}

    def test_what_a_process_before_left_is_recorded_with_its_job(self) -> None:
        before = self.found()
        [(share, job)] = before.found.open.values()
        pool = Pool()
        pool.server.start()
        pool.found.note(share, job)
        pool.server.outage.adopt(share, job)
        for failure in (FULL, None):
            pool.share_log.failure = failure
            pool.pass_seconds(1)
            pool.turn()
        assert pool.share_log.records[:2] == [job, share]
        assert (pool.shares, pool.found.open) == ([share], {})

    def test_a_share_that_is_no_block_is_not(self) -> None:
        pool = failing()
        pool.share_log.failure = None
        pool.pass_seconds(1)
        pool.turn()
        assert pool.shares == []

    def test_a_process_that_ends_waits_a_moment_for_the_journal(self) -> None:
        pool = self.found()
        stopped: list[None] = []
        Deferred.fromCoroutine(pool.server.stop()).addCallback(stopped.append)
        pool.turn()
        assert stopped == []
        pool.share_log.failure = None
        pool.pass_seconds(1)
        pool.turn()
        assert ([share.block_hash for share in pool.shares], stopped) == ([blocks.BLOCK_HASH], [None])

    def test_but_not_for_ever(self) -> None:
        pool = self.found()
        stopped: list[None] = []
        Deferred.fromCoroutine(pool.server.stop()).addCallback(stopped.append)
        for _ in range(LAST_TRIES):
            pool.turn()
            pool.pass_seconds(1)
        assert stopped == [None]


def test_it_is_said_once() -> None:
    with logged() as events:
        pool = failing()
        for _ in range(5):
            pool.pass_seconds(1)
            pool.turn()
    assert [event["event"] for event in events if event["event"] == "share_commit_failed"] == ["share_commit_failed"]
