"""What darkness cost in a time: by cause, by site, by machine."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from pool.reports.downtime import Journey, Lost, MachineDown, assignment_of, downs, lost, machines_down
from pool.reports.facts import Facts, Fleets, ReportRefused, Span
from pool.reports.progress import belongs


class SiteLost(Struct, frozen=True):
    """A site. causes: what each cost there."""

    site: str
    causes: tuple[Lost, ...]


class Downtime(Struct, frozen=True):
    """The whole report. causes: of all machines at once, so they may be some satoshi more than sites or machines."""

    fleet: str
    from_ms: int
    to_ms: int
    known_ms: int | None
    causes: tuple[Lost, ...]
    lost_sat: int
    sites: tuple[SiteLost, ...]
    machines: tuple[MachineDown, ...]


def downtime(facts: Facts, span: Span, fleet: str, journeys: Sequence[Journey]) -> Downtime:
    """Of the machines of a fleet (`account/fleet`, an account, or empty for all). Raises ReportRefused."""
    if not span.ms:
        raise ReportRefused("the report has no time: give --to after --from")
    fleets = Fleets(facts)
    slices = {each.slice_id for each in fleets.assignments if belongs(each.fleet, fleet)}
    if not slices:
        raise ReportRefused(f"no workers are assigned to {fleet or 'any fleet'}: `steppe assign add` does that")
    found = downs(facts, fleets, slices, span, journeys)
    places = [(assignment_of(fleets, each.login, each.span.from_ms, slices), each) for each in found]
    names = sorted({assigned.site for assigned, _ in places if assigned is not None})
    sites = tuple(
        SiteLost(name, lost([each for assigned, each in places if assigned and assigned.site == name], facts))
        for name in names
    )
    causes = lost(found, facts)
    return Downtime(
        fleet,
        span.from_ms,
        span.to_ms,
        facts.known_ms,
        causes,
        sum(each.cost_sat for each in causes),
        sites,
        machines_down(found, facts, journeys),
    )
