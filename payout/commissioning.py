"""How far a batch of machines has come: measured against nominal hashrate."""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct

from payout.rewards import BPS

_HASHES_PER_GIGAHASH = 10**9


class Batch(Struct, frozen=True):
    """A batch of machines over an interval. nominal_ghs: of all machines; work: expected hashes of its shares."""

    machines: int
    machines_online: int
    nominal_ghs: int
    work: int
    seconds: int


class Progress(Struct, frozen=True):
    """What a batch delivers. Ratios in basis points, rounded down; 0 where there is nothing to compare with."""

    nominal_ghs_per_machine: Fraction
    measured_ghs: int
    expected_ghs: int
    measured_vs_nominal_bps: int
    measured_vs_expected_bps: int
    online_bps: int


def progress(batch: Batch) -> Progress:
    """Measured, expected (the machines online at their nominal rate) and their ratios.

    The nominal rate of one machine stays a fraction: 102.3 PH/s over 2 600 machines has no end in decimals. Source:
    docs/payouts.md 4.6.
    """
    if batch.machines < 1 or batch.seconds < 1:
        raise ValueError(f"no progress of {batch.machines} machines over {batch.seconds} seconds")
    if not 0 <= batch.machines_online <= batch.machines or batch.nominal_ghs < 0 or batch.work < 0:
        raise ValueError(f"{batch.machines_online} of {batch.machines} machines online, {batch.nominal_ghs} GH/s")
    each_ghs = Fraction(batch.nominal_ghs, batch.machines)
    expected_ghs = each_ghs * batch.machines_online
    measured_ghs = batch.work // batch.seconds // _HASHES_PER_GIGAHASH
    return Progress(
        nominal_ghs_per_machine=each_ghs,
        measured_ghs=measured_ghs,
        expected_ghs=int(expected_ghs),
        measured_vs_nominal_bps=_ratio_bps(measured_ghs, Fraction(batch.nominal_ghs)),
        measured_vs_expected_bps=_ratio_bps(measured_ghs, expected_ghs),
        online_bps=_ratio_bps(batch.machines_online, Fraction(batch.machines)),
    )


def _ratio_bps(value: int, whole: Fraction) -> int:
    return value * BPS * whole.denominator // whole.numerator if whole else 0
