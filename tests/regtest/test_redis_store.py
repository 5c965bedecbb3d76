"""The store on a real Redis; pool/store/redis.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from pool.ports import ShareBatch, StoreUnavailable, StreamPlace
from pool.stats.rejects import Reject
from pool.stats.tally import Tallies
from pool.store.redis import TALLIES_SECONDS, RedisStore, Silence
from tests.pool.journal.samples import fold, share
from tests.regtest.redis_child import RedisChild, redis_child

A, B = "a" * 16, "b" * 16
T0 = 1_700_000_000_000


@pytest.fixture(scope="module")
def server() -> Iterator[RedisChild]:
    with redis_child() as started:
        yield started


@pytest.fixture
def child(server: RedisChild) -> RedisChild:
    server.client.flushall()
    return server


@pytest.fixture
def store(child: RedisChild) -> RedisStore:
    return child.store


def batch(first_seq: int, count: int = 1, frontend: str = A) -> ShareBatch:
    return ShareBatch(frontend, first_seq, count, b"\x00payload\xff")


def spans(found: list[ShareBatch]) -> list[tuple[str, int, int]]:
    return [(each.frontend, each.first_seq, each.last_seq) for each in found]


class TestStream:
    def test_of_a_journal_that_never_shipped_nothing_is_known(self, store: RedisStore) -> None:
        assert store.place(A) == StreamPlace(None, None, 0)

    def test_a_shipped_batch_is_read_as_it_was(self, store: RedisStore) -> None:
        assert store.ship(batch(1, 3), None)
        [found] = store.read_shares("0", 10, 0)
        assert (found.frontend, found.first_seq, found.count, found.payload) == (A, 1, 3, b"\x00payload\xff")

    def test_the_place_moves_with_the_batch(self, store: RedisStore) -> None:
        store.ship(batch(1, 3), None)
        assert store.place(A) == StreamPlace(3, None, 1)

    def test_a_batch_that_expected_another_place_is_not_taken(self, store: RedisStore) -> None:
        store.ship(batch(1, 3), None)
        assert not store.ship(batch(1, 3), None)
        assert store.place(A).entries == 1

    def test_batches_come_in_order_from_behind_the_one_named(self, store: RedisStore) -> None:
        store.ship(batch(1), None)
        store.ship(batch(2), 1)
        first = store.read_shares("0", 1, 0)[0]
        assert spans(store.read_shares(first.entry_id, 10, 0)) == [(A, 2, 2)]

    def test_an_empty_stream_is_waited_for_no_longer_than_said(self, store: RedisStore) -> None:
        assert store.read_shares("0", 10, 20) == []

    def test_trimming_drops_what_was_taken_and_nothing_else(self, store: RedisStore) -> None:
        store.ship(batch(1), None)
        store.ship(batch(2), 1)
        store.ship(batch(3), 2)
        store.trim(store.read_shares("0", 10, 0)[1].entry_id)
        assert spans(store.read_shares("0", 10, 0)) == [(A, 3, 3)]

    def test_the_ledger_s_place_is_published_per_journal(self, store: RedisStore) -> None:
        store.publish_hwm({A: 5, B: 9})
        assert (store.place(A).committed, store.place(B).committed) == (5, 9)

    def test_publishing_no_place_at_all_is_no_error(self, store: RedisStore) -> None:
        store.publish_hwm({})

    def test_a_journal_is_sent_again_from_the_ledger_s_place(self, store: RedisStore) -> None:
        store.ship(batch(1, 9), None)
        store.forget_shipped(A, 4)
        assert store.place(A) == StreamPlace(None, 4, 1)

    def test_a_batch_of_another_version_says_so(self, child: RedisChild) -> None:
        child.client.xadd("steppe:shares", {"x": "1"})
        with pytest.raises(StoreUnavailable, match="run all roles in the same version"):
            child.store.read_shares("0", 10, 0)


def publish(store: RedisStore, tallies: Tallies, seq: int, *, frontend: str = A, previous: int | None = None) -> bool:
    changes = tallies.changes()
    return store.publish_tallies(
        frontend, changes if previous is not None else tallies.snapshot(), seq, previous=previous
    )


def folded(*workers: str, time_ms: int = T0) -> Tallies:
    tallies = Tallies()
    fold(tallies, [share(1, worker=worker, time_ms=time_ms) for worker in workers])
    return tallies


class TestTallies:
    def test_workers_come_back_by_login_as_they_were(self, store: RedisStore) -> None:
        tallies = folded("b", "a", "a")
        publish(store, tallies, 3)
        rows = store.read_workers(T0 + 10_000)
        assert [row.name for row in rows] == ["aisulu.a", "aisulu.b"]
        assert {row.name: row.tally for row in rows} == tallies.snapshot().workers

    def test_a_journal_s_tallies_come_back_whole_with_its_minutes_and_the_record_they_stand_at(
        self, store: RedisStore
    ) -> None:
        tallies = folded("a")
        publish(store, tallies, 1)
        fold(tallies, [share(2, worker="a", time_ms=T0 + 60_000)])
        publish(store, tallies, 2, previous=1)
        found = store.tallies_of(A)
        assert found == (2, tallies.snapshot())
        assert found[1].history is not None
        assert len(found[1].history.fine) == 1

    def test_rows_have_the_hashrates_of_now(self, store: RedisStore) -> None:
        tallies = folded("a")
        publish(store, tallies, 1)
        [row] = store.read_workers(T0 + 10_000)
        assert row == tallies.snapshot().workers["aisulu.a"].row("aisulu.a", T0 + 10_000)

    def test_accounts_and_the_pool_come_back(self, store: RedisStore) -> None:
        publish(store, folded("a", "b"), 2)
        pool = store.read_pool(T0)
        assert pool is not None
        assert (store.read_accounts(T0)[0].tally.accepted, pool.tally.accepted) == (2, 2)

    def test_before_the_first_share_there_is_no_pool(self, store: RedisStore) -> None:
        assert (store.read_workers(T0), store.read_pool(T0)) == ([], None)

    def test_a_worker_on_two_frontends_is_one_row(self, store: RedisStore) -> None:
        publish(store, folded("a"), 1)
        publish(store, folded("a", "a", time_ms=T0 + 1000), 2, frontend=B)
        assert [row.tally.accepted for row in store.read_workers(T0)] == [3]

    def test_changes_are_added_to_what_is_there(self, store: RedisStore) -> None:
        tallies = folded("a", "b")
        publish(store, tallies, 2)
        tallies.changes()
        fold(tallies, [share(3, worker="b")])
        assert publish(store, tallies, 3, previous=2)
        assert [row.tally.accepted for row in store.read_workers(T0)] == [1, 2]

    def test_changes_to_something_else_than_what_is_there_are_refused(self, child: RedisChild) -> None:
        tallies = folded("a")
        publish(child.store, tallies, 1)
        child.client.flushall()
        assert not publish(child.store, tallies, 2, previous=1)
        assert child.store.read_workers(T0) == []

    def test_a_whole_set_takes_the_place_of_what_was_there(self, store: RedisStore) -> None:
        publish(store, folded("old"), 1)
        publish(store, folded("new"), 1)
        assert [row.name for row in store.read_workers(T0)] == ["aisulu.new"]

    def test_forgotten_workers_leave_the_table(self, store: RedisStore) -> None:
        tallies = folded("gone")
        publish(store, tallies, 1)
        tallies.changes()
        fold(tallies, [share(2, worker="here", time_ms=T0 + 30 * 86_400_000)])
        publish(store, tallies, 2, previous=1)
        assert [row.name for row in store.read_workers(T0)] == ["aisulu.here"]

    def test_rows_of_a_frontend_that_is_gone_fade_after_a_day(self, child: RedisChild) -> None:
        publish(child.store, folded("a"), 1)
        lives = [child.client.ttl(f"steppe:{kind}:{A}") for kind in ("workers", "accounts", "pool", "tallied")]
        assert all(TALLIES_SECONDS - 60 < seconds <= TALLIES_SECONDS for seconds in lives)

    def test_work_beyond_64_bits_comes_back_exactly(self, store: RedisStore) -> None:
        tallies = Tallies()
        fold(tallies, [share(1)])
        fold(tallies, [share(2, time_ms=T0 + 1000)])
        state = tallies.state()
        name, tally = state.workers.popitem()
        publish(store, Tallies(replace(state, workers={name: replace(tally, work=2**200)}, open=[])), 1)
        assert store.read_workers(T0)[0].tally.work == 2**200

    def test_the_backlog_is_what_is_counted_here_and_not_in_the_ledger(self, store: RedisStore) -> None:
        publish(store, folded("a"), 100)
        publish(store, folded("a"), 50, frontend=B)
        assert store.backlog({A: 90}) == 60

    def test_without_journals_there_is_no_backlog(self, store: RedisStore) -> None:
        assert store.backlog({}) == 0


class TestRoles:
    def test_a_sign_of_life_comes_back(self, store: RedisStore) -> None:
        store.publish_role("work", "0", {"height": 7, "job_id": "1f"}, ttl_seconds=10)
        [sign] = store.read_roles()
        assert (sign.role, sign.name, sign.data) == ("work", "0", {"height": 7, "job_id": "1f"})

    def test_signs_come_by_role_and_name(self, store: RedisStore) -> None:
        for role, name in (("work", "0"), ("stratum", "1"), ("stratum", "0")):
            store.publish_role(role, name, {}, ttl_seconds=10)
        assert [(sign.role, sign.name) for sign in store.read_roles()] == [
            ("stratum", "0"),
            ("stratum", "1"),
            ("work", "0"),
        ]

    def test_a_sign_has_an_end(self, child: RedisChild) -> None:
        child.store.publish_role("work", "0", {}, ttl_seconds=2.5)
        assert 0 < child.client.pttl("steppe:role:work/0") <= 2500

    def test_a_role_whose_sign_has_ended_is_not_shown(self, child: RedisChild) -> None:
        child.store.publish_role("work", "0", {}, ttl_seconds=10)
        child.client.delete("steppe:role:work/0")
        assert child.store.read_roles() == []


class TestRejects:
    STALE, LATER = (Reject(time_ms, "stale", "stale: a new block has come", "a1", 5) for time_ms in (1, 2))

    def test_they_are_read_as_they_were_of_all_processes_newest_first(self, store: RedisStore) -> None:
        store.publish_rejects("0", {"alice.rig": (self.STALE,)}, ())
        store.publish_rejects("1", {"alice.rig": (self.LATER,), "bob": ()}, ())
        assert store.read_rejects("alice.rig") == [self.LATER, self.STALE]
        assert store.read_rejects("carol") == []

    def test_a_forgotten_worker_has_none(self, store: RedisStore) -> None:
        store.publish_rejects("0", {"alice": (self.STALE,)}, ())
        store.publish_rejects("0", {}, ("alice",))
        assert store.read_rejects("alice") == []


class TestSilence:
    def test_it_comes_back_with_its_reason_and_ends_by_itself(self, child: RedisChild) -> None:
        child.store.silence(Silence(T0, "new switch"), 60_000)
        assert child.store.silenced() == Silence(T0, "new switch")
        assert 0 < child.client.pttl("steppe:silence") <= 60_000

    def test_it_can_be_ended_before(self, store: RedisStore) -> None:
        store.silence(Silence(T0, ""), 60_000)
        store.silence(None)
        assert store.silenced() is None

    def test_one_of_another_version_is_named(self, child: RedisChild) -> None:
        child.client.set("steppe:silence", "7")
        with pytest.raises(StoreUnavailable, match="run all roles in the same version"):
            child.store.silenced()
