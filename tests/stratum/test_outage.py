"""stratum.outage: a time in which the journal takes nothing, seen from the miners."""

from __future__ import annotations

from stratum.limits import CloseReason
from stratum.outage import SEND_AWAY_SECONDS
from tests.stratum.scene import PEER, Pool, logged, pool_with_job, submit

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


def test_it_is_said_once() -> None:
    with logged() as events:
        pool = failing()
        for _ in range(5):
            pool.pass_seconds(1)
            pool.turn()
    assert [event["event"] for event in events if event["event"] == "share_commit_failed"] == ["share_commit_failed"]
