"""pool.reports.rejects: rates of refused shares, and how surely they are known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.reports.facts import Counted, Span
from pool.reports.rejects import Rate, rate, rejects

HOUR = Span(0, 3_600_000)


def test_all_reasons_are_summed_the_most_frequent_first() -> None:
    counted = [Counted(1, 0, 5, {"stale": 1, "duplicate": 4}), Counted(1, 60_000, 90, {"duplicate": 0, "stale": 1})]
    found = rejects(counted, {1}, HOUR)
    assert (found.accepted, found.refused, list(found.reasons.items())) == (95, 6, [("duplicate", 4), ("stale", 2)])


def test_what_is_counted_together_counts_where_it_begins() -> None:
    counted = [Counted(1, 0, 1, {}), Counted(1, 60_000, 10, {}), Counted(1, 120_000, 100, {})]
    assert rejects(counted, {1}, Span(1, 120_000)).accepted == 10


def test_shares_of_other_slices_do_not_count() -> None:
    assert rejects([Counted(2, 0, 9, {})], {1}, HOUR).accepted == 0


def test_no_shares_have_no_rate() -> None:
    assert (rejects([], {1}, HOUR).refused_rate, rejects([], {1}, HOUR).stale_rate) == (None, None)


@pytest.mark.parametrize(
    ("shares", "every", "expected"),
    [(0, 10, Rate(0, 0, 767)), (10, 1000, Rate(10, 100, 33)), (1000, 1000, Rate(1000, 10_000, 10))],
)
def test_a_rate_has_its_error(shares: int, every: int, expected: Rate) -> None:
    assert rate(shares, every) == expected


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_the_error_is_that_of_what_may_be_true_rounded_up(shares: int, more: int) -> None:
    found = rate(shares, shares + more)
    a, b = shares + 1, more + 1
    exact = 10_000 * math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
    assert found is not None
    assert exact - 1e-6 <= found.error_bps < exact + 1 + 1e-6
