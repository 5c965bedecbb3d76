"""Which slice a worker's shares have, at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pool.fleet.facts import Fact, known
from pool.fleet.kinds import Assignment, Site
from pool.fleet.patterns import fits, literal

NEVER_MS = 1 << 62
"""A time that does not come."""


class Standing:
    """The assignments that hold from a moment until something changes. near: the sites that the region serves whose
    shares these are."""

    def __init__(self, assignments: Iterable[Assignment], until_ms: int, near: Collection[str] = ()) -> None:
        self.until_ms = until_ms
        self._near = near
        self._names: dict[tuple[str, str], Assignment] = {}
        self._patterns: dict[str, list[Assignment]] = {}
        for each in sorted(assignments, key=self._order):
            if "*" in each.pattern:
                self._patterns.setdefault(each.account, []).append(each)
            else:
                self._names.setdefault((each.account, each.pattern), each)

    def slice_of(self, account: str, worker: str) -> int | None:
        """The slice of the pattern with the most literal characters that fits, and of two that are equal in that of the
        one at a site of this region; None: the account's own."""
        named = self._names.get((account, worker))
        pattern = next((each for each in self._patterns.get(account, ()) if fits(each.pattern, worker)), None)
        best = min((each for each in (named, pattern) if each is not None), key=self._order, default=None)
        return None if best is None else best.slice_id

    def _order(self, each: Assignment) -> tuple[int, bool, int]:
        return -literal(each.pattern), each.site not in self._near, each.slice_id


class SliceTable:
    """All assignments that are known, as they count in a region."""

    def __init__(self, rows: Iterable[Assignment] = (), sites: Iterable[Site] = (), region: str = "") -> None:
        """rows, sites: also those that are replaced. region: empty for none."""
        self.assignments = [each for each in known(rows) if not each.is_withdrawn]
        self._near = [each for each in known(sites) if region and each.region == region and not each.is_withdrawn]

    def at(self, time_ms: int) -> Standing:
        """What holds at a time."""
        facts: list[Fact] = [*self.assignments, *self._near]
        changes = (end for each in facts for end in (each.valid_from_ms, each.valid_to_ms))
        until_ms = min((end for end in changes if end is not None and end > time_ms), default=NEVER_MS)
        near = {each.name for each in self._near if each.holds_at(time_ms)}
        return Standing((each for each in self.assignments if each.holds_at(time_ms)), until_ms, near)


def unmatched(table: SliceTable, workers: Iterable[tuple[str, str]], time_ms: int) -> list[tuple[str, str]]:
    """Workers of accounts with assignments that none of these fits: a task for the operator."""
    standing = table.at(time_ms)
    described = {each.account for each in table.assignments}
    return sorted(
        (account, worker)
        for account, worker in workers
        if account in described and standing.slice_of(account, worker) is None
    )
