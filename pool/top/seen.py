"""The pool at one moment, read from the sources of the page; what cannot be read has its reason instead."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pool.alerts.alert import SEVERITIES, Alert
from pool.alerts.sources import alerts_in, from_fleets, from_health
from pool.dashboard import health
from pool.dashboard.live import Sign
from pool.dashboard.machines import Machines
from pool.dashboard.moves import Moves
from pool.dashboard.overview import About, Overview, overview
from pool.dashboard.places import PlacedWorker
from pool.dashboard.ports import Books, Fleets, Live, SourceUnavailable
from pool.dashboard.query import TableQuery
from pool.dashboard.readings import Reading, reading, unavailable
from pool.dashboard.rows import Block, LiveView
from pool.dashboard.tables import Page
from pool.dashboard.threads import InThread
from pool.dashboard.workers import Group, Selection, WorkerTable
from pool.fleet.move import OPEN
from pool.fleet.report import MoveReport
from pool.ports import Clock, StoreUnavailable

T = TypeVar("T")

BLOCKS_SHOWN = 5

_OPEN = frozenset(state.value for state in OPEN)


class Silence(Protocol):
    """Maintenance: until when no messages are sent, and why."""

    @property
    def until_ms(self) -> int: ...
    @property
    def reason(self) -> str: ...


class Signs(Protocol):
    """What else is read of Redis; both raise StoreUnavailable."""

    def read_roles(self) -> Sequence[Sign]: ...
    def silenced(self) -> Silence | None: ...


class Maintenance(Struct, frozen=True):
    """No messages to people until then."""

    until_ms: int
    reason: str


class Seen(Struct, frozen=True):
    """Everything at one moment. alarms: what is wrong, the worst first. moves: those that are open. table: None without
    live statistics. unavailable: why a part is missing, by its source."""

    time_ms: int
    overview: Overview
    alarms: tuple[Alert, ...]
    maintenance: Maintenance | None
    blocks: tuple[Block, ...] | None
    moves: tuple[MoveReport, ...] | None
    table: WorkerTable | None
    unavailable: Mapping[str, str]


class Sources(Struct, frozen=True):
    """Where everything is read; in_thread: what reads the signs of life."""

    live: Live
    books: Books
    fleets: Fleets
    moves: Moves
    signs: Signs
    in_thread: InThread


class Look:
    """Looks at the pool again and again."""

    def __init__(self, sources: Sources, clock: Clock, about: About, rack_rule: str) -> None:
        self._sources = sources
        self._clock = clock
        self._about = about
        self._machines = Machines(sources.live, sources.fleets, clock, rack_rule)

    def __call__(self) -> Seen:
        """The pool now. Blocks, for as long as the sources are waited for."""
        return _finished(self._look())

    async def _look(self) -> Seen:
        known = await self._machines.now()
        totals = await reading(self._sources.books.totals())
        blocks = await reading(self._sources.books.blocks(None, 0, BLOCKS_SHOWN))
        moves = await reading(self._sources.moves.every())
        signs = await reading(self._signs())
        now_ms = self._clock.time_ms()
        verdict = health.judge(known.live, totals, now_ms)
        alarms = [*from_health(verdict), *_of_fleets(known.live), *(signs.value[0] if signs.value else ())]
        return Seen(
            time_ms=now_ms,
            overview=overview(self._about, known.live, totals, verdict),
            alarms=tuple(sorted(alarms, key=lambda each: -SEVERITIES.index(each.severity))),
            maintenance=signs.value[1] if signs.value else None,
            blocks=blocks.value,
            moves=_open(moves),
            table=known.table,
            unavailable=unavailable(redis=known.live, database=totals)
            | unavailable(database=blocks)
            | unavailable(database=moves)
            | unavailable(database=known.fleets)
            | unavailable(redis=signs),
        )

    async def _signs(self) -> tuple[list[Alert], Maintenance | None]:
        """What the roles say is wrong, and whether somebody works on the pool."""

        def read() -> tuple[list[Alert], Maintenance | None]:
            signs, silence = self._sources.signs.read_roles(), self._sources.signs.silenced()
            alerts = [alert for sign in signs for alert in alerts_in(f"{sign.role}/{sign.name}", sign.data)]
            return alerts, None if silence is None else Maintenance(silence.until_ms, silence.reason)

        try:
            return await self._sources.in_thread(read)
        except StoreUnavailable as error:
            raise SourceUnavailable(str(error)) from error


def _of_fleets(live: Reading[LiveView]) -> list[Alert]:
    accounting = live.value.roles.accounting if live.value else None
    return from_fleets(accounting.alarms) if accounting else []


def _open(moves: Reading[tuple[MoveReport, ...]]) -> tuple[MoveReport, ...] | None:
    return None if moves.value is None else tuple(each for each in moves.value if each.state in _OPEN)


def _finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of what never waits for a reactor, as there is none here."""
    outcome: list[T | Failure] = []
    Deferred.fromCoroutine(coroutine).addBoth(outcome.append)
    (found,) = outcome
    if isinstance(found, Failure):
        found.raiseException()
    return found


class Answer(Struct, frozen=True):
    """The same for programs: `steppe top --json`. overview: as at /api/v1/pool. sites: as at /api/v1/groups; workers: a
    page as at /api/v1/workers. unavailable: why a part is None."""

    time_ms: int
    overview: Overview
    alarms: tuple[Alert, ...]
    maintenance: Maintenance | None
    blocks: tuple[Block, ...] | None
    moves: tuple[MoveReport, ...] | None
    sites: tuple[Group, ...] | None
    workers: Page[PlacedWorker] | None
    unavailable: Mapping[str, str]


def answer(seen: Seen, query: TableQuery) -> Answer:
    """What was seen, with these workers."""
    table = seen.table
    return Answer(
        time_ms=seen.time_ms,
        overview=seen.overview,
        alarms=seen.alarms,
        maintenance=seen.maintenance,
        blocks=seen.blocks,
        moves=seen.moves,
        sites=None if table is None else tuple(table.sites()),
        workers=None if table is None else table.page(Selection(search=query.search), query),
        unavailable=seen.unavailable,
    )
