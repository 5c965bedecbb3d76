"""The endpoints over the sources as the whole pool, as everybody, and as one who sees a part of it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from twisted.internet.threads import deferToThread

from pool.access.scope import Scope
from pool.dashboard.access.explaining import ScopedExplaining
from pool.dashboard.access.scoped import AnonymousLive, ScopedBooks, ScopedLive
from pool.dashboard.api import Api
from pool.dashboard.cache import Cache, CachedBooks, CachedFleets, CachedLive
from pool.dashboard.explain import CachedExplaining, ExplainApi, Explaining, NoExplaining
from pool.dashboard.fleets import FleetApi
from pool.dashboard.machines import Machines
from pool.dashboard.moves import CachedMoves, Moves, MovesApi
from pool.dashboard.overview import About
from pool.dashboard.ports import Books, Fleets, Live
from pool.dashboard.reports import NoReporting, Reporting, ReportsApi
from pool.dashboard.routes import Routes
from pool.dashboard.threads import InThread
from pool.dashboard.workers_api import WorkersApi
from pool.fleet.racks import RACK_RULE
from pool.ports import Clock


class Sources(Struct, frozen=True):
    """Where everything is read. worker_series: as in Api."""

    live: Live
    books: Books
    fleets: Fleets
    moves: Moves
    reporting: Reporting = NoReporting()
    in_thread: InThread = deferToThread
    rack_rule: str = RACK_RULE
    worker_series: int = 0
    explaining: Explaining = NoExplaining()


class CachedViews:
    """Satisfies pool.dashboard.access.guard.Views; what one reads, all others have for a second."""

    def __init__(self, sources: Sources, clock: Clock, reactor: Any, about: About) -> None:
        cache = self._cache = Cache(clock, reactor)
        self._sources = sources
        self._live = CachedLive(sources.live, cache)
        self._books = CachedBooks(sources.books, cache)
        self._fleets = CachedFleets(sources.fleets, cache)
        self._moves = CachedMoves(sources.moves, cache)
        self._explaining = CachedExplaining(sources.explaining, cache)
        self._clock = clock
        self._about = about
        self.full = self._routes(self._live, self._books, self._explaining)
        nobody = AnonymousLive(self._live)
        explaining = ScopedExplaining(self._explaining, None, nobody.is_own)
        self.anonymous = self._routes(nobody, ScopedBooks(self._books, None, is_everybody=True), explaining)

    def scoped(self, scope: Scope) -> Routes:
        """For who sees a part."""
        live = ScopedLive(self._live, self._fleets, scope, self._clock)
        account = scope.name if scope.kind == "account" else None
        explaining = ScopedExplaining(self._explaining, account, live.is_own)
        return self._routes(live, ScopedBooks(self._books, account), explaining)

    def _routes(self, live: Live, books: Books, explaining: Explaining) -> Routes:
        machines = Machines(live, self._fleets, self._clock, self._sources.rack_rule)
        api = Api(live, books, self._clock, self._about, machines, self._sources.worker_series)
        workers = WorkersApi(machines, self._sources.in_thread)
        reports = ReportsApi(self._sources.reporting, live, self._cache)
        fleets, moves = FleetApi(self._fleets, machines), MovesApi(self._moves, live)
        return Routes(api, workers, fleets, moves, reports, ExplainApi(explaining))
