"""All moves as they stand, drafts with them, out of SQL: for the dispatch and for the dashboard."""

from __future__ import annotations

from sqlalchemy import Connection

from pool.fleet.draft import Draft, draft_machines, draft_report
from pool.fleet.move import MoveRefused
from pool.fleet.notices import end_of_power
from pool.fleet.planning import matches
from pool.fleet.report import Machine, MoveReport, machines, report
from pool.store.drafts import SqlDrafts
from pool.store.fleets import SqlFleets
from pool.store.moves import Kept, SqlMoves


class MoveBooks:
    """One reading. rack_rule: of machines that no plan has yet."""

    def __init__(self, connection: Connection, now_ms: int, rack_rule: str) -> None:
        self._moves = SqlMoves(connection)
        self._drafts = SqlDrafts(connection)
        self._fleets = SqlFleets(connection)
        self._now_ms = now_ms
        self._rack_rule = rack_rule

    def every(self) -> list[MoveReport]:
        """All: drafts first, which wait for a person, then moves; each newest first."""
        drafts = sorted(self._drafts.unplanned(), key=lambda each: not each.is_open)
        shown = [draft_report(each, *self._workers(each), self._rack_rule) for each in drafts]
        opened = [each for each in shown if each.lacks]
        dropped = [each for each in shown if not each.lacks]
        return [*opened, *(self._report(kept) for kept in self._moves.every()), *dropped]

    def one(self, name: str) -> tuple[MoveReport, list[Machine]]:
        """One with its machines. Raises MoveRefused if there is none of that name."""
        draft = self._drafts.get(name)
        if draft is not None:
            region, logins = self._workers(draft)
            return draft_report(draft, region, logins, self._rack_rule), draft_machines(logins, self._rack_rule)
        kept = self._moves.get(name)
        return self._report(kept), machines(kept.move, self._moves.travellers(kept.id), self._now_ms)

    def find(self, name: str) -> tuple[MoveReport, list[Machine]] | None:
        """The same, or None."""
        try:
            return self.one(name)
        except MoveRefused:
            return None

    def _report(self, kept: Kept) -> MoveReport:
        notice_ms = self._notice_ms(kept.move.plan.origin.site) if kept.move.is_open else None
        return report(kept.move, self._moves.travellers(kept.id), self._now_ms, notice_ms)

    def _notice_ms(self, site: str) -> int | None:
        notice = end_of_power(self._fleets.events_of(site), self._now_ms)
        return None if notice is None else notice.valid_from_ms

    def _workers(self, draft: Draft) -> tuple[str, list[str]]:
        """The region of a draft's site, and those of its workers that were seen there last."""
        region = self._fleets.region_of(draft.site)
        seen = self._moves.regions() if region is not None else {}
        logins = [each for each, at in seen.items() if at == region and matches(draft.pattern, draft.account, each)]
        return region or "", logins
