"""Tables that several reports have."""

from __future__ import annotations

from collections.abc import Iterable

from pool.fleet.times import utc
from pool.reports.document import Table
from pool.reports.downtime import Lost, MachineDown
from pool.reports.figures import duration, percent
from pool.reports.progress import BatchProgress

MACHINES_MAX = 500
"""So many rows has a table of machines at most; all of them are in the JSON."""


def batches_table(batches: Iterable[BatchProgress], title: str = "Batches") -> Table:
    """Measured against nominal and expected."""
    rows = [
        (
            each.batch,
            str(each.machines),
            str(each.machines_online),
            f"{each.measured_ghs:,}",
            "" if each.low_ghs is None else f"{each.low_ghs:,} to {each.high_ghs:,}",
            f"{each.nominal_ghs:,}",
            percent(each.measured_vs_nominal_bps),
            f"{each.expected_ghs:,}",
            percent(each.measured_vs_expected_bps),
            percent(each.online_bps),
            "" if each.planned_ms is None else utc(each.planned_ms),
            "" if each.forecast_ms is None else utc(each.forecast_ms),
        )
        for each in batches
    ]
    columns = ("batch", "machines", "entered", "GH/s", "range", "nominal", "of it", "expected", "of it", "online")
    note = (
        "Entered: machines that hash, as people counted. Expected: these at their nominal rate. The range holds 95 "
        "times of 100."
    )
    return Table(title, (*columns, "planned", "at this pace"), tuple(rows), note)


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
    rows = [(each.batch, *(str(count) for count in each.counts.values())) for each in batches]
    names = next((tuple(name.replace("_", " ") for name in each.counts) for each in batches), ())
    return Table("Machines by state, as people entered them", ("batch", *names), tuple(rows))


def lost_table(causes: Iterable[Lost], title: str = "In the dark, by cause") -> Table:
    """What each cause cost."""
    rows = [(each.cause, str(each.machines), duration(each.machine_seconds), f"{each.cost_sat:,}") for each in causes]
    note = "Machine time; satoshis that machines at their nominal rate were to earn then, before fees."
    return Table(title, ("cause", "machines", "time", "sat"), tuple(rows), note)


def machines_table(machines: tuple[MachineDown, ...]) -> Table:
    """Machines that were dark."""
    rows = [
        (
            each.login,
            each.rack,
            each.status,
            duration(each.dark_seconds),
            f"{each.cost_sat:,}",
            ", ".join(f"{cause} {duration(seconds)}" for cause, seconds, _ in each.causes),
        )
        for each in machines[:MACHINES_MAX]
    ]
    more = len(machines) - len(rows)
    note = f"The longest first; {more} more are in the JSON." if more else "The longest first."
    columns = ("machine", "rack", "status", "dark for", "sat", "why")
    return Table("Machines that were dark", columns, tuple(rows), note)
