"""The table of workers: searched, sorted, cut into pages, and grouped by where they stand or what they run.

One object for each second's statistics: what one question had to compute, all others of that second have for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct

from pool.dashboard.places import Place, PlacedWorker, Places, placed
from pool.dashboard.query import TableQuery
from pool.dashboard.rows import Activity, Hashrate, Rate, Worker
from pool.dashboard.tables import Page, Value, by_value, contains, natural_key

WORKER_SORTS: Final[dict[str, Value[Worker] | None]] = {
    "login": None,  # the order that every table has before it is sorted
    "sessions": lambda row: row.sessions,
    "hashrate_1m": lambda row: row.activity.hashrate.minute.hps,
    "hashrate_5m": lambda row: row.activity.hashrate.five_minutes.hps,
    "hashrate_1h": lambda row: row.activity.hashrate.hour.hps,
    "hashrate_24h": lambda row: row.activity.hashrate.day.hps,
    "difficulty": lambda row: row.difficulty,
    "accepted": lambda row: row.activity.accepted,
    "rejected": lambda row: row.activity.rejected_total,
    "reject_rate": lambda row: reject_rate(row.activity),
    "last_share": lambda row: row.activity.last_share_ms,
}


def reject_rate(activity: Activity) -> float | None:
    """The part of all submissions that was refused, 0 to 1; None without any."""
    rejected = activity.rejected_total
    return rejected / (activity.accepted + rejected) if activity.accepted + rejected else None


class Selection(Struct, frozen=True):
    """Which workers: those of an account, site, rack, firmware; None: of any, empty: without one. search: words that
    the login must have."""

    account: str | None = None
    site: str | None = None
    rack: str | None = None
    firmware: str | None = None
    search: str = ""


class Group(Struct, frozen=True):
    """Workers that have something in common. name: what; empty for those without. account: whose rack it is, as two
    accounts may name theirs alike; None for sites and firmware, which may have workers of several."""

    name: str
    account: str | None
    workers: int
    workers_online: int
    activity: Activity


class GroupPage(Page[Group], frozen=True):
    """One page of groups. together: those of all pages as one; null when the source is down."""

    together: Group | None


GROUP_SORTS: Final[dict[str, Value[Group] | None]] = {
    "name": None,
    "workers": lambda row: row.workers,
    "online": lambda row: row.workers_online,
    "hashrate_1m": lambda row: row.activity.hashrate.minute.hps,
    "hashrate_5m": lambda row: row.activity.hashrate.five_minutes.hps,
    "hashrate_1h": lambda row: row.activity.hashrate.hour.hps,
    "hashrate_24h": lambda row: row.activity.hashrate.day.hps,
    "accepted": lambda row: row.activity.accepted,
    "rejected": lambda row: row.activity.rejected_total,
    "reject_rate": lambda row: reject_rate(row.activity),
    "last_share": lambda row: row.activity.last_share_ms,
}

Key = tuple[str | None, str]
"""What a group is: an account, for racks only, and a name."""

GROUPINGS: Final[dict[str, Callable[[Worker, Place], Key]]] = {
    "site": lambda _, place: (None, place.site),
    "rack": lambda worker, place: (worker.account, place.rack),
    "firmware": lambda worker, _: (None, worker.agent),
}
"""By what workers are grouped."""


class WorkerTable:
    """Workers and their places at one moment. rows: in the order in which people count."""

    def __init__(self, rows: Sequence[Worker], places: Places) -> None:
        """rows: in any order."""
        self.rows = sorted(rows, key=lambda row: natural_key(row.login))  # hardly any work if they are already
        self._places = places
        self._sorted: dict[tuple[str, bool], list[Worker]] = {}
        self._groups: dict[tuple[str, Selection], list[Group]] = {}

    def page(self, selection: Selection, query: TableQuery) -> Page[PlacedWorker]:
        """One page of those that are selected."""
        value = WORKER_SORTS[query.sort]
        if selection == Selection():
            rows = self._whole(query.sort, value, query.descending)
        else:
            rows = _ordered(self.selected(selection), value, query.descending)
        shown = tuple(self._placed(row) for row in rows[query.offset : query.offset + query.per_page])
        return Page(query.page, query.per_page, len(rows), shown, {})

    def groups(self, by: str, selection: Selection, query: TableQuery) -> GroupPage:
        """One page of the groups of those that are selected."""
        known = self._all_groups(by, selection)
        found = [group for group in known if contains(group.name, query.search.casefold().split())]
        total = Group(
            "",
            None,
            sum(group.workers for group in found),
            sum(group.workers_online for group in found),
            together(found),
        )
        value = GROUP_SORTS[query.sort]
        if value is None:
            found.sort(key=lambda group: (natural_key(group.name), group.account or ""), reverse=query.descending)
        else:
            found = by_value(found, value, query.descending)
        shown = tuple(found[query.offset : query.offset + query.per_page])
        return GroupPage(query.page, query.per_page, len(found), shown, {}, total)

    def sites(self) -> list[Group]:
        """The sites that have workers, in the order of names."""
        known = self._all_groups("site", Selection())
        return sorted((group for group in known if group.name), key=lambda group: natural_key(group.name))

    def selected(self, selection: Selection) -> Sequence[Worker]:
        """Those that are meant, in the order of their logins."""
        rows: Iterable[Worker] = self.rows
        if selection.account is not None:
            rows = [row for row in rows if row.account == selection.account]
        if selection.firmware is not None:
            rows = [row for row in rows if row.agent == selection.firmware]
        if selection.site is not None:
            rows = [row for row in rows if self._places.of(row).site == selection.site]
        if selection.rack is not None:
            rows = [row for row in rows if self._places.of(row).rack == selection.rack]
        if words := selection.search.casefold().split():
            rows = [row for row in rows if contains(row.login, words)]
        return rows if isinstance(rows, (list, tuple)) else list(rows)

    def after(self, selection: Selection, login: str, limit: int) -> tuple[list[PlacedWorker], str | None]:
        """Up to so many of those that are selected, behind a login (empty: from the first), and the login to go on
        behind; None after the last. The order is that of logins, so what comes and goes meanwhile shifts nothing."""
        rows: Sequence[Worker] = self.selected(selection)
        if login:
            begin = natural_key(login)
            rows = [row for row in rows if natural_key(row.login) > begin]
        return [self._placed(row) for row in rows[:limit]], rows[limit - 1].login if len(rows) > limit else None

    def unmatched(self) -> list[tuple[str, str]]:
        """Account and name of workers that no assignment of their account fits, by these."""
        return sorted((row.account, row.worker) for row in self.rows if not self._places.of(row).is_assigned)

    def one(self, login: str) -> PlacedWorker | None:
        """A worker by its login."""
        return next((self._placed(row) for row in self.rows if row.login == login), None)

    def _placed(self, row: Worker) -> PlacedWorker:
        return placed(row, self._places.of(row))

    def _whole(self, sort: str, value: Value[Worker] | None, descending: bool) -> Sequence[Worker]:
        if value is None and not descending:
            return self.rows
        known = self._sorted.get((sort, descending))
        if known is None:
            known = self._sorted[sort, descending] = _ordered(self.rows, value, descending)
        return known

    def _all_groups(self, by: str, selection: Selection) -> list[Group]:
        known = self._groups.get((by, selection))
        if known is None:
            known = self._groups[by, selection] = self._grouped(by, self.selected(selection))
        return known

    def _grouped(self, by: str, rows: Iterable[Worker]) -> list[Group]:
        key_of, place_of = GROUPINGS[by], self._places.of
        members: dict[Key, list[Worker]] = {}
        for row in rows:
            members.setdefault(key_of(row, place_of(row)), []).append(row)
        return [
            Group(name, account, len(several), sum(row.sessions > 0 for row in several), together(several))
            for (account, name), several in members.items()
        ]


def together(rows: Sequence[Worker | Group]) -> Activity:
    """What several workers, or groups of them, do as one. Their errors are independent, so their squares add up."""
    rejected: dict[str, int] = {}
    for row in rows:
        for reason, count in row.activity.rejected.items():
            rejected[reason] = rejected.get(reason, 0) + count
    rates = [row.activity.hashrate for row in rows]
    return Activity(
        Hashrate(
            _sum([rate.minute for rate in rates]),
            _sum([rate.five_minutes for rate in rates]),
            _sum([rate.hour for rate in rates]),
            _sum([rate.day for rate in rates]),
        ),
        sum(row.activity.accepted for row in rows),
        rejected,
        max((row.activity.last_share_ms or 0 for row in rows), default=0) or None,
    )


def _sum(rates: Sequence[Rate]) -> Rate:
    hps = math.fsum([rate.hps for rate in rates])
    if hps <= 0:
        return Rate(0.0, None)
    return Rate(hps, math.hypot(*[rate.hps * rate.error for rate in rates if rate.error is not None]) / hps)


def _ordered(rows: Sequence[Worker], value: Value[Worker] | None, descending: bool) -> list[Worker]:
    if value is not None:
        return by_value(rows, value, descending)
    return list(reversed(rows)) if descending else list(rows)
