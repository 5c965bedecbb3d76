"""Hashrate from shares: sums of work that decay, over several windows at once.

Each window is a time constant tau. Work that arrived t seconds ago counts exp(-t / tau) of itself, so a steady rate R
makes a sum of R * tau * (1 - exp(-age / tau)); dividing by that bracket makes a young estimate right as well. The sums
are linear: those of several frontends add up to those of one, also for a worker that moved from one to another.
"""

from __future__ import annotations

import math
from functools import lru_cache
from operator import add, mul

from msgspec import Struct

# 1 m, 5 m, 1 h and 24 h: what dashboards of pools and firmware show.
WINDOWS_SECONDS = (60, 300, 3600, 86400)

# After a silence of this many windows an estimate reads 0 and not 0.00005 of what was. Before that it falls by 63 % in
# each window: 1 % is left after 4.6.
SILENT_WINDOWS = 10

# The first share of a worker says that its work was done before now, not since when; taken as younger than this, one
# share would read as any rate.
AGE_SECONDS_MIN = 10.0

# One entry per length of silence in whole seconds: nearly all are below an hour.
_DECAYS_CACHED = 4096

_ZEROS = (0.0,) * len(WINDOWS_SECONDS)


class Estimate(Struct, frozen=True, gc=False):
    """A hashrate with its error.

    hashrate_hps: hashes per second, finite. relative_error: one standard deviation relative to it, 1 over the root of
    the effective number of shares; None if there is no share to judge by.
    """

    hashrate_hps: float
    relative_error: float | None


_NO_ESTIMATE = Estimate(0.0, None)


class Hashrate(Struct, frozen=True, array_like=True, gc=False):
    """What the estimates of all windows are read from.

    first_s, last_s: Unix seconds of the first and the newest work. sums: of work in hashes, decayed to last_s, one per
    window. squares: the same of squared work, by which the error is known. The newest share counts whole, so an
    estimate from n shares reads high by one n-th on average, less than its error.
    """

    first_s: int
    last_s: int
    sums: tuple[float, ...] = _ZEROS
    squares: tuple[float, ...] = _ZEROS

    def add(self, second: int, work: int, squares: int) -> Hashrate:
        """Add the shares of one second: the sum of their work and of its squares.

        A second before the last one (the clock was set back) is followed without decay: what was counted stays.
        """
        decays, square_decays = _decays(max(0, second - self.last_s))
        w, q = float(work), float(squares)
        return Hashrate(
            min(self.first_s, second),
            second,
            tuple([rest + w for rest in map(mul, self.sums, decays)]),
            tuple([rest + q for rest in map(mul, self.squares, square_decays)]),
        )

    def plus(self, other: Hashrate) -> Hashrate:
        """The same work seen as one."""
        early, late = sorted((self, other), key=lambda each: each.last_s)
        brought = early.add(late.last_s, 0, 0)
        return Hashrate(
            min(brought.first_s, late.first_s),
            late.last_s,
            tuple(map(add, brought.sums, late.sums)),
            tuple(map(add, brought.squares, late.squares)),
        )

    def estimate(self, now_s: float, window_seconds: int) -> Estimate:
        """The estimate of one of WINDOWS_SECONDS at any time from last_s on; it falls while no share comes."""
        place = WINDOWS_SECONDS.index(window_seconds)
        work, squares = self.sums[place], self.squares[place]
        silence = max(0.0, now_s - self.last_s)
        if work <= 0.0 or silence >= SILENT_WINDOWS * window_seconds:
            return Estimate(0.0, None)
        age = max(AGE_SECONDS_MIN, now_s - self.first_s)
        filled = -math.expm1(-age / window_seconds)
        rate = work * math.exp(-silence / window_seconds) / (window_seconds * filled)
        return Estimate(rate, math.sqrt(squares) / work)

    def estimates(self, now_s: float) -> tuple[Estimate, ...]:
        """One estimate per window, in the order of WINDOWS_SECONDS."""
        return tuple(self.estimate(now_s, window_seconds) for window_seconds in WINDOWS_SECONDS)


class Moment:
    """The estimates of many at one time, each as `Hashrate.estimates` has it: what depends on whole seconds alone is
    computed once, which makes ten thousand of them three times cheaper."""

    def __init__(self, now_s: float) -> None:
        self._now_s = now_s
        self._left: dict[int, tuple[float, ...]] = {}
        self._filled: dict[int, tuple[float, ...]] = {}

    def estimates(self, rate: Hashrate) -> tuple[Estimate, ...]:
        """One estimate per window, in the order of WINDOWS_SECONDS."""
        left = self._left.get(rate.last_s)
        if left is None:
            left = self._left[rate.last_s] = self._left_since(rate.last_s)
        filled = self._filled.get(rate.first_s)
        if filled is None:
            filled = self._filled[rate.first_s] = self._filled_since(rate.first_s)
        return tuple(
            [
                Estimate(work * part / whole, math.sqrt(squares) / work) if work > 0.0 and part >= 0.0 else _NO_ESTIMATE
                for work, squares, part, whole in zip(rate.sums, rate.squares, left, filled, strict=True)
            ]
        )

    def _left_since(self, last_s: int) -> tuple[float, ...]:
        """What is left of a sum, per window; negative: too little to show."""
        silence = max(0.0, self._now_s - last_s)
        return tuple(
            -1.0 if silence >= SILENT_WINDOWS * window else math.exp(-silence / window) for window in WINDOWS_SECONDS
        )

    def _filled_since(self, first_s: int) -> tuple[float, ...]:
        age = max(AGE_SECONDS_MIN, self._now_s - first_s)
        return tuple(window * -math.expm1(-age / window) for window in WINDOWS_SECONDS)


@lru_cache(maxsize=_DECAYS_CACHED)
def _decays(seconds: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """What is left after a silence, per window: of a sum of work and of a sum of squares."""
    decays = tuple(math.exp(-seconds / window_seconds) for window_seconds in WINDOWS_SECONDS)
    return decays, tuple(decay * decay for decay in decays)
