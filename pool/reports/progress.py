"""How far batches of machines have come: counts, measured hashrate with its error, against nominal and expected."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from payout.commissioning import Batch as Measured
from payout.commissioning import progress
from pool.fleet.kinds import STAGES, Batch
from pool.fleet.times import utc
from pool.reports.facts import Facts, Fleets, ReportRefused, Span, Work, error_bps, work_in
from pool.reports.presence import Presence, presence

_BPS = 10_000
SIGMAS = 2
"""The range that is shown: 95 of 100 times the truth lies in it."""


class BatchProgress(Struct, frozen=True):
    """A batch in a time.

    counts: machines by stage at its end, as people counted them. machines_online: those that are said to hash then.
    nominal_ghs_per_machine: an exact fraction, as p/q. measured_*: from its shares; error_bps: one standard deviation
    of that, relative; low_ghs, high_ghs: twice that to both sides. Ratios in basis points, rounded down. work: expected
    hashes, as text. planned_ms: when all was to hash; forecast_ms: when it will at the pace so far, None if that cannot
    be told or all does.
    """

    batch: str
    model: str
    machines: int
    counts: dict[str, int]
    machines_online: int
    nominal_ghs: int
    nominal_ghs_per_machine: str
    work: str
    measured_ghs: int
    error_bps: int | None
    low_ghs: int | None
    high_ghs: int | None
    expected_ghs: int
    measured_vs_nominal_bps: int
    measured_vs_expected_bps: int
    online_bps: int
    presence: Presence
    planned_ms: int | None
    forecast_ms: int | None


class Commissioning(Struct, frozen=True):
    """All batches of a fleet, or of the pool. seconds: how long was measured."""

    fleet: str
    from_ms: int
    to_ms: int
    known_ms: int | None
    seconds: int
    batches: tuple[BatchProgress, ...]


def commissioning(facts: Facts, span: Span, fleet: str = "") -> Commissioning:
    """The batches, by name. fleet: `account/fleet`, or an account; empty for all. Raises ReportRefused."""
    if span.ms < 1000:
        raise ReportRefused(
            f"from {utc(span.from_ms)} to {utc(span.to_ms)} is less than a second: give a later end, such as now"
        )
    fleets = Fleets(facts)
    wanted = [each for name, each in sorted(fleets.batches.items()) if belongs(name, fleet)]
    if not wanted:
        raise ReportRefused(f"there is no batch of {fleet or 'any fleet'}: enter it with `steppe batch add`")
    done = tuple(batch_progress(facts, fleets, each, facts.works, span) for each in wanted)
    return Commissioning(fleet, span.from_ms, span.to_ms, facts.known_ms, span.ms // 1000, done)


def belongs(name: str, fleet: str) -> bool:
    """Whether a batch, or a fleet, is of a fleet or an account."""
    return not fleet or name == fleet or name.startswith(f"{fleet}/")


def batch_progress(facts: Facts, fleets: Fleets, batch: Batch, works: Sequence[Work], span: Span) -> BatchProgress:
    """One batch in a time of a second or more; the vector P22. works: those of the facts that count."""
    slices = {each.slice_id for each in fleets.assignments if each.batch == batch.name}
    own = [each for each in works if each.slice_id in slices]
    count = fleets.count_at(batch.name, span.to_ms - 1)
    online = count.hashing if count is not None else 0
    work = work_in(own, span)
    done = progress(Measured(batch.machines, online, batch.nominal_ghs, work, span.ms // 1000))
    error = error_bps(own, span)
    off_ghs = None if error is None else done.measured_ghs * SIGMAS * error // _BPS
    each_ghs = done.nominal_ghs_per_machine
    return BatchProgress(
        batch=batch.name,
        model=batch.model,
        machines=batch.machines,
        counts={stage: getattr(count, stage) if count is not None else 0 for stage in STAGES},
        machines_online=online,
        nominal_ghs=batch.nominal_ghs,
        nominal_ghs_per_machine=f"{each_ghs.numerator}/{each_ghs.denominator}",
        work=str(work),
        measured_ghs=done.measured_ghs,
        error_bps=error,
        low_ghs=None if off_ghs is None else max(0, done.measured_ghs - off_ghs),
        high_ghs=None if off_ghs is None else done.measured_ghs + off_ghs,
        expected_ghs=done.expected_ghs,
        measured_vs_nominal_bps=done.measured_vs_nominal_bps,
        measured_vs_expected_bps=done.measured_vs_expected_bps,
        online_bps=done.online_bps,
        presence=presence(facts, fleets, batch, span.to_ms, online, done.measured_ghs, off_ghs),
        planned_ms=batch.planned_ms,
        forecast_ms=_forecast(fleets, batch, span.to_ms),
    )


def _forecast(fleets: Fleets, batch: Batch, now_ms: int) -> int | None:
    """When all machines hash if as many come each day as since the first count with one that did."""
    counts = [each for each in fleets.counts(batch.name) if each.valid_from_ms < now_ms]
    if not counts:
        return None
    left = batch.machines - counts[-1].hashing - counts[-1].retired
    began = next((each for each in counts if each.hashing < counts[-1].hashing), None)
    if began is None or left <= 0:
        return None
    came, ms = counts[-1].hashing - began.hashing, counts[-1].valid_from_ms - began.valid_from_ms
    return counts[-1].valid_from_ms - (-left * ms // came)
