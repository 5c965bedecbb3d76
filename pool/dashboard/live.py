"""Live statistics as the dashboard shows them, read from Redis: tallies joined with who is connected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec
from msgspec import Struct

from pool.dashboard.ports import SourceUnavailable
from pool.dashboard.rows import (
    AccountingRole,
    Activity,
    Disk,
    Hashrate,
    LiveAccount,
    LiveView,
    Rate,
    Reject,
    Roles,
    StratumRole,
    WorkChain,
    Worker,
    WorkJob,
    WorkNode,
    WorkProposals,
    WorkRole,
)
from pool.dashboard.threads import InThread
from pool.ports import Clock, StoreUnavailable
from pool.stats.hashrate import Estimate
from pool.stats.rejects import Reject as StoredReject
from pool.stats.tally import Row, login

T = TypeVar("T")

_NOTHING = Activity(Hashrate(*[Rate(0.0, None)] * 4), 0, {}, None)


class Sign(Protocol):
    """A role's last sign of life. time_ms: when it was given."""

    @property
    def role(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def time_ms(self) -> int: ...
    @property
    def data(self) -> Mapping[str, object]: ...


class Store(Protocol):
    """What is read of Redis. Every method blocks and raises StoreUnavailable."""

    def read_workers(self, now_ms: int) -> Sequence[Row]: ...
    def read_accounts(self, now_ms: int) -> Sequence[Row]: ...
    def read_pool(self, now_ms: int) -> Row | None: ...
    def read_roles(self) -> Sequence[Sign]: ...
    def read_rejects(self, login: str) -> Sequence[StoredReject]: ...


class _Presence(Struct, frozen=True, array_like=True):
    """A connected worker, as a stratum role tells it."""

    account: str
    worker: str
    remote_address: str
    agent: str
    difficulty: float | None
    since_ms: int


class _Work(Struct, frozen=True):
    """The data of the work role's sign of life: of the job nothing before there is one."""

    node_reason: str | None = None
    candidates_pending: int = 0
    blocks_refused: int = 0
    job_id: str | None = None
    nodes: tuple[WorkNode, ...] = ()
    chain: WorkChain | None = None
    proposals: WorkProposals | None = None
    disk: Disk | None = None


class _Stratum(Struct, frozen=True):
    """The data of a stratum role's sign of life."""

    sessions: int
    counters: dict[str, int]
    presence: tuple[_Presence, ...]
    candidates_pending: int
    certificate_expires_ms: int | None = None
    is_released: bool = False
    journal_refusal: str | None = None
    disk: Disk | None = None


class _Accounting(Struct, frozen=True):
    """The data of the accounting role's sign of life."""

    lag_shares: int | None


class RedisLive:
    """Satisfies pool.dashboard.ports.Live."""

    def __init__(self, store: Store, in_thread: InThread, clock: Clock) -> None:
        self._store = store
        self._in_thread = in_thread
        self._clock = clock

    async def view(self) -> LiveView:
        now_ms = self._clock.time_ms()
        try:
            return await self._in_thread(lambda: _read(self._store, now_ms))
        except StoreUnavailable as unavailable:
            raise SourceUnavailable(str(unavailable)) from unavailable

    async def rejects(self, login: str) -> tuple[Reject, ...]:
        try:
            found = await self._in_thread(lambda: self._store.read_rejects(login))
        except StoreUnavailable as unavailable:
            raise SourceUnavailable(str(unavailable)) from unavailable
        return tuple(Reject(*msgspec.structs.astuple(each)) for each in found)


def _read(store: Store, now_ms: int) -> LiveView:
    signs = store.read_roles()
    stratum = [(sign, _data(sign, _Stratum)) for sign in signs if sign.role == "stratum"]
    present = [each for _, data in stratum for each in data.presence]
    workers = _workers(store.read_workers(now_ms), present)
    whole = store.read_pool(now_ms)
    return LiveView(
        pool=_NOTHING if whole is None else _activity(whole),
        workers=workers,
        accounts=_accounts(store.read_accounts(now_ms), workers),
        roles=Roles(
            work=next((_work(sign) for sign in signs if sign.role == "work"), None),
            stratum=tuple(_stratum(sign, data) for sign, data in stratum),
            accounting=next((_accounting(sign) for sign in signs if sign.role == "accounting"), None),
        ),
    )


def _workers(rows: Iterable[Row], present: Iterable[_Presence]) -> tuple[Worker, ...]:
    """Who sent shares lately or is connected, or both."""
    sessions: Counter[str] = Counter()
    difficulties: dict[str, float | None] = {}
    for each in present:
        name = login(each.account, each.worker)
        sessions[name] += 1
        difficulties[name] = each.difficulty
    workers = []
    for row in rows:
        difficulty = difficulties.pop(row.name, None) or row.tally.difficulty
        workers.append(_worker(row.name, sessions[row.name], difficulty, _activity(row)))
    workers += [_worker(name, sessions[name], difficulty, _NOTHING) for name, difficulty in difficulties.items()]
    return tuple(workers)


def _worker(name: str, sessions: int, difficulty: float | None, activity: Activity) -> Worker:
    account, _, worker = name.partition(".")
    return Worker(name, account, worker, sessions, difficulty, activity)


def _accounts(rows: Iterable[Row], workers: Iterable[Worker]) -> tuple[LiveAccount, ...]:
    activities = {row.name: _activity(row) for row in rows}
    known: Counter[str] = Counter()
    online: Counter[str] = Counter()
    for worker in workers:
        known[worker.account] += 1
        online[worker.account] += worker.online
    return tuple(
        LiveAccount(name, known[name], online[name], activities.get(name, _NOTHING)) for name in activities | known
    )


def _activity(row: Row) -> Activity:
    return Activity(
        hashrate=Hashrate(*[_rate(estimate) for estimate in row.estimates]),
        accepted=row.tally.accepted,
        rejected=row.tally.rejected,
        last_share_ms=row.tally.last_share_ms,
    )


def _rate(estimate: Estimate) -> Rate:
    return Rate(estimate.hashrate_hps, estimate.relative_error)


def _work(sign: Sign) -> WorkRole:
    data = _data(sign, _Work)
    job = None if data.job_id is None else _data(sign, WorkJob)
    return WorkRole(
        heartbeat_ms=sign.time_ms,
        node_reason=data.node_reason,
        candidates_pending=data.candidates_pending,
        job=job,
        blocks_refused=data.blocks_refused,
        nodes=data.nodes,
        chain=data.chain,
        proposals=data.proposals,
        disk=data.disk,
    )


def _stratum(sign: Sign, data: _Stratum) -> StratumRole:
    return StratumRole(
        name=sign.name,
        heartbeat_ms=sign.time_ms,
        sessions=data.sessions,
        refused=_counted(data.counters, "refused_"),
        closed=_counted(data.counters, "closed_"),
        candidates_pending=data.candidates_pending,
        certificate_expires_ms=data.certificate_expires_ms,
        is_released=data.is_released,
        journal_refusal=data.journal_refusal,
        disk=data.disk,
    )


def _counted(counters: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): count for name, count in counters.items() if name.startswith(prefix)}


def _accounting(sign: Sign) -> AccountingRole:
    return AccountingRole(sign.time_ms, _data(sign, _Accounting).lag_shares)


def _data(sign: Sign, kind: type[T]) -> T:
    try:
        return msgspec.convert(sign.data, kind)
    except msgspec.ValidationError as error:
        raise SourceUnavailable(
            f"The sign of life of the {sign.role} role in Redis is of another version ({error}): run all roles in the "
            "same version."
        ) from error
