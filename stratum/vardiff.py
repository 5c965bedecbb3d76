"""How hard a session's shares should be, from those that were accepted.

A moving average of difficulty per second, as in ckpool, and a band round the wanted rate within which nothing changes.
What is clearly wrong is mended sooner: too many shares within seconds, or none at all.

Everything is counted in wanted shares, not in seconds, so that it holds for any `shares_per_minute`. The chances named
are those of a Poisson process.
"""

from __future__ import annotations

import math
from typing import Final

from native import Flow

AVERAGED: Final = 60.0
"""Wanted shares after which the average has forgotten all but one part in e: 10 minutes at 6 a minute. It strays by 9
parts in 100; ckpool's 5 minutes would let a steady miner leave the band five times as often."""

BAND: Final = (0.5, 1.6)
"""Shares per wanted share that are left alone. A steady miner leaves it once in a day or two. Then it is in
the middle, not at the other end (hysteresis)."""

DECIDING_SHARES: Final = 72
"""Shares since the last change that are enough to leave the band by; ckpool's number."""

DECIDING_WANTED: Final = 24.0
"""Or so much time, in wanted shares: 4 minutes at 6 a minute, as in ckpool."""

BURST_SHARES: Final = 12
"""Shares that are enough to say "much too many"."""

BURST_RATIO: Final = 3.0
"""That much: with the right difficulty, twelve shares in the time of four come once in a thousand sessions."""

SILENT_AT_FIRST: Final = 6.0
"""Wanted shares without a single one since the last change, after which it is too hard: wrong once in 400."""

SILENT_LATER: Final = 24.0
"""The same after shares have come. The average falls out of the band at about that time too, but by half only."""

DESCENT: Final = 4.0
"""By this it gets easier then. Not by more: a machine that boots for minutes sends nothing either, and all of a site
may do so at once after a power cut."""


class Pace:
    """The pace of one session's accepted shares. wanted: of them, per second. flow: takes each of them.

    Call `next_difficulty` with the first job, then each few seconds, and soon after `flow.take` said so.
    """

    __slots__ = (
        "_averaged_since",
        "_difficulty",
        "_elapsed",
        "_last_share",
        "_looked",
        "_since",
        "_since_work",
        "_wanted",
        "_work",
        "flow",
        "proven",
    )

    def __init__(self, wanted: float, flow: Flow) -> None:
        self._wanted = wanted
        self.flow = flow
        self._looked: float | None = None
        # The average: difficulty and seconds, both fading, so that it is unbiased from the start.
        self._work = 0.0
        self._elapsed = 0.0
        self._averaged_since = 0.0
        # What the jobs had at the last look, since when, and the difficulty of the shares since then.
        self._difficulty = 0.0
        self._since = 0.0
        self._since_work = 0.0
        self._last_share: float | None = None
        # The difficulty of the jobs when shares were last seen.
        self.proven: float | None = None

    def next_difficulty(self, difficulty: float, now: float) -> float | None:
        """What the difficulty should be, exactly, if it should be another; None if it may stay.

        difficulty: of the jobs that are mined now. When it is another than the last time, counting starts anew.
        """
        fresh, seconds = self.flow.fresh, 0.0 if self._looked is None else now - self._looked
        self.flow.fresh, self._looked = 0.0, now
        self._average(fresh, seconds)
        if difficulty != self._difficulty:
            self._difficulty = difficulty
            self._since, self._since_work = now, 0.0
            self._last_share = None
        else:
            self._since_work += fresh
            if fresh:
                self._last_share = now
                self.proven = difficulty
        self.flow.alarm = BURST_SHARES * difficulty
        return self._burst(fresh, seconds, now) or self._settled(now) or self._silence(now)

    def _average(self, fresh: float, seconds: float) -> None:
        if seconds <= 0:
            self._work += fresh
            return
        span = AVERAGED / self._wanted
        kept = math.exp(-seconds / span)
        gained = span * (1 - kept)
        self._work = self._work * kept + fresh * gained / seconds
        self._elapsed = self._elapsed * kept + gained

    def _burst(self, fresh: float, seconds: float, now: float) -> float | None:
        for amount, span in ((fresh, seconds), (self._since_work, now - self._since)):
            fast = amount > BURST_RATIO * self._wanted * self._difficulty * span
            if fast and amount >= BURST_SHARES * self._difficulty and span > 0:
                # What was slower before says nothing about now.
                self._work, self._elapsed, self._averaged_since = amount, span, now - span
                return amount / span / self._wanted
        return None

    def _settled(self, now: float) -> float | None:
        few = self._since_work < DECIDING_SHARES * self._difficulty
        measured = now - max(self._since, self._averaged_since)
        if measured <= 0 or (few and measured * self._wanted < DECIDING_WANTED):
            return None
        right = self._work / self._elapsed / self._wanted
        lowest, highest = BAND
        return None if lowest * self._difficulty <= right <= highest * self._difficulty else right

    def _silence(self, now: float) -> float | None:
        if self._last_share is None:
            silent, enough = now - self._since, SILENT_AT_FIRST
        else:
            silent, enough = now - self._last_share, SILENT_LATER
        if silent * self._wanted < enough:
            return None
        # What was faster before, and what this silence says, is less than the next shares will.
        self._work, self._elapsed, self._averaged_since = 0.0, 0.0, now
        return self._difficulty / DESCENT
