"""Machines that do less than nine tenths of what their model should, beyond what luck explains."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from msgspec import Struct

from pool.fleet.racks import RACK_RULE, rack_of
from pool.reports.downtime import assignment_of
from pool.reports.facts import Facts, Fleets, ReportRefused, each_ghs
from pool.reports.progress import belongs

WEAK_BPS = 9_000
"""Of nominal: below that a machine is worth a person's look. docs/payouts.md 4.6."""

ALPHA = 1 / 1000
"""How likely one false alarm is over all machines that are judged at once."""

FILLED = 5
"""After so many windows without a gap an estimate has forgotten the gap but for 1 %."""

_BPS = 10_000
_GIGA = 10**9


class Measured(Struct, frozen=True):
    """A machine's hashrate over a window, from its shares. shares: how many equal ones would know it as well. since_ms:
    from when on it has been up without a gap; None if it was never seen to be dark."""

    login: str
    window_seconds: int
    hps: float
    shares: float
    since_ms: int | None


class WeakMachine(Struct, frozen=True):
    """A machine. shares: behind the measurement. probability: at most so likely would a machine at nine tenths of its
    nominal rate have so few; log10 of it, rounded up."""

    login: str
    site: str
    rack: str
    batch: str
    nominal_ghs: int
    measured_ghs: int
    measured_vs_nominal_bps: int
    error_bps: int
    window_seconds: int
    shares: int
    log10_probability: int


class Weak(Struct, frozen=True):
    """The report. judged: machines whose nominal rate is known and that are up long enough; unclear: those of them that
    read low, and luck may be why; young: up for too short a time; unknown: of no batch."""

    fleet: str
    now_ms: int
    judged: int
    unclear: int
    young: int
    unknown: int
    machines: tuple[WeakMachine, ...]


def weak(facts: Facts, measured: Sequence[Measured], fleet: str = "", rack_rule: str = RACK_RULE) -> Weak:
    """Of machines that are assigned now, weakest first. measured: of each machine one or several windows. Raises
    ReportRefused."""
    fleets = Fleets(facts)
    slices = {
        each.slice_id for each in fleets.assignments if belongs(each.fleet, fleet) and each.holds_at(facts.now_ms)
    }
    if fleet and not any(belongs(each.fleet, fleet) for each in fleets.assignments):
        raise ReportRefused(f"no fleet or account {fleet} has workers assigned: `steppe assign list` shows who has")
    young = unknown = 0
    rows = []
    for login, own in _by_login(measured).items():
        assigned = assignment_of(fleets, login, facts.now_ms, slices)
        if assigned is None:
            continue
        batch = fleets.batches.get(assigned.batch)
        best = _filled(own, facts.now_ms)
        if batch is None:
            unknown += 1
        elif best is None:
            young += 1
        else:
            rows.append((assigned, batch, best))
    low = [
        (assigned, batch, each) for assigned, batch, each in rows if _ratio_bps(each, float(each_ghs(batch))) < WEAK_BPS
    ]
    bound = math.log(ALPHA / max(1, len(rows)))
    found = []
    for assigned, batch, each in low:
        nominal = float(each_ghs(batch))
        chance = log_chance(each.shares, each.shares * nominal * _GIGA * WEAK_BPS / _BPS / each.hps)
        if chance < bound:
            found.append(
                WeakMachine(
                    login=each.login,
                    site=assigned.site,
                    rack=rack_of(each.login, rack_rule),
                    batch=batch.name,
                    nominal_ghs=int(nominal),
                    measured_ghs=int(each.hps / _GIGA),
                    measured_vs_nominal_bps=_ratio_bps(each, nominal),
                    error_bps=math.ceil(_BPS / math.sqrt(each.shares)),
                    window_seconds=each.window_seconds,
                    shares=int(each.shares),
                    log10_probability=math.ceil(chance / math.log(10)),
                )
            )
    found.sort(key=lambda each: (each.measured_vs_nominal_bps, each.login))
    return Weak(fleet, facts.now_ms, len(rows), len(low) - len(found), young, unknown, tuple(found))


def log_chance(found: float, expected: float) -> float:
    """A bound on the natural logarithm of how likely at most so many shares are where so many were expected: Chernoff's
    for Poisson, never below the true value, so that it accuses nobody too soon."""
    if found >= expected:
        return 0.0
    return found - expected + (found * math.log(expected / found) if found > 0 else 0.0)


def _by_login(measured: Iterable[Measured]) -> dict[str, list[Measured]]:
    found: dict[str, list[Measured]] = {}
    for each in measured:
        found.setdefault(each.login, []).append(each)
    return found


def _filled(own: Iterable[Measured], now_ms: int) -> Measured | None:
    """The longest window that has forgotten the last gap; None if none has, or nothing was measured."""
    ready = [
        each
        for each in own
        if each.hps > 0
        and each.shares > 0
        and (each.since_ms is None or now_ms - each.since_ms >= FILLED * each.window_seconds * 1000)
    ]
    return max(ready, key=lambda each: each.window_seconds, default=None)


def _ratio_bps(each: Measured, nominal_ghs: float) -> int:
    return int(each.hps * _BPS / (nominal_ghs * _GIGA))
