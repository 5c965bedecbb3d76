"""Live statistics from Redis' tallies and the roles' signs of life."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec import Struct
from msgspec.structs import replace

from pool.dashboard.live import RedisLive
from pool.dashboard.ports import SourceUnavailable
from pool.dashboard.role_rows import (
    AccountingRole,
    Disk,
    ReserveSign,
    StratumRole,
    WorkChain,
    WorkJob,
    WorkNode,
    WorkProposals,
    WorkRole,
)
from pool.dashboard.rows import LiveAccount, LiveView, Rate, Worker
from pool.ports import StoreUnavailable
from pool.stats.hashrate import Estimate, Hashrate
from pool.stats.history import Rings
from pool.stats.rejects import Reject
from pool.stats.tally import Row, Tally
from pool.work.share import Outcome
from tests.pool.dashboard.fakes import NOW_MS, FakeClock
from tests.pool.dashboard.running import here, result_of


class Sign(Struct, frozen=True):
    role: str
    name: str
    time_ms: int
    data: Mapping[str, object]


class Silence(Struct, frozen=True):
    until_ms: int


class FakeStore:
    """Redis with these rows."""

    def __init__(self, workers: list[Row] | None = None, accounts: list[Row] | None = None) -> None:
        self.workers = workers or []
        self.accounts = accounts or []
        self.pool: Row | None = None
        self.signs: list[Sign] = []
        self.asked_ms: list[int] = []
        self.silence: Silence | None = None

    def read_workers(self, now_ms: int) -> list[Row]:
        self.asked_ms.append(now_ms)
        return self.workers

    def read_accounts(self, now_ms: int) -> list[Row]:
        return self.accounts

    def read_pool(self, now_ms: int) -> Row | None:
        return self.pool

    def read_roles(self) -> list[Sign]:
        return self.signs

    def read_history(self) -> Rings:
        return Rings()

    def silenced(self) -> Silence | None:
        return self.silence

    def read_rejects(self, login: str) -> list[Reject]:
        return [Reject(NOW_MS, "stale", "stale: a new block has come", "a1", None)] if login == "acct.rig-1" else []


class StoreThatIsDown(FakeStore):
    def read_roles(self) -> list[Sign]:
        raise StoreUnavailable("Redis at /run/redis.sock cannot be reached: start it")


def row(name: str, hps: float = 5.0, difficulty: float | None = 1.0) -> Row:
    counts = [0] * len(Outcome)
    counts[Outcome.ACCEPTED], counts[Outcome.STALE] = 7, 2
    tally = Tally(0, NOW_MS, Hashrate(0, 0), NOW_MS - 500, tuple(counts), difficulty=difficulty)
    return Row(name, tally, tuple(Estimate(hps * window, 0.5 / window) for window in (1, 2, 3, 4)))


def stratum(*presence: tuple[object, ...], name: str = "0") -> Sign:
    counters = {"share_stale": 4, "refused_unknown_method": 2, "closed_not_json": 1, "connected": 9}
    data = {"sessions": len(presence), "counters": counters, "presence": presence, "candidates_pending": 0}
    return Sign("stratum", name, NOW_MS, data)


def present(account: str, worker: str, difficulty: float | None = 2.0) -> tuple[object, ...]:
    return (account, worker, "192.0.2.1", "cgminer/4.12", difficulty, NOW_MS - 60_000)


def view(store: FakeStore) -> LiveView:
    return result_of(RedisLive(store, here, FakeClock()).view())


def test_a_maintenance_is_told_with_its_end() -> None:
    store = FakeStore()
    assert view(store).silenced_until_ms is None
    store.silence = Silence(NOW_MS + 60_000)
    assert view(store).silenced_until_ms == NOW_MS + 60_000


class TestRejects:
    def test_they_are_rows(self) -> None:
        (reject,) = result_of(RedisLive(FakeStore(), here, FakeClock()).rejects("acct.rig-1"))
        assert (reject.time_ms, reject.reason, reject.job_age_ms) == (NOW_MS, "stale", None)

    def test_without_redis_the_reason_is_told(self) -> None:
        class Down(FakeStore):
            def read_rejects(self, login: str) -> list[Reject]:
                raise StoreUnavailable("start it")

        with pytest.raises(SourceUnavailable, match="start it"):
            result_of(RedisLive(Down(), here, FakeClock()).rejects("acct.rig-1"))


class TestWorkers:
    def test_a_tally_becomes_a_row_with_hashrates_of_now(self) -> None:
        store = FakeStore([row("acct.rig-1")])
        (worker,) = view(store).workers
        assert (worker.login, worker.account, worker.worker) == ("acct.rig-1", "acct", "rig-1")
        assert (worker.activity.accepted, worker.activity.rejected) == (7, {"stale": 2})
        assert worker.activity.hashrate.minute == Rate(5.0, 0.5)
        assert worker.activity.hashrate.day == Rate(20.0, 0.125)
        assert store.asked_ms == [NOW_MS]

    def test_the_first_dot_ends_the_account(self) -> None:
        (worker,) = view(FakeStore([row("acct.rack.7")])).workers
        assert (worker.account, worker.worker) == ("acct", "rack.7")

    def test_the_newest_sign_of_a_web_role_is_known(self) -> None:
        store = FakeStore()
        assert view(store).roles.web_heartbeat_ms is None
        store.signs = [Sign("web", "0", NOW_MS - 5, {}), Sign("web", "1", NOW_MS - 3, {})]
        assert view(store).roles.web_heartbeat_ms == NOW_MS - 3

    def test_a_login_without_a_worker_is_one_too(self) -> None:
        store = FakeStore([row("acct")])
        store.signs = [stratum(present("acct", ""))]
        (worker,) = view(store).workers
        assert (worker.account, worker.worker, worker.sessions) == ("acct", "", 1)

    def test_sessions_are_counted_over_all_stratum_processes(self) -> None:
        store = FakeStore([row("acct.rig-1")])
        rig = present("acct", "rig-1")
        store.signs = [stratum(rig, rig), stratum(rig, name="1")]
        assert view(store).workers[0].sessions == 3

    def test_who_is_not_connected_is_offline(self) -> None:
        assert not view(FakeStore([row("acct.rig-1")])).workers[0].online

    def test_the_difficulty_of_the_connection_goes_before_that_of_the_last_share(self) -> None:
        store = FakeStore([row("acct.rig-1", difficulty=1.0), row("acct.rig-2", difficulty=1.0)])
        store.signs = [stratum(present("acct", "rig-1", 2.0), present("acct", "rig-2", None))]
        assert [worker.difficulty for worker in view(store).workers] == [2.0, 1.0]

    def test_who_is_connected_but_sent_no_share_is_there_with_nothing(self) -> None:
        store = FakeStore()
        store.signs = [stratum(present("acct", "new"))]
        (worker,) = view(store).workers
        assert isinstance(worker, Worker)
        assert (worker.login, worker.sessions, worker.activity.accepted) == ("acct.new", 1, 0)
        assert worker.activity.hashrate.minute == Rate(0.0, None)


class TestAccounts:
    def test_workers_of_an_account_are_counted(self) -> None:
        store = FakeStore([row("acct.rig-1"), row("acct.rig-2")], [row("acct", 9.0)])
        store.signs = [stratum(present("acct", "rig-2"))]
        (account,) = view(store).accounts
        assert (account.name, account.workers, account.workers_online) == ("acct", 2, 1)
        assert account.activity.hashrate.minute.hps == 9.0

    def test_an_account_that_only_connected_is_there(self) -> None:
        store = FakeStore()
        store.signs = [stratum(present("new", "rig"))]
        (account,) = view(store).accounts
        assert isinstance(account, LiveAccount)
        assert (account.name, account.activity.accepted) == ("new", 0)


class TestPool:
    def test_before_the_first_share_the_pool_does_nothing(self) -> None:
        pool = view(FakeStore()).pool
        assert (pool.accepted, pool.rejected, pool.last_share_ms) == (0, {}, None)
        assert pool.hashrate.day == Rate(0.0, None)

    def test_the_pool_is_read_as_one(self) -> None:
        store = FakeStore()
        store.pool = row("", 30.0)
        assert view(store).pool.hashrate.minute.hps == 30.0


class TestRoles:
    def test_without_signs_of_life_nobody_is_there(self) -> None:
        roles = view(FakeStore()).roles
        assert (roles.work, roles.stratum, roles.accounting) == ({}, (), None)

    def test_the_work_role_before_its_first_job_tells_why(self) -> None:
        store = FakeStore()
        store.signs = [Sign("work", "main", NOW_MS, {"node_reason": "The node is syncing.", "candidates_pending": 1})]
        assert view(store).roles.work["main"] == WorkRole(NOW_MS, "The node is syncing.", 1, None)

    def test_the_work_role_tells_of_each_node(self) -> None:
        node = {"name": "a:1", "state": "down", "reason": "away", "height": None, "is_chosen": False, "is_silent": None}
        store = FakeStore()
        store.signs = [Sign("work", "main", NOW_MS, {"node_reason": "away", "nodes": [node]})]
        work = view(store).roles.work["main"]
        assert work.nodes == (WorkNode("a:1", "down", "away", None, False, None),)

    def test_the_work_role_tells_the_verdict_on_the_chain_and_what_the_nodes_refused(self) -> None:
        store = FakeStore()
        proposals = {"looked_at": 3, "refused": 1, "last_refused_ms": 7, "problem": None}
        chain = {"verdict": "unknown", "reason": "why"}
        store.signs = [Sign("work", "main", NOW_MS, {"chain": chain, "proposals": proposals})]
        work = view(store).roles.work["main"]
        assert (work.chain, work.proposals) == (WorkChain("unknown", "why"), WorkProposals(3, 1, 7, None))

    def test_each_region_has_a_work_role_of_its_own(self) -> None:
        store = FakeStore()
        store.signs = [
            Sign("work", "texas", NOW_MS, {"node_reason": "away", "candidates_pending": 1}),
            Sign("work", "sichuan", NOW_MS, {"node_reason": None, "blocks_refused": 3}),
        ]
        roles = view(store).roles
        assert list(roles.work) == ["sichuan", "texas"]
        assert (roles.work["texas"].candidates_pending, roles.work["sichuan"].blocks_refused) == (1, 3)

    def test_where_there_is_room_for_one_it_is_the_region_with_the_worst_work(self) -> None:
        job = {"height": 1, "tip_hash_hex": "", "job_id": "1", "transactions": 0, "network_difficulty": 1.0}
        store = FakeStore()
        store.signs = [
            Sign("work", "old", NOW_MS, {**job, "template_ms": NOW_MS - 9_000}),
            Sign("work", "fresh", NOW_MS, {**job, "template_ms": NOW_MS}),
        ]
        roles = view(store).roles
        assert roles.worst_work is roles.work["old"]
        store.signs.append(Sign("work", "jobless", NOW_MS, {}))
        roles = view(store).roles
        assert roles.worst_work is roles.work["jobless"]
        store.signs.append(Sign("work", "away", NOW_MS, {**job, "template_ms": NOW_MS, "node_reason": "away"}))
        roles = view(store).roles
        assert roles.worst_work is roles.work["away"]

    def test_the_work_role_with_a_job_tells_what_is_mined(self) -> None:
        job = {
            "height": 200,
            "tip_hash_hex": "00ab",
            "job_id": "1f",
            "template_ms": NOW_MS - 3_000,
            "transactions": 12,
            "network_difficulty": 0.0011,
        }
        store = FakeStore()
        store.signs = [Sign("work", "main", NOW_MS, {"node_reason": None, "candidates_pending": 0} | job)]
        assert view(store).roles.work["main"] == WorkRole(
            NOW_MS, None, 0, WorkJob(200, "00ab", "1f", NOW_MS - 3_000, 12, 0.0011)
        )

    def test_a_stratum_role_tells_what_it_refused_and_closed_by_reason(self) -> None:
        store = FakeStore()
        store.signs = [stratum(present("acct", "rig-1"))]
        assert view(store).roles.stratum == (StratumRole("0", NOW_MS, 1, {"unknown_method": 2}, {"not_json": 1}, 0),)

    def test_roles_tell_of_their_disks_and_why_a_journal_takes_nothing(self) -> None:
        disk = {"free_bytes": 5, "total_bytes": 50, "is_low": True}
        sign = stratum(present("acct", "rig-1"))
        store = FakeStore()
        store.signs = [
            replace(sign, data={**sign.data, "disk": disk, "journal_refusal": "full"}),
            Sign("work", "main", NOW_MS, {"node_reason": None, "candidates_pending": 0, "disk": disk}),
        ]
        roles = view(store).roles
        assert (roles.work["main"].disk, roles.stratum[0].disk) == (Disk(5, 50, True), Disk(5, 50, True))
        assert roles.stratum[0].journal_refusal == "full"

    def test_the_accounting_role_tells_its_lag(self) -> None:
        store = FakeStore()
        store.signs = [Sign("accounting", "0", NOW_MS, {"lag_shares": 5}), Sign("web", "0", NOW_MS, {})]
        assert view(store).roles.accounting == AccountingRole(NOW_MS, 5)

    def test_accounting_says_how_the_reserve_stands(self) -> None:
        store = FakeStore()
        said = {"level": "low", "held_sat": 7, "alarm_sat": 9, "close_sat": None, "floor_sat": 0}
        store.signs = [Sign("accounting", "0", NOW_MS, {"lag_shares": 5, "reserve": said})]
        accounting = view(store).roles.accounting
        assert accounting is not None
        assert accounting.reserve == ReserveSign("low", 7, 9, None, 0)

    def test_a_sign_of_another_version_is_named_with_the_mend(self) -> None:
        store = FakeStore()
        store.signs = [Sign("stratum", "0", NOW_MS, {"sessions": "many"})]
        with pytest.raises(SourceUnavailable, match=r"stratum role .* run all roles in the same version"):
            view(store)


def test_a_store_that_is_down_gives_its_own_reason() -> None:
    with pytest.raises(SourceUnavailable, match="cannot be reached: start it"):
        view(StoreThatIsDown())
