"""Where machines stand, by what the fleets say now and by their own names."""

from __future__ import annotations

from msgspec import Struct

from pool.dashboard.rows import Worker
from pool.fleet.kinds import Assignment
from pool.fleet.racks import RACK_RULE, rack_of
from pool.fleet.slices import SliceTable


class PlacedWorker(Worker, frozen=True, gc=False, kw_only=True):
    """A worker with where it is. site: of its assignment; rack: by its name; each empty if there is none. is_assigned:
    False for a task of the operator, a worker that no assignment of its account fits."""

    site: str
    rack: str
    is_assigned: bool


class Place(Struct, frozen=True, gc=False):
    """Of one worker; as in PlacedWorker."""

    site: str
    rack: str
    is_assigned: bool


class Places:
    """What holds from a moment until something changes; each worker is looked up once."""

    def __init__(self, assignments: list[Assignment], now_ms: int, rack_rule: str = RACK_RULE) -> None:
        """assignments: also those that are replaced."""
        self.assignments = assignments
        self._from_ms = now_ms
        self._rack_rule = rack_rule
        table = SliceTable(assignments)
        self._standing = table.at(now_ms)
        self._described = {each.account for each in table.assignments}
        self._sites = {each.slice_id: each.site for each in table.assignments}
        self._places: dict[str, Place] = {}

    def still_hold(self, assignments: list[Assignment], now_ms: int) -> bool:
        """Whether these say the same, now."""
        return self._from_ms <= now_ms < self._standing.until_ms and self.assignments == assignments

    def of(self, worker: Worker) -> Place:
        """Of a worker."""
        found = self._places.get(worker.login)
        if found is None:
            slice_id = self._standing.slice_of(worker.account, worker.worker)
            site = "" if slice_id is None else self._sites[slice_id]
            is_assigned = slice_id is not None or worker.account not in self._described
            found = self._places[worker.login] = Place(site, rack_of(worker.login, self._rack_rule), is_assigned)
        return found

    def keep_only(self, count: int) -> None:
        """Of so many workers; when many more are remembered, names have come and gone."""
        if len(self._places) > 2 * count + 1000:
            self._places = {}


def placed(worker: Worker, place: Place) -> PlacedWorker:
    """Both as one row."""
    return PlacedWorker(
        worker.login,
        worker.account,
        worker.worker,
        worker.sessions,
        worker.difficulty,
        worker.activity,
        worker.agent,
        site=place.site,
        rack=place.rack,
        is_assigned=place.is_assigned,
    )
