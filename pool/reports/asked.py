"""Which report somebody asks for: the same on the command line and in the API."""

from __future__ import annotations

import enum

from msgspec import Struct

from pool.reports.facts import ReportRefused, Span
from pool.reports.relocation import BEFORE_MS, Marks

_DAY_MS = 86_400_000


class Report(enum.StrEnum):
    """Those there are."""

    RELOCATION = "relocation"
    COMMISSIONING = "commissioning"
    POWER = "power"
    DOWNTIME = "downtime"
    SLA = "sla"
    WEAK = "weak"


DAYS = {Report.COMMISSIONING: 1, Report.POWER: 1, Report.DOWNTIME: 30, Report.SLA: 30}
"""Of the last so many days is a report if nobody says of which time."""


class Asked(Struct, frozen=True):
    """A question. name: of a move, a fleet or an account, a site, a contract; empty for all. off_ms, on_ms: of a
    relocation without a move. known_ms: as of what was recorded by then."""

    report: Report
    name: str = ""
    from_ms: int | None = None
    to_ms: int | None = None
    off_ms: int | None = None
    on_ms: int | None = None
    known_ms: int | None = None

    def span(self, now_ms: int) -> Span:
        """The time of a report that has one. Raises ReportRefused."""
        to_ms = now_ms if self.to_ms is None else self.to_ms
        span = Span(to_ms - DAYS[self.report] * _DAY_MS if self.from_ms is None else self.from_ms, to_ms)
        if not span.ms:
            raise ReportRefused("the report has no time: give an end (to) that lies after its beginning (from)")
        return span

    def marks(self, now_ms: int) -> Marks | None:
        """The four times of a relocation without a move; None for one that has a move. Raises ReportRefused."""
        if self.off_ms is None and self.on_ms is None:
            return None
        if self.off_ms is None or self.on_ms is None:
            raise ReportRefused("a fleet without a move needs both: when it went dark (off), and was back (on)")
        from_ms = self.off_ms - BEFORE_MS if self.from_ms is None else self.from_ms
        return Marks(from_ms, self.off_ms, self.on_ms, now_ms if self.to_ms is None else self.to_ms)
