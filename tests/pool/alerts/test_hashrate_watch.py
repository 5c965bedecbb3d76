"""Whether an account or a site brings fewer shares than luck explains."""

from __future__ import annotations

import math
import random
from bisect import bisect

import pytest

from pool.alerts.hashrate_watch import FORGET_SECONDS, HashrateWatch
from pool.dashboard.rows import Hashrate, Rate
from pool.stats.hashrate import Hashrate as Sums

SHARE = 2**32 * 65536
TAU = 3600


def rate(machines: float, now_machines: float | None = None) -> Hashrate:
    """Of so many machines that send six shares a minute each, and of so many of them now."""
    hps = machines * SHARE / 10
    now_hps = hps if now_machines is None else now_machines * SHARE / 10
    error = math.sqrt(SHARE / (2 * hps * TAU))
    five = Rate(now_hps, None if now_hps == 0 else math.sqrt(SHARE / (2 * now_hps * 300)))
    return Hashrate(five, five, Rate(hps, error), Rate(hps, error / 5))


def alarms(watch: HashrateWatch, found: Hashrate, now: float = 0.0) -> list[str] | None:
    alerts = watch.look({"site ganzi": found}, now)
    return None if alerts is None else [alert.severity for alert in alerts]


@pytest.mark.parametrize(("machines", "left"), [(1, 0), (3, 1), (10, 6), (1000, 950), (10_352, 10_200)])
def test_what_luck_does_not_explain_is_an_alarm_however_large_the_site(machines: int, left: int) -> None:
    assert alarms(HashrateWatch(), rate(machines, left)) == (["page"] if left == 0 else ["warn"])


@pytest.mark.parametrize(("machines", "left"), [(1, 0.6), (3, 2), (10, 8), (1000, 980), (10_352, 10_300)])
def test_what_it_does_explain_is_none(machines: int, left: float) -> None:
    assert alarms(HashrateWatch(), rate(machines, left)) == []


def test_an_hour_with_few_shares_says_nothing_of_what_is_usual() -> None:
    assert alarms(HashrateWatch(), rate(0.1, 0)) == []


def test_who_brings_nothing_is_no_alarm_if_that_is_usual() -> None:
    nothing = Rate(0.0, None)
    assert alarms(HashrateWatch(), Hashrate(nothing, nothing, nothing, nothing)) == []


def test_it_stays_an_alarm_when_the_hour_has_come_down_too() -> None:
    watch = HashrateWatch()
    assert alarms(watch, rate(10, 0)) == ["page"]
    assert alarms(watch, rate(5, 0), 3600) == ["page"]
    assert alarms(watch, rate(10, 10), 7200) == []


def test_after_a_day_less_is_the_usual() -> None:
    watch = HashrateWatch()
    alarms(watch, rate(10, 5))
    assert alarms(watch, rate(5, 5), FORGET_SECONDS) == ["warn"]
    assert alarms(watch, rate(5, 5), FORGET_SECONDS + 1) == []


def test_what_is_missing_after_the_pools_own_start_is_nobodys_fault() -> None:
    watch = HashrateWatch()
    watch.wait_until(600)
    assert alarms(watch, rate(10, 1), 599) is None
    assert alarms(watch, rate(10, 1), 600) == ["warn"]


def test_what_was_missing_before_a_restart_still_is_after_it() -> None:
    before = HashrateWatch()
    alarms(before, rate(10, 0))
    after = HashrateWatch(before.missed)
    assert alarms(after, rate(2, 0), 3600) == ["page"]


def test_the_alarm_says_how_much_and_how_improbable() -> None:
    alerts = HashrateWatch().look({"site ganzi": rate(10, 4)}, 0.0)
    assert alerts is not None
    (alert,) = alerts
    assert alert.title.startswith("site ganzi brings 5")
    assert "By luck alone this happens once in " in alert.text


@pytest.mark.parametrize("machines", [1, 4, 12])
def test_machines_that_never_stop_cause_no_alarm_in_a_simulated_month(machines: int) -> None:
    """As the pool sees them: real decaying sums over shares that come at random, looked at each minute."""
    dice = random.Random(machines)
    sums, watch, chances = Sums(0, 0), HashrateWatch(), _poisson(float(machines))
    found = 0
    for second in range(0, 30 * 86_400, 10):
        if shares := bisect(chances, dice.random()):
            sums = sums.add(second, shares * SHARE, shares * SHARE * SHARE)
        if second % 60 == 0:
            seen = [Rate(each.hashrate_hps, each.relative_error) for each in sums.estimates(second)]
            found += len(watch.look({"account bit": Hashrate(*seen)}, float(second)) or ())
    assert found == 0


def _poisson(mean: float) -> list[float]:
    """The probability of at most so many, from none on, as long as it grows."""
    term = math.exp(-mean)
    sums = [term]
    while sums[-1] + (term := term * mean / len(sums)) > sums[-1]:
        sums.append(sums[-1] + term)
    return sums
