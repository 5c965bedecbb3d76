"""The assignments on their way from the ledger's database to the share path of a stratum process.

They are read each second in a thread, and kept in a file for a start without a database. Miners wait for neither.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure

from pool import fleet_events
from pool.config import Config
from pool.fleet.facts import FleetRefused
from pool.fleet.kinds import Assignment, Site
from pool.fleet.slices import SliceTable
from pool.paths import Paths
from pool.ports import Clock
from pool.roles.database import reach_database
from pool.store.fleets import SqlFleets
from pool.store.sql import reading

READ_SECONDS: Final = 1.0


class SlicesAway(Exception):
    """The assignments cannot be read. The text says why."""


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    """mark: of the tables when they were read."""

    mark: int
    assignments: list[Assignment]
    sites: list[Site] = []


class SliceSource:
    """Where they come from; used in one thread at a time. name: of the process."""

    def __init__(self, config: Config, name: str) -> None:
        paths = Paths(Path(config.pool.data_dir))
        self._file = None if config.database.url else paths.ledger
        self._engine = reach_database(config)
        self._region = config.region.name
        self._path = paths.slices / name
        self._mark: int | None = None

    def kept(self) -> SliceTable:
        """Those of the run before. Raises SlicesAway if they cannot be read."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except FileNotFoundError:
            return SliceTable()
        except (OSError, msgspec.MsgspecError, FleetRefused, RecursionError) as error:
            raise SlicesAway(f"{self._path}: {error}") from error
        return self._table(kept)

    def changed(self) -> SliceTable | None:
        """All of them, if they are others than when this was last asked. Raises SlicesAway."""
        if self._file is not None and not self._file.exists():  # to ask would make an empty one
            if self._mark is None and not self._path.exists():
                return None  # a pool at its very start: accounting makes them, and nobody has assigned anything
            raise SlicesAway(f"there are no books at {self._file}")
        try:
            with reading(self._engine) as connection:
                fleets = SqlFleets(connection)
                mark = fleets.slices_mark()
                if mark == self._mark:
                    return None
                read = _File(mark, fleets.assignments(), fleets.sites())
        except SQLAlchemyError as error:
            raise SlicesAway(" ".join(str(getattr(error, "orig", None) or error).split())) from error
        self._keep(read)
        self._mark = mark
        return self._table(read)

    def _table(self, read: _File) -> SliceTable:
        return SliceTable(read.assignments, read.sites, self._region)

    def _keep(self, read: _File) -> None:
        try:
            self._path.parent.mkdir(exist_ok=True)
            unfinished = self._path.with_name(self._path.name + ".tmp")
            unfinished.write_bytes(msgspec.json.encode(read))
            unfinished.replace(self._path)
        except OSError as error:
            # What was read still counts; a start without a database would not know it.
            fleet_events.slices_not_kept(f"{self._path}: {error.strerror}")


class Source(Protocol):
    """What `SliceSource` is to the feed."""

    def kept(self) -> SliceTable: ...
    def changed(self) -> SliceTable | None: ...


class SliceFeed:
    """Tells the share path, from `start` to `stop`. take: the table and the time. in_thread: runs what blocks."""

    def __init__(
        self,
        source: Source,
        take: Callable[[SliceTable, int], None],
        clock: Clock,
        reactor: Any,
        in_thread: Callable[[Callable[[], Any]], Awaitable[Any]] = deferToThread,
    ) -> None:
        self._source = source
        self._in_thread = in_thread
        self._take = take
        self._clock = clock
        self._loop = LoopingCall(lambda: Deferred.fromCoroutine(self._read()))
        self._loop.clock = reactor
        self._known = 0
        self._is_away = False

    async def start(self) -> None:
        """Before the first miner: from the database, or as they were when this process last read them."""
        try:
            self._told(await self._in_thread(self._source.kept))
        except SlicesAway as away:
            self._lacks(away)
        await self._read()
        self._loop.start(READ_SECONDS, now=False).addErrback(self._failed)

    def stop(self) -> None:
        """Read no more."""
        if self._loop.running:
            self._loop.stop()

    async def _read(self) -> None:
        try:
            table = await self._in_thread(self._source.changed)
        except SlicesAway as away:
            self._lacks(away)
            return
        if table is not None:
            self._told(table)
        if (table is not None and table.assignments) or self._is_away:
            fleet_events.slices_read(self._known)
        self._is_away = False

    def _failed(self, failure: Failure) -> None:
        fleet_events.slices_not_read(f"a bug ended the reading, restart this process: {failure.value!r}", self._known)

    def _told(self, table: SliceTable) -> None:
        self._known = len(table.assignments)
        self._take(table, self._clock.time_ms())

    def _lacks(self, away: SlicesAway) -> None:
        if not self._is_away:
            self._is_away = True
            fleet_events.slices_not_read(str(away), self._known)
