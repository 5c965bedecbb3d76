"""Tables that several reports have."""

from __future__ import annotations

from collections.abc import Iterable

from pool.fleet.times import utc
from pool.reports.document import Line, Table
from pool.reports.downtime import Lost, MachineDown
from pool.reports.figures import duration, hashrate, percent
from pool.reports.progress import BatchProgress
from pool.reports.windows import Window

MACHINES_MAX = 500
"""So many rows has a table of machines at most; all of them are in the JSON."""


def batches_table(batches: Iterable[BatchProgress], title: str = "Batches") -> Table:
    """Measured against nominal and expected."""
    rows = [
        (
            each.batch,
            f"{each.machines:,}",
            f"{each.machines_online:,}",
            hashrate(each.measured_ghs),
            _range(each.low_ghs, each.high_ghs),
            hashrate(each.nominal_ghs),
            percent(each.measured_vs_nominal_bps),
            hashrate(each.expected_ghs),
            percent(each.measured_vs_expected_bps),
            percent(each.online_bps),
            "" if each.planned_ms is None else utc(each.planned_ms),
            "" if each.forecast_ms is None else utc(each.forecast_ms),
        )
        for each in batches
    ]
    columns = (
        *("batch", "machines", "entered", "measured", "range", "nominal", "of nominal"),
        *("expected", "of expected", "online", "planned", "at this pace"),
    )
    note = (
        "Entered: machines that hash, as people counted. Nominal: all machines at the rate of their model. Expected: "
        "those entered at that rate. The range holds the true rate 95 times of 100."
    )
    return Table(title, columns, tuple(rows), note)


def presence_table(batches: Iterable[BatchProgress]) -> Table:
    """How many machines hash, as people entered it and as the pool saw it."""
    rows = [
        (
            each.batch,
            f"{each.machines:,}",
            f"{each.presence.entered:,}",
            "not kept then" if each.presence.seen is None else f"{each.presence.seen:,}",
            "" if each.presence.unseen_max is None else f"{each.presence.unseen_max:,}",
            f"{each.presence.by_hashrate:,}",
            "" if each.presence.low is None else f"{each.presence.low:,} to {each.presence.high:,}",
        )
        for each in batches
    ]
    columns = ("batch", "machines", "entered", "seen", "unseen at most", "by hashrate", "range")
    note = (
        "Entered: machines that hash, as people counted them. Seen: names that had a share accepted under the batch's "
        "assignments that day (UTC) or the day before, and are not dark; unseen at most: so many more may hash that "
        "had no share yet by chance. By hashrate: so many machines of nominal rate deliver what was measured. Both "
        "bounds hold 95 times of 100."
    )
    return Table("Machines that hash: entered, and seen", columns, tuple(rows), note)


def stages_table(batches: Iterable[BatchProgress]) -> Table:
    """How far the machines are."""
    rows = [(each.batch, *(f"{count:,}" for count in each.counts.values())) for each in batches]
    names = next((tuple(name.replace("_", " ") for name in each.counts) for each in batches), ())
    return Table("Machines by state, as people entered them", ("batch", *names), tuple(rows))


def lost_table(causes: Iterable[Lost], title: str = "In the dark, by cause") -> Table:
    """What each cause cost."""
    rows = [(each.cause, f"{each.machines:,}", duration(each.machine_seconds), f"{each.cost_sat:,}") for each in causes]
    note = (
        "Machine time: a day of two machines is 2 d. Satoshis: what the machines at their nominal rate were to earn "
        "then, before fees."
    )
    return Table(title, ("cause", "machines", "machine time", "sat"), tuple(rows), note)


def machines_table(machines: tuple[MachineDown, ...]) -> Table:
    """Machines that were dark."""
    rows = [
        (
            each.login,
            each.rack,
            each.status,
            duration(each.dark_seconds),
            f"{each.cost_sat:,}",
            _why(each),
        )
        for each in machines[:MACHINES_MAX]
    ]
    more = len(machines) - len(rows)
    note = f"The longest first; {more} more are in the JSON." if more else "The longest first."
    columns = ("machine", "rack", "state of its move", "dark for", "sat", "why")
    return Table("Machines that were dark", columns, tuple(rows), note)


def windows_table(windows: Iterable[Window], title: str) -> Table:
    """When power was or will be away, as it was announced."""
    rows = [
        (each.site, each.cause.value, utc(each.from_ms), "" if each.to_ms is None else utc(each.to_ms), each.source)
        for each in windows
    ]
    return Table(title, ("site", "cause", "from", "until", "source"), tuple(rows))


def held(name: str, points: Iterable[tuple[int, int]], to_ms: int) -> Line:
    """A line whose last value, too, holds until the next would begin."""
    found = tuple(points)
    return Line(name, (*found, *((to_ms, value) for _, value in found[-1:])))


def _range(low_ghs: int | None, high_ghs: int | None) -> str:
    if low_ghs is None or high_ghs is None:
        return ""
    low, high = hashrate(low_ghs), hashrate(high_ghs)
    return f"{low.removesuffix(high[-5:])} to {high}"


def _why(machine: MachineDown) -> str:
    """Its causes, each with its time if there are several."""
    if len(machine.causes) == 1:
        return machine.causes[0][0]
    return ", ".join(f"{cause} {duration(seconds)}" for cause, seconds, _ in machine.causes)
