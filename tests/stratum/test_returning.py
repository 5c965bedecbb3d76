"""stratum.returning, through the server: sessions that are resumed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.work.share import Outcome
from stratum.resume import former_run
from stratum.returning import RESUME_SECONDS, SessionIds
from tests.stratum.scene import (
    AUTHORIZE,
    KEY,
    NEXT_TIP,
    SUBSCRIBE,
    Miner,
    Pool,
    make_job,
    pool_with_job,
    request,
    submit,
)


def resume(session_id: str) -> bytes:
    return request("mining.subscribe", ["cgminer/4.11.1", session_id])


class Client:
    """A miner that reads what it is told."""

    def __init__(self, pool: Pool, *lines: bytes, address: str = "203.0.113.7") -> None:
        self.miner: Miner = pool.connect(*lines, address=address)
        self.messages: list[Any] = self.miner.received()

    @property
    def _subscription(self) -> Any:
        return next(message["result"] for message in self.messages if message.get("id") == 1)

    @property
    def session_id(self) -> str:
        return str(self._subscription[0][1][1])

    @property
    def extranonce1(self) -> str:
        return str(self._subscription[1])

    @property
    def told(self) -> list[Any]:
        return [message["params"][0] for message in self.messages if message.get("id") is None]

    def submit(self, pool: Pool, **share: Any) -> Any:
        self.miner.send(submit(**share))
        pool.turn()
        return self.miner.replies()[4]


def returned(pool: Pool, session_id: str, **options: Any) -> Client:
    return Client(pool, resume(session_id), AUTHORIZE, **options)


def newcomer(pool: Pool, **options: Any) -> Client:
    return Client(pool, SUBSCRIBE, AUTHORIZE, **options)


def restarted(pool: Pool) -> Pool:
    """The next process with the same journal and extranonces."""
    after = Pool(extranonces=[bytes([7, 0, 0x10, n]) for n in range(50)])
    after.server.restore(former_run(pool.share_log.records))
    return after


class TestIds:
    @given(st.binary(min_size=4, max_size=4))
    def test_an_id_gives_its_extranonce_back(self, extranonce1: bytes) -> None:
        ids = SessionIds(KEY)
        assert ids.read(ids.name(extranonce1)) == extranonce1

    @given(st.text(max_size=40) | st.binary(min_size=16, max_size=16).map(bytes.hex))
    def test_nothing_else_is_one(self, text: str) -> None:
        assert SessionIds(KEY).read(text) is None

    def test_one_of_another_pool_is_none(self) -> None:
        assert SessionIds(KEY).read(SessionIds(b"another").name(b"1234")) is None

    def test_it_is_not_the_extranonce(self) -> None:
        pool = pool_with_job()
        client = newcomer(pool)
        assert client.session_id != client.extranonce1
        assert returned(pool, client.extranonce1).extranonce1 != client.extranonce1


class TestReturn:
    def test_who_returns_has_its_extranonce_again(self) -> None:
        pool = pool_with_job()
        first = newcomer(pool)
        first.miner.disconnect()
        second = returned(pool, first.session_id)
        assert (second.extranonce1, second.session_id) == (first.extranonce1, first.session_id)
        assert pool.server.counters["resumed"] == 1

    def test_and_its_shares_are_still_known(self) -> None:
        pool = pool_with_job()
        first = newcomer(pool)
        assert first.submit(pool) is True
        first.miner.disconnect()
        second = returned(pool, first.session_id)
        assert second.submit(pool)[0] == 22
        assert second.submit(pool, nonce="2") is True

    def test_a_share_for_a_job_of_before_counts_at_the_difficulty_of_then(self) -> None:
        pool = pool_with_job(difficulty=2e-10)
        first = newcomer(pool)
        pool.server.take_job(make_job("a2"))
        first.miner.disconnect()
        second = Client(pool, resume(first.session_id), request("mining.authorize", ["alice.rig1", "d=1e-10"], 2))
        assert second.submit(pool, job_id="a1") is True
        assert second.submit(pool, job_id="a2", nonce="2") is True
        assert second.submit(pool, job_id=second.told[-1], nonce="3") is True
        assert [share.difficulty for share in pool.shares] == [2e-10, 2e-10, 1e-10]

    def test_it_is_told_its_difficulty_before_its_first_job_though_nothing_changed(self) -> None:
        pool = pool_with_job(difficulty=2e-10)
        first = newcomer(pool)
        first.miner.disconnect()
        assert returned(pool, first.session_id).told == [2e-10, "a1"]

    def test_with_another_difficulty_it_gets_a_variant_of_the_job_that_it_had(self) -> None:
        pool = pool_with_job(difficulty=2e-10)
        first = newcomer(pool)
        first.miner.disconnect()
        second = Client(pool, resume(first.session_id), request("mining.authorize", ["alice.rig1", "d=1e-10"], 2))
        difficulty, job_id = second.told
        assert (difficulty, job_id[:3]) == (1e-10, "a1x")

    @pytest.mark.parametrize("session_id", ["", "zz", "00000001", "ff" * 16, "\u2603"])
    def test_an_unknown_id_is_no_error(self, session_id: str) -> None:
        pool = pool_with_job()
        assert len(returned(pool, session_id).extranonce1) == 8

    def test_after_an_hour_it_is_over(self) -> None:
        pool = pool_with_job()
        first = newcomer(pool)
        first.miner.disconnect()
        pool.pass_seconds(int(RESUME_SECONDS))
        assert returned(pool, first.session_id).extranonce1 != first.extranonce1

    def test_a_second_subscribe_changes_nothing(self) -> None:
        pool = pool_with_job()
        other = newcomer(pool)
        other.miner.disconnect()
        client = newcomer(pool)
        client.miner.send(resume(other.session_id))
        assert client.miner.received()[0]["result"][1] == client.extranonce1


class TestLive:
    def test_the_same_host_takes_its_session_over_from_a_connection_that_hangs(self) -> None:
        pool = pool_with_job()
        first = newcomer(pool)
        second = returned(pool, first.session_id)
        assert second.extranonce1 == first.extranonce1
        assert first.miner.closed
        assert pool.server.counters["closed_resumed_elsewhere"] == 1
        first.miner.disconnect()
        assert len({session.extranonce1 for session in pool.server.sessions}) == 1

    def test_and_again(self) -> None:
        pool = pool_with_job()
        client = newcomer(pool)
        extranonce1 = client.extranonce1
        for _ in range(3):
            former, client = client, returned(pool, client.session_id)
            former.miner.disconnect()
        assert client.extranonce1 == extranonce1
        client.miner.disconnect()
        assert returned(pool, client.session_id).extranonce1 == extranonce1

    def test_another_host_does_not(self) -> None:
        pool = pool_with_job()
        first = newcomer(pool)
        second = returned(pool, first.session_id, address="203.0.113.8")
        assert second.extranonce1 != first.extranonce1
        assert not first.miner.closed

    def test_what_waits_for_the_journal_is_settled_all_the_same(self) -> None:
        pool = pool_with_job()
        first = newcomer(pool)
        first.miner.send(submit())
        second = returned(pool, first.session_id)
        assert second.submit(pool)[0] == 22
        assert pool.outcomes == [Outcome.ACCEPTED, Outcome.DUPLICATE]


class TestRestart:
    def test_who_returns_has_its_extranonce_again(self) -> None:
        pool = pool_with_job()
        first = newcomer(pool)
        first.submit(pool)
        after = restarted(pool)
        after.server.take_job(make_job())
        assert returned(after, first.session_id).extranonce1 == first.extranonce1

    def test_its_shares_are_still_known(self) -> None:
        pool = pool_with_job()
        first = newcomer(pool)
        assert first.submit(pool) is True
        after = restarted(pool)
        after.server.take_job(make_job())
        second = returned(after, first.session_id)
        assert second.submit(after)[0] == 22
        assert second.submit(after, nonce="2") is True
        assert [share.difficulty for share in after.shares] == [1e-10, 1e-10]

    def test_the_first_job_is_a_variant_so_that_nothing_hashed_before_is_of_use_for_it(self) -> None:
        pool = pool_with_job()
        first = newcomer(pool)
        first.submit(pool)
        after = restarted(pool)
        after.server.take_job(make_job())
        told = returned(after, first.session_id).told
        assert told[-1].startswith("a1x")

    def test_also_one_that_the_journal_does_not_have(self) -> None:
        after = restarted(Pool())
        after.server.take_job(make_job())
        client = newcomer(after)
        assert client.told[-1].startswith("a1x")
        after.server.take_job(make_job())
        assert client.miner.received() == [], "the feed repeats the newest"
        assert client.submit(after, job_id="a1")[0] == 21

    def test_the_journal_has_the_variant(self) -> None:
        after = restarted(Pool())
        after.server.take_job(make_job())
        after.turn()
        assert [record.job_id[:3] for record in after.share_log.records] == ["a1x"]

    def test_without_a_share_in_the_journal_it_is_not_known_what_the_session_was_told(self) -> None:
        pool = pool_with_job()
        first = newcomer(pool)
        after = restarted(pool)
        after.server.take_job(make_job())
        second = returned(after, first.session_id)
        assert second.extranonce1 == first.extranonce1
        assert second.submit(after, job_id="a1")[0] == 21

    def test_its_difficulty_goes_on(self) -> None:
        pool = pool_with_job(difficulty=2e-10)
        first = newcomer(pool)
        first.submit(pool)
        after = restarted(pool)
        after.server.take_job(make_job())
        assert returned(after, first.session_id).told[0] == 2e-10

    def test_a_new_session_gets_nothing_of_the_run_before(self) -> None:
        pool = pool_with_job()
        newcomer(pool).submit(pool)
        after = restarted(pool)
        after.server.take_job(make_job())
        assert newcomer(after).submit(after, job_id="a1")[0] == 21

    def test_after_a_new_tip_all_of_it_is_stale_then_forgotten(self) -> None:
        pool = pool_with_job()
        first = newcomer(pool)
        first.submit(pool)
        after = restarted(pool)
        after.server.start()
        after.server.take_job(make_job("b1", NEXT_TIP))
        second = returned(after, first.session_id)
        assert second.submit(after, job_id="a1", nonce="2")[0] == 21
        after.pass_seconds(61)
        second.submit(after, job_id="a1", nonce="2")
        assert after.outcomes == [Outcome.STALE, Outcome.UNKNOWN_JOB]

    def test_only_the_newest_tip_is_taken_from_the_journal(self) -> None:
        pool = pool_with_job()
        newcomer(pool).submit(pool)
        pool.server.take_job(make_job("b1", NEXT_TIP))
        newcomer(pool).submit(pool, job_id="b1")
        former = former_run(pool.share_log.records)
        assert [job.job_id for job in former.jobs] == ["b1"]
        assert len(former.accepted) == len(former.told) == 1

    def test_shares_before_the_record_of_their_job_are_left_out(self) -> None:
        pool = pool_with_job()
        newcomer(pool).submit(pool)
        former = former_run(pool.share_log.records[1:])
        assert (former.jobs, former.accepted, former.told) == ((), frozenset(), {})

    def test_after_an_hour_it_is_over(self) -> None:
        pool = pool_with_job()
        first = newcomer(pool)
        after = restarted(pool)
        after.server.take_job(make_job())
        after.pass_seconds(int(RESUME_SECONDS))
        assert returned(after, first.session_id).extranonce1 != first.extranonce1
