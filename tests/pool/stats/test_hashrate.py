"""Hashrate from shares; pool/stats/hashrate.py."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.stats.hashrate import WINDOWS_SECONDS, Hashrate, Moment

WORK = 2**32 * 1024
START = 1_700_000_000


def steady(seconds: int, *, every: int = 1, work: int = WORK, start: int = START) -> Hashrate:
    """One share of the same work every few seconds."""
    rate = Hashrate(start, start)
    for second in range(start + every, start + seconds + 1, every):
        rate = rate.add(second, work, work * work)
    return rate


@pytest.mark.parametrize("window_seconds", WINDOWS_SECONDS)
def test_a_steady_rate_is_read_as_it_is_in_every_window(window_seconds: int) -> None:
    estimate = steady(7200).estimate(START + 7200, window_seconds)
    assert estimate.hashrate_hps == pytest.approx(WORK, rel=0.02)


@pytest.mark.parametrize("window_seconds", WINDOWS_SECONDS)
def test_a_young_worker_is_not_read_low(window_seconds: int) -> None:
    estimate = steady(30).estimate(START + 30, window_seconds)
    assert estimate.hashrate_hps == pytest.approx(WORK, rel=0.04)


def test_a_single_share_is_spread_over_at_least_ten_seconds() -> None:
    rate = Hashrate(START, START).add(START, WORK, WORK * WORK)
    assert rate.estimate(START, 86400).hashrate_hps == pytest.approx(WORK / 10, rel=0.001)


def test_without_work_the_rate_is_zero_and_its_error_unknown() -> None:
    estimate = Hashrate(START, START).estimate(START + 60, 60)
    assert (estimate.hashrate_hps, estimate.relative_error) == (0.0, None)


def test_a_stopped_worker_falls_by_63_percent_per_window() -> None:
    rate = steady(7200)
    before = rate.estimate(START + 7200, 60).hashrate_hps
    after = rate.estimate(START + 7260, 60).hashrate_hps
    assert after / before == pytest.approx(math.exp(-1), rel=1e-6)


def test_a_stopped_worker_is_below_one_percent_after_five_minutes() -> None:
    rate = steady(7200)
    assert rate.estimate(START + 7500, 60).hashrate_hps < WORK / 100


def test_a_stopped_worker_reads_exactly_zero_after_ten_windows() -> None:
    assert steady(7200).estimate(START + 7200 + 600, 60).hashrate_hps == 0.0


def test_the_error_is_one_over_the_root_of_the_number_of_shares() -> None:
    error = steady(100, every=1).estimate(START + 100, 86400).relative_error
    assert error == pytest.approx(1 / math.sqrt(100), rel=0.001)


def test_the_error_of_a_short_window_is_that_of_the_shares_it_still_weighs() -> None:
    error = steady(7200).estimate(START + 7200, 60).relative_error
    assert error == pytest.approx(1 / math.sqrt(120), rel=0.01)  # 2 tau shares: (sum w)^2 / sum w^2


def test_few_large_shares_among_small_ones_make_the_error_larger() -> None:
    mixed = steady(100).add(START + 101, 100 * WORK, (100 * WORK) ** 2)
    even = steady(200)
    assert mixed.estimate(START + 101, 86400).relative_error > 5 * even.estimate(START + 200, 86400).relative_error  # type: ignore[operator]


def test_a_worker_that_moves_to_another_frontend_keeps_its_rate() -> None:
    before, after = steady(3600), steady(60, start=START + 3600)
    moved = before.plus(after).estimate(START + 3660, 300)
    assert moved.hashrate_hps == pytest.approx(WORK, rel=0.02)


def test_the_rates_of_two_frontends_add_up() -> None:
    both = steady(7200).plus(steady(7200, work=3 * WORK))
    assert both.estimate(START + 7200, 300).hashrate_hps == pytest.approx(4 * WORK, rel=0.02)


def test_a_clock_that_is_set_back_by_an_hour_changes_nothing_but_that_hour() -> None:
    rate = steady(7200)
    for second in range(START + 3600, START + 3700):
        rate = rate.add(second, WORK, WORK * WORK)
    now = rate.estimate(START + 3700, 60).hashrate_hps
    assert now == pytest.approx(WORK, rel=0.15)


seconds = st.integers(0, 2**40)
works = st.integers(0, 2**256)


@given(
    st.lists(st.tuples(seconds, works), min_size=1, max_size=20),
    st.floats(0, 2**41, allow_nan=False),
    st.sampled_from(WINDOWS_SECONDS),
)
def test_an_estimate_is_a_finite_number_of_at_least_zero_whatever_came(
    adds: list[tuple[int, int]], now_s: float, window_seconds: int
) -> None:
    rate = Hashrate(adds[0][0], adds[0][0])
    for second, work in adds:
        rate = rate.add(second, work, work * work)
    estimate = rate.estimate(now_s, window_seconds)
    assert math.isfinite(estimate.hashrate_hps)
    assert estimate.hashrate_hps >= 0.0
    assert estimate.relative_error is None or math.isfinite(estimate.relative_error)


@given(
    st.lists(st.tuples(st.integers(START, START + 10**6), st.integers(1, 2**80)), min_size=2, max_size=20),
    st.data(),
    st.sampled_from(WINDOWS_SECONDS),
)
def test_shares_split_over_two_frontends_read_as_those_of_one(
    adds: list[tuple[int, int]], data: st.DataObject, window_seconds: int
) -> None:
    adds.sort()
    whole = left = right = Hashrate(adds[0][0], adds[0][0])
    for second, work in adds:
        whole = whole.add(second, work, work * work)
        if data.draw(st.booleans()):
            left = left.add(second, work, work * work)
        else:
            right = right.add(second, work, work * work)
    now_s = adds[-1][0] + 5.0
    alone, joined = (each.estimate(now_s, window_seconds) for each in (whole, left.plus(right)))
    assert joined.hashrate_hps == pytest.approx(alone.hashrate_hps, rel=1e-9)
    assert joined.relative_error == pytest.approx(alone.relative_error, rel=1e-9)


@given(
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(0, 10**5), st.integers(0, 2**80)), max_size=8),
    st.floats(-10, 10**6),
)
def test_the_estimates_of_a_moment_are_those_of_each_rate_alone(
    first_s: int, work: list[tuple[int, int]], later: float
) -> None:
    rate, now_s = Hashrate(first_s, first_s), first_s
    for seconds, each in work:
        now_s += seconds
        rate = rate.add(now_s, each, each * each)
    moment = Moment(now_s + later)
    for _ in range(2):  # the second time from what it remembers
        assert moment.estimates(rate) == rate.estimates(now_s + later)
