"""Tails of the Poisson distribution."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.alerts.tail import at_least, at_most


def exact(mean: int, counts: range) -> float:
    """By whole numbers, but for e."""
    total = sum(Fraction(mean**count, math.factorial(count)) for count in counts)
    return float(total) * math.exp(-mean)


@given(st.integers(1, 60), st.data())
def test_they_are_the_sums_of_the_terms(mean: int, data: st.DataObject) -> None:
    few = data.draw(st.integers(0, mean - 1))
    many = data.draw(st.integers(mean + 1, 3 * mean + 5))
    assert at_most(few, mean) == pytest.approx(exact(mean, range(few + 1)), rel=1e-9)
    assert at_least(many, mean) == pytest.approx(exact(mean, range(many, many + 200)), rel=1e-9)


def test_what_is_usual_is_not_improbable() -> None:
    assert at_most(60, 60.0) == at_least(60, 60.0) == 1.0


def test_nothing_of_much_is_e_to_the_minus_mean() -> None:
    assert at_most(0, 20.0) == pytest.approx(math.exp(-20))
    assert at_most(-1, 20.0) == 0.0


def test_large_counts_neither_overflow_nor_take_long() -> None:
    # Five standard deviations of a million: as of a normal variable, a little less since it leans.
    assert at_most(995_000, 1e6) == pytest.approx(2.87e-7, rel=0.02)
    assert at_least(10**6, 1e-3) == 0.0
    assert at_least(1, 0.0) == 0.0
