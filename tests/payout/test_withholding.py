"""payout.withholding. The probabilities themselves are in the vector P23."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from payout.withholding import judge_luck

THOUSANDTH = Fraction(1, 1000)


def test_seven_expected_blocks_without_one_are_flagged() -> None:
    assert judge_luck(Fraction(7), 0, THOUSANDTH).flagged


def test_among_a_thousand_groups_seven_are_ordinary() -> None:
    assert not judge_luck(Fraction(7), 0, THOUSANDTH, groups=1000).flagged


def test_among_a_thousand_groups_fourteen_are_flagged() -> None:
    assert judge_luck(Fraction(14), 0, THOUSANDTH, groups=1000).flagged


def test_more_blocks_than_expected_are_never_flagged() -> None:
    assert judge_luck(Fraction(1), 40, THOUSANDTH).probability > Decimal("0.9999")


def test_it_is_never_more_than_certain() -> None:
    assert judge_luck(Fraction(0), 5, THOUSANDTH).probability == 1


def test_a_long_history_does_not_underflow() -> None:
    assert judge_luck(Fraction(10_000), 0, THOUSANDTH).probability > 0


@pytest.mark.parametrize(
    ("expected", "found", "groups"), [(Fraction(-1), 0, 1), (Fraction(1), -1, 1), (Fraction(1), 0, 0)]
)
def test_a_test_of_nothing_is_refused(expected: Fraction, found: int, groups: int) -> None:
    with pytest.raises(ValueError, match="no test"):
        judge_luck(expected, found, THOUSANDTH, groups)
