"""The report of power as a document."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from pool.fleet.times import utc
from pool.reports.document import Chart, Document, Line, Table
from pool.reports.figures import as_of, kilowatts, percent, time_of
from pool.reports.power import Power, PowerStep, SitePower
from pool.reports.tables import held, windows_table

_OVER = "ABOVE CAPACITY"
_HOUR_MS = 3_600_000
_BPS = 10_000


def power_paper(report: Power) -> Document:
    """Power by site: how much of what there is, what is wasted and what is to come before hour by hour."""
    facts = (("Time", time_of(report.from_ms, report.to_ms)), *as_of(report.known_ms))
    tables = [_sites(report.sites)] if report.sites else []
    tables += [table for site in report.sites for table in _site_tables(site)]
    tables += [_hours(site) for site in report.sites]
    return Document("Power", facts, tuple(tables), tuple(map(_chart, report.sites)))


def _chart(site: SitePower) -> Chart:
    def line(name: str, value: Callable[[PowerStep], int]) -> Line:
        points = ((step.from_ms, value(step)) for step in site.steps)
        return held(name, points, site.steps[-1].to_ms if site.steps else 0)

    lines = (
        line("drawn", lambda step: step.drawn_w),
        line("by shares", lambda step: step.measured_w),
        line("capacity", lambda step: step.capacity_w),
        line("reserved", lambda step: step.reserved_w),
    )
    return Chart(f"Power at {site.site}", "W", lines)


def _sites(sites: Sequence[SitePower]) -> Table:
    note = (
        "Drawn: hashing machines at the watts of their model. By shares: as much of that as their hashrate accounts "
        "for. Both, capacity and reserved power are means over the time; highest: of an hour. Reserved: by contracts. "
        "Stranded: what contracts reserve and do not draw."
    )
    columns = (
        *("site", "machines", "drawn kW", "by shares kW", "highest kW", "capacity kW", "of capacity"),
        *("reserved kW", "stranded kWh", "hours above capacity"),
    )
    each = [_means(site) for site in sites]
    if len(sites) > 1:
        each.append(_all(sites, each))
    return Table("Sites", columns, tuple(map(_row, each)), note)


class _Means(Struct, frozen=True):
    """A site over the time, or all of them. highest_w: of what is drawn. capacity_w: None if a site has none that is
    known, as it would draw on that of others. over_ms: how long more was drawn than there is."""

    name: str
    machines: int
    drawn_w: int
    measured_w: int
    highest_w: int
    capacity_w: int | None
    reserved_w: int
    energy_wh: int
    over_ms: int


def _means(site: SitePower) -> _Means:
    steps = site.steps
    whole_ms = sum(step.to_ms - step.from_ms for step in steps)

    def mean(value: Callable[[PowerStep], int]) -> int:
        return sum(value(step) * (step.to_ms - step.from_ms) for step in steps) // max(1, whole_ms)

    return _Means(
        site.site,
        mean(lambda step: step.machines),
        mean(lambda step: step.drawn_w),
        mean(lambda step: step.measured_w),
        max((step.drawn_w for step in steps), default=0),
        mean(lambda step: step.capacity_w),
        mean(lambda step: step.reserved_w),
        sum(each.energy_wh for each in site.stranded),
        sum(step.to_ms - step.from_ms for step in steps if step.is_over),
    )


def _all(sites: Sequence[SitePower], means: Sequence[_Means]) -> _Means:
    """The sum. Sites are not at their highest in the same hour; and none has too much because another has."""
    capacities = [each.capacity_w for each in means if each.capacity_w]
    drawn = [sum(step.drawn_w for step in steps) for steps in zip(*(site.steps for site in sites), strict=True)]
    return _Means(
        "all",
        sum(each.machines for each in means),
        sum(each.drawn_w for each in means),
        sum(each.measured_w for each in means),
        max(drawn, default=0),
        sum(capacities) if len(capacities) == len(means) else None,
        sum(each.reserved_w for each in means),
        sum(each.energy_wh for each in means),
        0,
    )


def _row(means: _Means) -> tuple[str, ...]:
    return (
        means.name,
        f"{means.machines:,}",
        kilowatts(means.drawn_w),
        kilowatts(means.measured_w),
        kilowatts(means.highest_w),
        "" if means.capacity_w is None else kilowatts(means.capacity_w),
        percent(means.drawn_w * _BPS // means.capacity_w) if means.capacity_w else "",
        kilowatts(means.reserved_w),
        f"{means.energy_wh // 1000:,}",
        f"{means.over_ms / _HOUR_MS:,.0f}" if means.over_ms else "",
    )


def _hours(site: SitePower) -> Table:
    rows = [
        (
            utc(step.from_ms),
            f"{step.machines:,}",
            kilowatts(step.drawn_w),
            kilowatts(step.measured_w),
            kilowatts(step.capacity_w),
            kilowatts(step.reserved_w),
            kilowatts(step.stranded_w),
            _OVER if step.is_over else "",
        )
        for step in site.steps
    ]
    columns = ("from", "machines", "drawn kW", "by shares kW", "capacity kW", "reserved kW", "stranded kW", "warning")
    return Table(f"{site.site}: by hour", columns, tuple(rows))


def _site_tables(site: SitePower) -> list[Table]:
    stranded = [
        (
            each.contract,
            kilowatts(each.reserved_w),
            kilowatts(each.drawn_w),
            f"{each.energy_wh // 1000:,}",
            "" if each.cost_sat is None else f"{each.cost_sat:,}",
        )
        for each in site.stranded
    ]
    arrivals = [
        (
            utc(each.at_ms),
            " ".join(each.batches),
            kilowatts(each.drawn_w),
            kilowatts(each.capacity_w),
            _OVER if each.is_over else "",
        )
        for each in site.arrivals
    ]
    name = site.site
    return [
        Table(
            f"{name}: reserved and not drawn",
            ("contract", "reserved kW", "drawn kW", "stranded kWh", "sat"),
            tuple(stranded),
            "Paid for, used by nobody; in satoshi by the contract's tariff, where that and the rate are known.",
        ),
        windows_table(site.windows, f"{name}: power away, as announced"),
        windows_table(site.notices, f"{name}: announced, to come"),
        Table(
            f"{name}: arrivals", ("planned", "batches", "all draw then, kW", "capacity kW", "warning"), tuple(arrivals)
        ),
    ]
