"""Each report as a document."""

from __future__ import annotations

from collections.abc import Iterable

from pool.fleet.times import utc
from pool.reports.document import Chart, Document, Line, Table
from pool.reports.figures import as_of, duration, error_of, percent, satoshis, time_of
from pool.reports.losses import Downtime
from pool.reports.power import Power, SitePower
from pool.reports.progress import Commissioning
from pool.reports.relocation import Relocation
from pool.reports.relocation_paper import relocation_paper
from pool.reports.tables import batches_table, lost_table, machines_table, presence_table, stages_table
from pool.reports.uptime import Uptime
from pool.reports.weak import Weak
from pool.reports.windows import Window

Made = Relocation | Commissioning | Power | Downtime | Uptime | Weak


def paper_of(made: Made) -> Document:
    """Whichever it is."""
    match made:
        case Relocation():
            return relocation_paper(made)
        case Commissioning():
            return commissioning_paper(made)
        case Power():
            return power_paper(made)
        case Downtime():
            return downtime_paper(made)
        case Uptime():
            return uptime_paper(made)
        case _:
            return weak_paper(made)


def commissioning_paper(report: Commissioning) -> Document:
    """How far batches are."""
    facts = (("Measured", time_of(report.from_ms, report.to_ms)), *as_of(report.known_ms))
    title = f"Commissioning of {report.fleet or 'all fleets'}"
    tables = (batches_table(report.batches), presence_table(report.batches), stages_table(report.batches))
    return Document(title, facts, tables)


def power_paper(report: Power) -> Document:
    """Power by site."""
    tables: list[Table] = []
    charts = []
    for site in report.sites:
        tables += _power_tables(site)
        lines = (
            Line("drawn", tuple((step.from_ms, step.drawn_w) for step in site.steps)),
            Line("by shares", tuple((step.from_ms, step.measured_w) for step in site.steps)),
            Line("capacity", tuple((step.from_ms, step.capacity_w) for step in site.steps)),
            Line("reserved", tuple((step.from_ms, step.reserved_w) for step in site.steps)),
        )
        charts.append(Chart(f"Power at {site.site}", "W", lines))
    facts = (("Time", time_of(report.from_ms, report.to_ms)), *as_of(report.known_ms))
    return Document("Power", facts, tuple(tables), tuple(charts))


def downtime_paper(report: Downtime) -> Document:
    """What darkness cost."""
    facts = (
        ("Time", time_of(report.from_ms, report.to_ms)),
        ("Not earned", satoshis(report.lost_sat)),
        *as_of(report.known_ms),
    )
    by_site = [lost_table(site.causes, f"At {site.site}") for site in report.sites]
    tables = (lost_table(report.causes), *by_site, machines_table(report.machines))
    return Document(f"Downtime of {report.fleet or 'all fleets'}", facts, tables)


def uptime_paper(report: Uptime) -> Document:
    """The statement of a contract."""
    facts = (
        ("Contract", f"{report.contract} ({report.kind.replace('_', ' ')}) at {report.site}"),
        ("Time", time_of(report.from_ms, report.to_ms)),
        ("Uptime of machines", percent(report.uptime_bps)),
        ("Hashrate delivered", f"{percent(report.delivered_bps)}{error_of(report.error_bps)}"),
        *as_of(report.known_ms),
    )
    rows = (
        ("the clock ran", duration(report.clock_seconds)),
        ("the clock stood, by announced windows", duration(report.stopped_seconds)),
        ("machine time that was due", duration(report.machine_seconds)),
        ("of it dark, announced by nobody", duration(report.dark_seconds)),
        ("machine time on a move, not due", duration(report.moving_seconds)),
        ("expected hashrate", f"{report.expected_ghs:,} GH/s"),
        ("measured hashrate", f"{report.measured_ghs:,} GH/s"),
    )
    tables = (
        Table("Reckoning", ("what", "amount"), rows),
        _windows(report.windows, "Windows, in which the clock stands"),
    )
    return Document(f"Uptime under {report.contract}", facts, tables)


def weak_paper(report: Weak) -> Document:
    """Weak machines."""
    facts = (
        ("As of", utc(report.now_ms)),
        (
            "Judged",
            f"{report.judged} machines; {report.young} are up for too short a time, {report.unknown} of no batch",
        ),
        ("Low, but luck may be why", str(report.unclear)),
    )
    rows = tuple(
        (
            each.login,
            each.site,
            each.rack,
            each.batch,
            f"{each.measured_ghs:,}",
            f"{each.nominal_ghs:,}",
            percent(each.measured_vs_nominal_bps),
            f"±{percent(each.error_bps)}",
            duration(each.window_seconds),
            f"10^{each.log10_probability}",
        )
        for each in report.machines
    )
    columns = ("machine", "site", "rack", "batch", "GH/s", "nominal", "of it", "error", "over", "by luck")
    note = "Below 90 % of nominal, and so low by luck alone in one of a thousand such lists at most."
    return Document(f"Weak machines of {report.fleet or 'all fleets'}", facts, (Table("Weak", columns, rows, note),))


def _power_tables(site: SitePower) -> list[Table]:
    rows = [
        (
            utc(step.from_ms),
            str(step.machines),
            f"{step.drawn_w:,}",
            f"{step.measured_w:,}",
            f"{step.capacity_w:,}",
            f"{step.reserved_w:,}",
            f"{step.stranded_w:,}",
            "ABOVE CAPACITY" if step.is_over else "",
        )
        for step in site.steps
    ]
    columns = ("from", "machines", "drawn W", "by shares W", "capacity W", "reserved W", "stranded W", "warning")
    stranded = [
        (
            each.contract,
            f"{each.reserved_w:,}",
            f"{each.drawn_w:,}",
            f"{each.energy_wh // 1000:,}",
            "" if each.cost_sat is None else f"{each.cost_sat:,}",
        )
        for each in site.stranded
    ]
    arrivals = [
        (
            utc(each.at_ms),
            " ".join(each.batches),
            f"{each.drawn_w:,}",
            f"{each.capacity_w:,}",
            "ABOVE CAPACITY" if each.is_over else "",
        )
        for each in site.arrivals
    ]
    name = site.site
    return [
        Table(f"{name}: by hour", columns, tuple(rows)),
        Table(
            f"{name}: reserved and not drawn",
            ("contract", "reserved W", "drawn W", "stranded kWh", "sat"),
            tuple(stranded),
            "Paid for, used by nobody; in satoshi by the contract's tariff, where that and the rate are known.",
        ),
        _windows(site.windows, f"{name}: windows"),
        _windows(site.notices, f"{name}: announced, to come"),
        Table(
            f"{name}: arrivals", ("planned", "batches", "all draw then, W", "capacity W", "warning"), tuple(arrivals)
        ),
    ]


def _windows(windows: Iterable[Window], title: str) -> Table:
    rows = [
        (each.site, each.cause.value, utc(each.from_ms), "" if each.to_ms is None else utc(each.to_ms), each.source)
        for each in windows
    ]
    return Table(title, ("site", "cause", "from", "until", "source"), tuple(rows))
