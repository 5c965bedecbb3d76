"""Each report as a document."""

from __future__ import annotations

from msgspec.structs import replace

from pool.fleet.times import utc
from pool.reports.document import Document, Table, with_columns_that_say_something
from pool.reports.figures import as_of, duration, error_of, hashrate, percent, satoshis, time_of
from pool.reports.losses import Downtime
from pool.reports.power import Power
from pool.reports.power_paper import power_paper
from pool.reports.progress import Commissioning
from pool.reports.relocation import Relocation
from pool.reports.relocation_paper import relocation_paper
from pool.reports.tables import batches_table, lost_table, machines_table, presence_table, stages_table, windows_table
from pool.reports.uptime import Uptime
from pool.reports.weak import Weak

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Made = Relocation | Commissioning | Power | Downtime | Uptime | Weak


def paper_of(made: Made) -> Document:
    """Whichever it is."""
    paper = _paper_of(made)
    return replace(paper, tables=tuple(map(with_columns_that_say_something, paper.tables)))


def _paper_of(made: Made) -> Document:
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


def downtime_paper(report: Downtime) -> Document:
    """What darkness cost."""
    facts = (
        ("Time", time_of(report.from_ms, report.to_ms)),
        ("Not earned", satoshis(report.lost_sat)),
        *as_of(report.known_ms),
    )
    by_site = [lost_table(site.causes, f"In the dark at {site.site}") for site in report.sites if report.sites[1:]]
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
        ("The clock ran", duration(report.clock_seconds)),
        ("The clock stood, by announced windows", duration(report.stopped_seconds)),
        ("Machine time that was due", duration(report.machine_seconds)),
        ("Of it dark, announced by nobody", duration(report.dark_seconds)),
        ("Machine time on a move, not due", duration(report.moving_seconds)),
        ("Expected hashrate", hashrate(report.expected_ghs)),
        ("Measured hashrate", hashrate(report.measured_ghs)),
    )
    note = (
        "Uptime is the machine time that was due, less what of it was dark, in parts of what was due. The clock stands "
        "while an announced window lasts: nothing is due then. A day of two machines is 2 d of machine time."
    )
    tables = (
        Table("How it is reckoned", ("what", "amount"), rows, note),
        windows_table(report.windows, "Windows, in which the clock stands"),
    )
    return Document(f"Uptime under {report.contract}", facts, tables)


def weak_paper(report: Weak) -> Document:
    """Weak machines."""
    facts = (
        ("As of", utc(report.now_ms)),
        (
            "Judged",
            f"{report.judged:,} machines; not judged: {report.young:,} that are up for too short a time, "
            f"{report.unknown:,} of no batch",
        ),
        ("Low, but luck may be why", f"{report.unclear:,} machines"),
    )
    rows = tuple(
        (
            each.login,
            percent(each.measured_vs_nominal_bps),
            f"±{percent(each.error_bps)}",
            hashrate(each.measured_ghs),
            hashrate(each.nominal_ghs),
            each.site,
            each.rack,
            each.batch,
            duration(each.window_seconds),
            f"10{str(each.log10_probability).translate(_RAISED)}",
        )
        for each in report.machines
    )
    columns = (
        *("machine", "of nominal", "error", "measured", "nominal", "site", "rack", "batch"),
        *("measured over", "by luck"),
    )
    note = (
        "Below 90% of nominal, the weakest first; in one of a thousand such lists a machine is in it by luck. By luck: "
        "how likely a machine at 90% of nominal is measured so low. Error: one standard deviation."
    )
    return Document(
        f"Weak machines of {report.fleet or 'all fleets'}", facts, (Table("Weak machines", columns, rows, note),)
    )
