"""Whether an account or a site brings fewer shares than luck explains.

A hashrate is a sum of the work of shares that decays with a time constant tau. Of shares of work w that come at random,
at a rate that makes R hashes a second, that sum has the mean R tau and the variance R w tau / 2: as many as if
2 R tau / w shares had been counted (`pool.stats.hashrate` knows w by its squares). So the last five minutes are a
Poisson count whose mean the hour before them says, and how improbable it is needs no fixed drop in percent: one machine
that is gone of three is seen, and one of a thousand, if it is beyond luck.

What was expected when an alarm began stays expected while it lasts, or an hour later everything would be as usual.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from pool.alerts.alert import Alert, Severity
from pool.alerts.tail import at_most
from pool.dashboard.rows import Hashrate

P_MAX: Final = 1e-7
"""An alarm for nothing: five-minute counts are independent some 8,640 times a month, so this is once in a hundred years
for each account and site."""

P_RECOVERED: Final = 0.05
"""So probable a count is as usual again."""

SURE_SHARES_MIN: Final = 100.0
"""The hour must have so many shares (by their weight) to say what is usual."""

ERRORS_BELOW: Final = 2.0
"""What is usual is taken lower by so many standard deviations of it."""

FORGET_SECONDS: Final = 86_400.0
"""After a day a lower hashrate is the usual one."""

SILENT_PART: Final = 0.1
"""Below this part of what is usual somebody has to look now. Five minutes after the last share of a site it is 0.37 of
it, after twelve 0.1."""

_TAU_SECONDS: Final = 300.0


class Expected(Struct, frozen=True):
    """Since when less than this is brought, by a clock that never steps, and the weight of a share in hashes."""

    since: float
    hps: float
    share_hashes: float


class HashrateWatch:
    """Looks at many groups, by their names for people such as `account bit`."""

    def __init__(self, missed: Mapping[str, Expected] | None = None) -> None:
        """missed: as it was kept over a restart."""
        self.missed: dict[str, Expected] = dict(missed or {})
        self._judged_from = float("-inf")

    def wait_until(self, moment: float) -> None:
        """Whatever is missing before is the pool's own doing: it has just started, or miners could not reach it."""
        self._judged_from = moment

    def look(self, groups: Mapping[str, Hashrate], now: float) -> list[Alert] | None:
        """The groups that bring too little; None while that cannot be judged."""
        if now < self._judged_from:
            return None
        for name in [name for name, missed in self.missed.items() if now - missed.since > FORGET_SECONDS]:
            del self.missed[name]
        alerts = []
        for name, rate in groups.items():
            expected = self.missed.get(name) or _usual(rate, now)
            if expected is None:
                continue
            probability = _probability(rate.five_minutes.hps, expected)
            if probability < P_MAX or (name in self.missed and probability < P_RECOVERED):
                self.missed[name] = expected
                alerts.append(_alert(name, rate, expected, probability))
            else:
                self.missed.pop(name, None)
        return alerts


def _usual(rate: Hashrate, now: float) -> Expected | None:
    """By the last hour; None if that has too few shares to say."""
    hour = rate.hour
    if hour.error is None or hour.hps <= 0 or hour.error <= 0 or 1 / hour.error**2 < SURE_SHARES_MIN:
        return None
    share_hashes = 2 * 3600 * hour.hps * hour.error**2
    return Expected(now, hour.hps * (1 - ERRORS_BELOW * hour.error), share_hashes)


def _probability(hps: float, expected: Expected) -> float:
    shares = 2 * _TAU_SECONDS / expected.share_hashes
    # A count between two whole ones is taken as the larger: rather no alarm.
    return at_most(int(hps * shares) + 1, expected.hps * shares)


def _alert(name: str, rate: Hashrate, expected: Expected, probability: float) -> Alert:
    now_hps = rate.five_minutes.hps
    severity: Severity = "warn"
    title = f"{name} brings {max(0.0, 1 - now_hps / expected.hps):.0%} less than usual"
    if now_hps <= SILENT_PART * expected.hps:
        title, severity = f"{name} brings hardly any shares", "page"
    text = (
        f"{_rate(now_hps)} over five minutes, at least {_rate(expected.hps)} were usual. By luck alone this happens "
        f"once in {_times(probability)}."
    )
    mend = "The page's workers, grouped by site and rack and sorted by their last share, show who is missing."
    return Alert(name, severity, title, text, mend)


def _times(probability: float) -> str:
    return "1e+17 looks or less" if probability < 1e-17 else f"{1 / probability:.0e} looks"


def _rate(hps: float) -> str:
    for unit in ("H/s", "kH/s", "MH/s", "GH/s", "TH/s", "PH/s"):
        if hps < 1000:
            return f"{hps:.3g} {unit}"
        hps /= 1000
    return f"{hps:.3g} EH/s"
