"""The report of a relocation as a document."""

from __future__ import annotations

from collections.abc import Iterable

from pool.fleet.times import utc
from pool.reports.document import Chart, Document, Table
from pool.reports.figures import as_of, duration, hashrate, percent, satoshis, time_of
from pool.reports.rejects import STALE, Rate
from pool.reports.relocation import Phase, Relocation
from pool.reports.tables import batches_table, held, lost_table, machines_table, presence_table, stages_table

_PETA = 10**15
_NO_MOVE = "none was planned for these machines in this time, so none is the cause of darkness"


def relocation_paper(report: Relocation) -> Document:
    """A relocation."""
    facts = [
        ("Account", report.account),
        *_planned(report),
        *((phase.name.capitalize(), time_of(phase.from_ms, phase.to_ms)) for phase in report.phases),
        *([("Late by", duration(report.late_ms // 1000))] if report.late_ms else []),
        ("Not earned while dark", satoshis(report.lost_sat)),
        *as_of(report.known_ms),
    ]
    tables = [
        _sites(report.phases),
        *_rejects(report.phases),
        _earned(report.phases),
        batches_table(report.batches, "Batches, on the last day"),
        presence_table(report.batches),
        stages_table(report.batches),
        lost_table(report.lost),
    ]
    if report.move is not None:
        rows = [
            (rack.rack or "(no name)", f"{len(rack.stragglers):,}", " ".join(rack.stragglers), " ".join(rack.gone))
            for rack in report.move.racks
            if rack.stragglers or rack.gone
        ]
        tables.append(Table("Missing, by rack", ("rack", "stragglers", "which", "in transit"), tuple(rows)))
    tables.append(machines_table(report.machines))
    marks = tuple((phase.from_ms, phase.name) for phase in report.phases[1:])
    sites = sorted({step.site for step in report.steps})
    to_ms = report.phases[-1].to_ms
    lines = tuple(
        held(site or "no site", ((step.from_ms, step.ghs) for step in report.steps if step.site == site), to_ms)
        for site in sites
    )
    chart = Chart("Hashrate by site", "GH/s", lines, marks)
    return Document(f"Relocation {report.name}", tuple(facts), tuple(tables), (chart,))


def _sites(phases: Iterable[Phase]) -> Table:
    rows = [
        (
            phase.name,
            site.site or "(no assignment)",
            hashrate(site.measured_ghs),
            f"±{percent(site.error_bps)}" if site.error_bps is not None else "",
            hashrate(site.nominal_ghs),
            hashrate(site.expected_ghs),
            f"{int(site.work) // _PETA:,}",
        )
        for phase in phases
        for site in phase.sites
    ]
    columns = ("phase", "site", "measured", "error", "nominal", "expected", "work, 10¹⁵ hashes")
    return Table(
        "Hashrate and work by site", columns, tuple(rows), "Error: one standard deviation of what was measured."
    )


def _rejects(phases: Iterable[Phase]) -> list[Table]:
    rows = []
    for phase in phases:
        told = [(site.site, site.rejects) for site in phase.sites if site.rejects is not None]
        if phase.rejects is not None and sum(each.refused_rate is not None for _, each in told) > 1:
            told.append(("all", phase.rejects))
        rows += [
            (
                phase.name,
                site,
                f"{each.accepted:,}",
                f"{each.refused:,}",
                _rate(each.refused_rate),
                f"{each.reasons.get(STALE, 0):,}",
                _rate(each.stale_rate),
                ", ".join(f"{reason.replace('_', ' ')} {shares:,}" for reason, shares in each.reasons.items()),
            )
            for site, each in told
            if each.accepted or each.refused
        ]
    columns = ("phase", "site", "accepted", "refused", "of all", "stale", "of all", "why refused")
    note = (
        "Shares of machines that are assigned, by ten seconds. Stale: too late for a new block; they are among the "
        "refused. Error: one standard deviation of what the true rate may be after so many shares."
    )
    return [Table("Refused shares by site", columns, tuple(rows), note)] if rows else []


def _rate(rate: Rate | None) -> str:
    return "" if rate is None else f"{percent(rate.bps)} ±{percent(rate.error_bps)}"


def _earned(phases: Iterable[Phase]) -> Table:
    rows = [
        (phase.name, each.party, each.kind, f"{each.amount_sat:,}", f"{each.pending_sat:,}", f"{each.tail_sat:,}")
        for phase in phases
        for each in phase.earned
    ]
    note = "Satoshis in the ledger. Tail: of them for shares of a site that the fleet had left; the window pays on."
    return Table("Who earned what", ("phase", "party", "for", "sat", "may be undone", "tail"), tuple(rows), note)


def _planned(report: Relocation) -> list[tuple[str, str]]:
    if not report.moves:
        return [("Moves", _NO_MOVE)]
    counts = f"{report.machines_sent} sent, {report.machines_arrived} arrived, {report.machines_missing} missing"
    if report.move is not None:
        moves = "Move", f"{report.move.way.replace(' -> ', ' to ')}: {counts}"
    else:
        moves = "Moves", f"{', '.join(report.moves)}: {counts}"
    times = (
        ("Power off", report.planned_off_ms, report.actual_off_ms),
        ("Back on", report.planned_on_ms, report.actual_on_ms),
    )
    return [moves, *((name, f"planned {_at(planned)}, actual {_at(actual)}") for name, planned, actual in times)]


def _at(time_ms: int | None) -> str:
    return "not yet" if time_ms is None else utc(time_ms)
