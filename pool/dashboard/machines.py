"""The table of workers of this moment, joined of the live statistics and of what is known of fleets."""

from __future__ import annotations

from msgspec import Struct

from pool.dashboard.places import Places
from pool.dashboard.ports import Fleets, Live
from pool.dashboard.readings import Reading, together
from pool.dashboard.rows import LiveView
from pool.dashboard.workers import WorkerTable
from pool.fleet.kinds import Assignment
from pool.fleet.racks import RACK_RULE
from pool.fleet.register import Register
from pool.ports import Clock


class Known(Struct, frozen=True):
    """Exactly what could be read. table: None without live statistics; without the fleets nobody has a site."""

    table: WorkerTable | None
    live: Reading[LiveView]
    fleets: Reading[Register]


class Machines:
    """Makes the table once for each reading of the statistics. live, fleets: behind a cache, so that the same moment is
    the same object."""

    def __init__(self, live: Live, fleets: Fleets, clock: Clock, rack_rule: str = RACK_RULE) -> None:
        self._live = live
        self._fleets = fleets
        self._clock = clock
        self._rack_rule = rack_rule
        self._places = Places([], 0, rack_rule)
        self._register: Register | None = None
        self._made: tuple[LiveView, Places, WorkerTable] | None = None

    async def now(self) -> Known:
        """Of this moment."""
        live, fleets = await together(self._live.view(), self._fleets.register())
        if live.value is None:
            return Known(None, live, fleets)
        places = self._places_now(fleets.value)
        if self._made is None or self._made[0] is not live.value or self._made[1] is not places:
            places.keep_only(len(live.value.workers))
            self._made = (live.value, places, WorkerTable(live.value.workers, places))
        return Known(self._made[2], live, fleets)

    def _places_now(self, register: Register | None) -> Places:
        """Made anew when the fleets say something else, or the time of an assignment comes; while the database is away
        what was read last counts."""
        now_ms = self._clock.time_ms()
        said = self._places.assignments if register is None else self._said(register)
        if not self._places.still_hold(said, now_ms):
            self._places = Places(said, now_ms, self._rack_rule)
        return self._places

    def _said(self, register: Register) -> list[Assignment]:
        if register is not self._register:
            self._register = register
            self._assignments = register.every(Assignment)
        return self._assignments
