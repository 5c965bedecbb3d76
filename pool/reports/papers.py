"""Each report as a document."""

from __future__ import annotations

from collections.abc import Iterable

from pool.fleet.times import utc
from pool.reports.document import Chart, Document, Line, Table
from pool.reports.downtime import Lost, MachineDown
from pool.reports.losses import Downtime
from pool.reports.power import Power, SitePower
from pool.reports.progress import BatchProgress, Commissioning
from pool.reports.relocation import Phase, Relocation
from pool.reports.uptime import Uptime
from pool.reports.weak import Weak
from pool.reports.windows import Window

_PETA = 10**15

MACHINES_MAX = 500
"""So many rows has a table of machines at most; all of them are in the JSON."""


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


def relocation_paper(report: Relocation) -> Document:
    """A relocation."""
    facts = [
        ("Account", report.account),
        ("Off", _planned(report.planned_off_ms, report.actual_off_ms)),
        ("On", _planned(report.planned_on_ms, report.actual_on_ms)),
        *((phase.name.capitalize(), _time(phase.from_ms, phase.to_ms)) for phase in report.phases),
        *([("Late by", _duration(report.late_ms // 1000))] if report.late_ms else []),
        ("Not earned while dark", _sat(report.lost_sat)),
        *_as_of(report.known_ms),
    ]
    if report.move is not None:
        counts = f"{report.machines_sent} sent, {report.machines_arrived} arrived, {report.machines_missing} missing"
        facts.insert(1, ("Move", f"{report.move.origin.site} to {report.move.target.site}: {counts}"))
    tables = [
        _sites(report.phases),
        _earned(report.phases),
        _batches(report.batches, "Batches, on the last day"),
        _stages(report.batches),
        _lost(report.lost),
    ]
    if report.move is not None:
        rows = [
            (rack.rack or "(no name)", str(len(rack.stragglers)), " ".join(rack.stragglers), " ".join(rack.gone))
            for rack in report.move.racks
            if rack.stragglers or rack.gone
        ]
        tables.append(Table("Missing, by rack", ("rack", "stragglers", "which", "in transit"), tuple(rows)))
    tables.append(_machines(report.machines))
    marks = tuple((phase.from_ms, phase.name) for phase in report.phases[1:])
    sites = sorted({step.site for step in report.steps})
    lines = tuple(
        Line(site or "no site", tuple((step.from_ms, step.ghs) for step in report.steps if step.site == site))
        for site in sites
    )
    chart = Chart("Hashrate by site", "GH/s", lines, marks)
    return Document(f"Relocation {report.name}", tuple(facts), tuple(tables), (chart,))


def commissioning_paper(report: Commissioning) -> Document:
    """How far batches are."""
    facts = (("Measured", _time(report.from_ms, report.to_ms)), *_as_of(report.known_ms))
    title = f"Commissioning of {report.fleet or 'all fleets'}"
    return Document(title, facts, (_batches(report.batches), _stages(report.batches)))


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
    facts = (("Time", _time(report.from_ms, report.to_ms)), *_as_of(report.known_ms))
    return Document("Power", facts, tuple(tables), tuple(charts))


def downtime_paper(report: Downtime) -> Document:
    """What darkness cost."""
    facts = (
        ("Time", _time(report.from_ms, report.to_ms)),
        ("Not earned", _sat(report.lost_sat)),
        *_as_of(report.known_ms),
    )
    by_site = [_lost(site.causes, f"At {site.site}") for site in report.sites]
    tables = (_lost(report.causes), *by_site, _machines(report.machines))
    return Document(f"Downtime of {report.fleet or 'all fleets'}", facts, tables)


def uptime_paper(report: Uptime) -> Document:
    """The statement of a contract."""
    facts = (
        ("Contract", f"{report.contract} ({report.kind}) at {report.site}"),
        ("Time", _time(report.from_ms, report.to_ms)),
        ("Uptime of machines", _percent(report.uptime_bps)),
        ("Hashrate delivered", f"{_percent(report.delivered_bps)}{_error(report.error_bps)}"),
        *_as_of(report.known_ms),
    )
    rows = (
        ("the clock ran", _duration(report.clock_seconds)),
        ("the clock stood, by announced windows", _duration(report.stopped_seconds)),
        ("machine time that was due", _duration(report.machine_seconds)),
        ("of it dark, announced by nobody", _duration(report.dark_seconds)),
        ("machine time on a move, not due", _duration(report.moving_seconds)),
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
            _percent(each.measured_vs_nominal_bps),
            f"±{_percent(each.error_bps)}",
            _duration(each.window_seconds),
            f"10^{each.log10_probability}",
        )
        for each in report.machines
    )
    columns = ("machine", "site", "rack", "batch", "GH/s", "nominal", "of it", "error", "over", "by luck")
    note = "Below 90 % of nominal, and so low by luck alone in one of a thousand such lists at most."
    return Document(f"Weak machines of {report.fleet or 'all fleets'}", facts, (Table("Weak", columns, rows, note),))


def _sites(phases: Iterable[Phase]) -> Table:
    rows = [
        (
            phase.name,
            site.site or "(no assignment)",
            f"{site.measured_ghs:,}",
            f"±{_percent(site.error_bps)}" if site.error_bps is not None else "",
            f"{site.nominal_ghs:,}",
            f"{site.expected_ghs:,}",
            f"{int(site.work) // _PETA:,}",
        )
        for phase in phases
        for site in phase.sites
    ]
    columns = ("phase", "site", "GH/s", "error", "nominal", "expected", "work, 10^15 hashes")
    return Table(
        "Hashrate and work by site", columns, tuple(rows), "Error: one standard deviation of what shares tell."
    )


def _earned(phases: Iterable[Phase]) -> Table:
    rows = [
        (phase.name, each.party, each.kind, f"{each.amount_sat:,}", f"{each.pending_sat:,}", f"{each.tail_sat:,}")
        for phase in phases
        for each in phase.earned
    ]
    note = "Satoshis in the ledger. Tail: of them for shares of sites that the fleet had left; the window pays on."
    return Table("Who earned what", ("phase", "party", "for", "sat", "may be undone", "tail"), tuple(rows), note)


def _batches(batches: Iterable[BatchProgress], title: str = "Batches") -> Table:
    rows = [
        (
            each.batch,
            str(each.machines),
            str(each.machines_online),
            f"{each.measured_ghs:,}",
            "" if each.low_ghs is None else f"{each.low_ghs:,} to {each.high_ghs:,}",
            f"{each.nominal_ghs:,}",
            _percent(each.measured_vs_nominal_bps),
            f"{each.expected_ghs:,}",
            _percent(each.measured_vs_expected_bps),
            _percent(each.online_bps),
            "" if each.planned_ms is None else utc(each.planned_ms),
            "" if each.forecast_ms is None else utc(each.forecast_ms),
        )
        for each in batches
    ]
    columns = ("batch", "machines", "hashing", "GH/s", "range", "nominal", "of it", "expected", "of it", "online")
    note = "Hashing: as people counted. Expected: these at their nominal rate. The range holds 95 times of 100."
    return Table(title, (*columns, "planned", "at this pace"), tuple(rows), note)


def _stages(batches: Iterable[BatchProgress]) -> Table:
    rows = [(each.batch, *(str(count) for count in each.counts.values())) for each in batches]
    names = next((tuple(each.counts) for each in batches), ())
    return Table("Machines by state", ("batch", *names), tuple(rows))


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
    columns = ("from", "machines", "drawn W", "by shares W", "capacity W", "reserved W", "stranded W", "")
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
        Table(f"{name}: arrivals", ("planned", "batches", "all draw then, W", "capacity W", ""), tuple(arrivals)),
    ]


def _windows(windows: Iterable[Window], title: str) -> Table:
    rows = [
        (each.site, each.cause.value, utc(each.from_ms), "" if each.to_ms is None else utc(each.to_ms), each.source)
        for each in windows
    ]
    return Table(title, ("site", "cause", "from", "until", "source"), tuple(rows))


def _lost(causes: Iterable[Lost], title: str = "In the dark, by cause") -> Table:
    rows = [(each.cause, str(each.machines), _duration(each.machine_seconds), f"{each.cost_sat:,}") for each in causes]
    note = "Machine time; satoshis that machines at their nominal rate were to earn then, before fees."
    return Table(title, ("cause", "machines", "time", "sat"), tuple(rows), note)


def _machines(machines: tuple[MachineDown, ...]) -> Table:
    rows = [
        (
            each.login,
            each.rack,
            each.status,
            _duration(each.dark_seconds),
            f"{each.cost_sat:,}",
            ", ".join(f"{cause} {_duration(seconds)}" for cause, seconds, _ in each.causes),
        )
        for each in machines[:MACHINES_MAX]
    ]
    more = len(machines) - len(rows)
    note = f"The longest first; {more} more are in the JSON." if more else "The longest first."
    columns = ("machine", "rack", "status", "dark for", "sat", "why")
    return Table("Machines that were dark", columns, tuple(rows), note)


def _planned(planned_ms: int | None, actual_ms: int | None) -> str:
    planned = "not planned" if planned_ms is None else f"planned {utc(planned_ms)}"
    return f"{planned}, actual {'not yet' if actual_ms is None else utc(actual_ms)}"


def _as_of(known_ms: int | None) -> tuple[tuple[str, str], ...]:
    return () if known_ms is None else (("As was known at", utc(known_ms)),)


def _time(from_ms: int, to_ms: int) -> str:
    return f"{utc(from_ms)} to {utc(to_ms)}"


def _error(bps: int | None) -> str:
    return "" if bps is None else f" ±{_percent(bps)}"


def _percent(bps: int) -> str:
    return f"{bps // 100}.{bps % 100:02}%"


def _sat(amount_sat: int) -> str:
    return f"{amount_sat:,} sat"


def _duration(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    hours, minutes = rest // 3600, rest % 3600 // 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest % 60} s" if minutes else f"{rest} s"
