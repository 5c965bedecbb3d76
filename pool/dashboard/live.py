"""Live statistics as the dashboard shows them, read from Redis: tallies joined with who is connected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec
from msgspec import Struct

from pool.dashboard.fleet_rows import AlarmSign
from pool.dashboard.live_workers import NOTHING, WorkerRows, activity_of, counted
from pool.dashboard.ports import SourceUnavailable
from pool.dashboard.role_rows import (
    AccountingRole,
    Broken,
    Disk,
    HeldBlock,
    JobCoinbase,
    MovesSign,
    ReserveSign,
    Roles,
    StratumRole,
    Suspected,
    WorkChain,
    WorkJob,
    WorkNode,
    WorkProposals,
    WorkRole,
)
from pool.dashboard.rows import LiveAccount, LiveView, Reject, Worker
from pool.dashboard.threads import InThread
from pool.ports import Clock, StoreUnavailable
from pool.stats.history import Rings
from pool.stats.rejects import Reject as StoredReject
from pool.stats.tally import Row

T = TypeVar("T")


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


class Silence(Protocol):
    """Maintenance, until when."""

    @property
    def until_ms(self) -> int: ...


class Store(Protocol):
    """What is read of Redis. Every method blocks and raises StoreUnavailable."""

    def read_workers(self, now_ms: int) -> Sequence[Row]: ...
    def read_accounts(self, now_ms: int) -> Sequence[Row]: ...
    def read_pool(self, now_ms: int) -> Row | None: ...
    def read_roles(self) -> Sequence[Sign]: ...
    def read_rejects(self, login: str) -> Sequence[StoredReject]: ...
    def read_history(self) -> Rings: ...
    def silenced(self) -> Silence | None: ...


class _Presence(Struct, frozen=True, array_like=True, gc=False):
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
    coinbase: JobCoinbase | None = None


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
    region: str = ""
    endpoint: str = ""


class _Accounting(Struct, frozen=True):
    """The data of the accounting role's sign of life."""

    lag_shares: int | None
    payouts_stopped: str | None = None
    broken: tuple[Broken, ...] = ()
    held: tuple[HeldBlock, ...] = ()
    suspected: tuple[Suspected, ...] = ()
    reserve: ReserveSign | None = None
    moves: MovesSign | None = None
    alarms: tuple[AlarmSign, ...] = ()


class RedisLive:
    """Satisfies pool.dashboard.ports.Live."""

    def __init__(self, store: Store, in_thread: InThread, clock: Clock) -> None:
        self._store = store
        self._in_thread = in_thread
        self._clock = clock
        self._rows = WorkerRows()

    async def view(self) -> LiveView:
        now_ms = self._clock.time_ms()
        try:
            return await self._in_thread(lambda: _read(self._store, self._rows, now_ms))
        except StoreUnavailable as unavailable:
            raise SourceUnavailable(str(unavailable)) from unavailable

    async def history(self) -> Rings:
        try:
            return await self._in_thread(self._store.read_history)
        except StoreUnavailable as unavailable:
            raise SourceUnavailable(str(unavailable)) from unavailable

    async def rejects(self, login: str) -> tuple[Reject, ...]:
        try:
            found = await self._in_thread(lambda: self._store.read_rejects(login))
        except StoreUnavailable as unavailable:
            raise SourceUnavailable(str(unavailable)) from unavailable
        return tuple(Reject(*msgspec.structs.astuple(each)) for each in found)


def _read(store: Store, rows: WorkerRows, now_ms: int) -> LiveView:
    signs = store.read_roles()
    stratum = [(sign, _data(sign, _Stratum)) for sign in signs if sign.role == "stratum"]
    work = sorted((sign for sign in signs if sign.role == "work"), key=lambda sign: sign.name)
    present = [each for _, data in stratum for each in data.presence]
    workers = rows.rows(store.read_workers(now_ms), present)
    whole = store.read_pool(now_ms)
    silence = store.silenced()
    return LiveView(
        pool=NOTHING if whole is None else activity_of(whole),
        workers=workers,
        accounts=_accounts(store.read_accounts(now_ms), workers),
        coinbases={sign.name: found for sign in work if (found := _data(sign, _Work).coinbase) is not None},
        roles=Roles(
            work={sign.name: _work(sign) for sign in work},
            stratum=tuple(_stratum(sign, data) for sign, data in stratum),
            accounting=next((_accounting(sign) for sign in signs if sign.role == "accounting"), None),
            web_heartbeat_ms=max((sign.time_ms for sign in signs if sign.role == "web"), default=None),
        ),
        silenced_until_ms=None if silence is None else silence.until_ms,
    )


def _accounts(rows: Iterable[Row], workers: Iterable[Worker]) -> tuple[LiveAccount, ...]:
    activities = {row.name: activity_of(row) for row in rows}
    known, online = counted(workers)
    return tuple(
        LiveAccount(name, known[name], online[name], activities.get(name, NOTHING)) for name in activities | known
    )


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
        region=data.region,
        endpoint=data.endpoint,
    )


def _counted(counters: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): count for name, count in counters.items() if name.startswith(prefix)}


def _accounting(sign: Sign) -> AccountingRole:
    said = _data(sign, _Accounting)
    return AccountingRole(
        sign.time_ms,
        said.lag_shares,
        said.payouts_stopped,
        said.broken,
        said.held,
        said.suspected,
        said.reserve,
        said.moves,
        said.alarms,
    )


def _data(sign: Sign, kind: type[T]) -> T:
    try:
        return msgspec.convert(sign.data, kind)
    except msgspec.ValidationError as error:
        raise SourceUnavailable(
            f"The sign of life of the {sign.role} role in Redis is of another version ({error}): run all roles in the "
            "same version."
        ) from error
