"""Power by hour: what the machines of a site draw, against its capacity and against what contracts reserve there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from msgspec import Struct

from pool.fleet.kinds import Capacity, Contract, Rate, Site, Tariff
from pool.reports.facts import Facts, Fleets, ReportRefused, Span, Work, work_in
from pool.reports.windows import Window, windows

_HOUR_MS = 3_600_000
_GIGA = 10**9


class PowerStep(Struct, frozen=True):
    """A site in a step, as means over it. machines: those that were said to hash. drawn_w: they at their models' watts.
    measured_w: as much of that as their shares account for. stranded_w: of the reserved what was not drawn."""

    from_ms: int
    to_ms: int
    machines: int
    drawn_w: int
    measured_w: int
    capacity_w: int
    reserved_w: int
    stranded_w: int

    @property
    def is_over(self) -> bool:
        """Whether more is drawn than there is."""
        return self.drawn_w > self.capacity_w


class Stranded(Struct, frozen=True):
    """What a contract reserves and nobody drew. energy_wh: in all. cost_sat: by its tariff, at the rate of the end of
    the time; None if one of these is not known."""

    contract: str
    reserved_w: int
    drawn_w: int
    energy_wh: int
    cost_sat: int | None


class Arrivals(Struct, frozen=True):
    """When batches are planned to hash at a site, and what all of it draws then."""

    at_ms: int
    batches: tuple[str, ...]
    drawn_w: int
    capacity_w: int

    @property
    def is_over(self) -> bool:
        return self.drawn_w > self.capacity_w


class SitePower(Struct, frozen=True):
    """A site. notices: windows that begin later."""

    site: str
    steps: tuple[PowerStep, ...]
    stranded: tuple[Stranded, ...]
    windows: tuple[Window, ...]
    notices: tuple[Window, ...]
    arrivals: tuple[Arrivals, ...]


class Power(Struct, frozen=True):
    """All sites, or one."""

    from_ms: int
    to_ms: int
    known_ms: int | None
    sites: tuple[SitePower, ...]


def power(facts: Facts, marks_ms: Sequence[int], site: str = "") -> Power:
    """The sites, by name; marks_ms: where steps begin and end. Raises ReportRefused."""
    fleets = Fleets(facts)
    names = sorted({each.name for each in facts.of(Site)})
    if site and site not in names:
        raise ReportRefused(f"there is no site {site}; there are: {', '.join(names) or 'none'}")
    shown = [site] if site else names
    found = tuple(_site(name, facts, fleets, marks_ms) for name in shown)
    return Power(marks_ms[0], marks_ms[-1], facts.known_ms, found)


def _site(name: str, facts: Facts, fleets: Fleets, marks_ms: Sequence[int]) -> SitePower:
    whole = Span(marks_ms[0], marks_ms[-1])
    capacities = [each for each in facts.of(Capacity) if each.site == name]
    contracts = [each for each in facts.of(Contract) if each.site == name]
    own = [each for each in facts.works if fleets.site_of(each.slice_id) == name]
    steps = []
    for from_ms, to_ms in pairwise(marks_ms):
        span = Span(from_ms, to_ms)
        machine_ms = sum(fleets.hashing_ms(each.name, span, name) for each in fleets.batches_at(name, span))
        drawn_w = _drawn_w(name, fleets, span)
        reserved_w = sum(_mean_w(each.reserved_w, span, each) for each in contracts)
        capacity_w = sum(_mean_w(each.capacity_w, span, each) for each in capacities)
        steps.append(
            PowerStep(
                from_ms,
                to_ms,
                machine_ms // span.ms,
                drawn_w,
                _measured_w(own, fleets, span),
                capacity_w,
                reserved_w,
                max(0, reserved_w - drawn_w),
            )
        )
    told = windows(fleets.events, name)
    return SitePower(
        site=name,
        steps=tuple(steps),
        stranded=tuple(_stranded(each, facts, fleets, whole) for each in contracts if each.reserved_w),
        windows=tuple(each for each in told if whole.within(each.from_ms, each.to_ms).ms),
        notices=tuple(each for each in told if each.from_ms >= facts.now_ms),
        arrivals=tuple(_arrivals(name, facts, fleets, capacities)),
    )


def _drawn_w(site: str, fleets: Fleets, span: Span, slices: Iterable[str] | None = None) -> int:
    """The mean of what its machines draw. slices: only these batches."""
    total = 0
    for batch in fleets.batches_at(site, span):
        if slices is None or batch.name in slices:
            total += fleets.hashing_ms(batch.name, span, site) * _watts(fleets, batch.model)
    return total // span.ms


def _measured_w(own: Iterable[Work], fleets: Fleets, span: Span) -> int:
    """What machines of their models' efficiency draw for the work that was done."""
    total = Fraction(0)
    for each in own:
        assigned = fleets.slices.get(each.slice_id)
        batch = fleets.batches.get(assigned.batch) if assigned is not None else None
        if batch is not None:
            ghs = Fraction(work_in([each], span) * 1000, span.ms * _GIGA)
            total += ghs * _watts(fleets, batch.model) * batch.machines / batch.nominal_ghs
    return int(total)


def _watts(fleets: Fleets, model: str) -> int:
    found = fleets.models.get(model)
    return found.nominal_w if found is not None else 0


def _mean_w(watts: int, span: Span, fact: Capacity | Contract) -> int:
    return watts * span.within(fact.valid_from_ms, fact.valid_to_ms).ms // span.ms


def _stranded(contract: Contract, facts: Facts, fleets: Fleets, whole: Span) -> Stranded:
    """Hour by hour, since an hour that draws more does not make up for one that draws less."""
    batches = {each.batch for each in fleets.assignments if each.contract == contract.name}
    edges = sorted({whole.from_ms, *range(whole.from_ms, whole.to_ms, _HOUR_MS), whole.to_ms})
    watt_ms = drawn_ms = 0
    held = whole.within(contract.valid_from_ms, contract.valid_to_ms)
    for from_ms, to_ms in pairwise(edges):
        span = Span(from_ms, to_ms).within(held.from_ms, held.to_ms)
        if span.ms:
            drawn_w = _drawn_w(contract.site, fleets, span, batches)
            drawn_ms += drawn_w * span.ms
            watt_ms += max(0, contract.reserved_w - drawn_w) * span.ms
    energy_wh = watt_ms // _HOUR_MS
    mean_w = drawn_ms // held.ms if held.ms else 0
    return Stranded(contract.name, contract.reserved_w, mean_w, energy_wh, _cost_sat(contract, facts, whole, energy_wh))


def _cost_sat(contract: Contract, facts: Facts, whole: Span, energy_wh: int) -> int | None:
    last_ms = whole.to_ms - 1
    tariff = next((t for t in facts.of(Tariff) if t.contract == contract.name and t.holds_at(last_ms)), None)
    if tariff is None:
        return None
    rate = next((r for r in facts.of(Rate) if r.currency == tariff.currency and r.holds_at(last_ms)), None)
    return None if rate is None else int(energy_wh * tariff.per_kwh * rate.sat_per_minor / 1000)


def _arrivals(site: str, facts: Facts, fleets: Fleets, capacities: Sequence[Capacity]) -> Iterator[Arrivals]:
    """At each planned time that is to come, all batches that are assigned to the site then and were planned by then."""
    planned = {
        name: batch.planned_ms
        for name, batch in fleets.batches.items()
        if batch.planned_ms is not None and any(stay.site == site and stay.to_ms is None for stay in fleets.stays(name))
    }
    for at_ms in sorted({ms for ms in planned.values() if ms is not None and ms > facts.now_ms}):
        drawn_w = 0
        for name, batch in fleets.batches.items():
            if any(stay.site == site and stay.to_ms is None for stay in fleets.stays(name)):
                count = fleets.count_at(name, facts.now_ms)
                there = count.hashing if count is not None else 0
                is_there = batch.planned_ms is not None and batch.planned_ms <= at_ms
                drawn_w += (batch.machines if is_there else there) * _watts(fleets, batch.model)
        capacity_w = sum(each.capacity_w for each in capacities if each.holds_at(at_ms))
        names = tuple(sorted(name for name, ms in planned.items() if ms == at_ms))
        yield Arrivals(at_ms, names, drawn_w, capacity_w)
