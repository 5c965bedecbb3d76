"""How many machines of a batch hash: as people entered it, as their names were seen, and as hashrate has it."""

from __future__ import annotations

from math import ceil, exp, sqrt

from msgspec import Struct

from pool.fleet.kinds import Batch
from pool.reports.facts import Facts, Fleets, Span

DAY_MS = 86_400_000
_SIGMAS = 2


class Presence(Struct, frozen=True):
    """A batch at a moment.

    entered: machines that hash, as people counted. seen: names that had a share accepted under an assignment of the
    batch, that day (UTC) or the day before, and are not dark; None if the books do not know. unseen_max: so many more
    may hash that had no share yet by chance, 95 times of 100; None if that cannot be told. by_hashrate: so many
    machines of nominal rate deliver what was measured, to the nearest; low, high: the range that holds 95 times of 100,
    None without a share to judge by.
    """

    entered: int
    seen: int | None
    unseen_max: int | None
    by_hashrate: int
    low: int | None
    high: int | None


def presence(
    facts: Facts, fleets: Fleets, batch: Batch, to_ms: int, entered: int, measured_ghs: int, off_ghs: int | None
) -> Presence:
    """At to_ms. measured_ghs: what the batch delivered; off_ghs: so far off it may be, 95 times of 100."""
    seen, unseen_max = _seen(facts, fleets, batch, to_ms)
    nominal, machines = batch.nominal_ghs, batch.machines
    low = high = None
    if off_ghs is not None and nominal:
        low = max(0, measured_ghs - off_ghs) * machines // nominal
        high = -(-(measured_ghs + off_ghs) * machines // nominal)
    by_hashrate = (2 * measured_ghs * machines + nominal) // (2 * nominal) if nominal else 0
    return Presence(entered, seen, unseen_max, by_hashrate, low, high)


def _seen(facts: Facts, fleets: Fleets, batch: Batch, to_ms: int) -> tuple[int | None, int | None]:
    if facts.seen is None:
        return None, None
    slices = {each.slice_id for each in fleets.assignments if each.batch == batch.name and each.holds_at(to_ms - 1)}
    looked = looked_at(to_ms)
    logins = {each.login for each in facts.seen if each.slice_id in slices and looked.from_ms <= each.day_ms < to_ms}
    logins -= {
        each.login
        for each in facts.darks
        if each.since_ms < to_ms and (each.until_ms is None or each.until_ms >= to_ms)
    }
    shares = sum(
        each.accepted
        for each in facts.counted or ()
        if each.slice_id in slices and looked.from_ms <= each.from_ms < to_ms
    )
    return len(logins), _unseen_max(len(logins), shares)


def looked_at(to_ms: int) -> Span:
    """In which time names are looked for: the day (UTC) of the last moment, and the day before."""
    day_ms = (to_ms - 1) // DAY_MS * DAY_MS
    return Span(day_ms - DAY_MS, to_ms)


def _unseen_max(seen: int, shares: int) -> int | None:
    """Of machines with m shares on average, one in e^m has none."""
    if not seen or not shares:
        return None
    unseen = seen * exp(-shares / seen) / (1 - exp(-shares / seen))
    return ceil(unseen + _SIGMAS * sqrt(unseen) - 1e-6)
