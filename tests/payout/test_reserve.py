"""payout.reserve. The amounts themselves are in the vector P17."""

from __future__ import annotations

from fractions import Fraction

import pytest

from payout.reserve import pps_reserve_sat


def test_rosenfelds_example_comes_out() -> None:
    assert pps_reserve_sat(50 * 10**8, 500, Fraction(1, 1000)) == 345_387_763_950


def test_a_smaller_risk_needs_a_larger_reserve() -> None:
    assert pps_reserve_sat(10**8, 200, Fraction(1, 10**9)) > pps_reserve_sat(10**8, 200, Fraction(1, 10**6))


def test_who_takes_every_risk_needs_none() -> None:
    assert pps_reserve_sat(10**8, 200, Fraction(1)) == 0


def test_it_rounds_up() -> None:
    assert pps_reserve_sat(1, 10_000, Fraction(999_999, 1_000_000)) == 1


@pytest.mark.parametrize("margin_bps", [0, -50])
def test_without_a_margin_no_reserve_is_enough(margin_bps: int) -> None:
    with pytest.raises(ValueError, match="ruin is certain"):
        pps_reserve_sat(10**8, margin_bps, Fraction(1, 100))


@pytest.mark.parametrize("ruin", [Fraction(0), Fraction(-1, 2), Fraction(3, 2)])
def test_a_risk_is_a_probability(ruin: Fraction) -> None:
    with pytest.raises(ValueError, match="probability"):
        pps_reserve_sat(10**8, 200, ruin)
