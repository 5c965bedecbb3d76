"""payout.apportion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payout.apportion import largest_remainder

TOTALS = st.integers(0, 21 * 10**14)
WEIGHTS = st.dictionaries(st.text(max_size=3), st.integers(0, 2**100), min_size=1).filter(lambda w: any(w.values()))


@given(TOTALS, WEIGHTS)
def test_the_parts_sum_to_the_total(total: int, weights: dict[str, int]) -> None:
    assert sum(largest_remainder(total, weights).values()) == total


@given(TOTALS, WEIGHTS)
def test_no_part_is_a_whole_unit_away_from_its_share(total: int, weights: dict[str, int]) -> None:
    whole = sum(weights.values())
    parts = largest_remainder(total, weights)
    assert all(abs(part * whole - total * weights[key]) < whole for key, part in parts.items())


@given(TOTALS, WEIGHTS)
def test_a_weight_of_nothing_gets_nothing(total: int, weights: dict[str, int]) -> None:
    assert not [key for key, part in largest_remainder(total, weights).items() if part and not weights[key]]


@given(TOTALS, WEIGHTS, st.randoms(use_true_random=False))
def test_the_order_of_the_keys_changes_nothing(total: int, weights: dict[str, int], random: object) -> None:
    shuffled = list(weights.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert largest_remainder(total, dict(shuffled)) == largest_remainder(total, weights)


@given(TOTALS, WEIGHTS, st.integers(1, 1000))
def test_the_unit_of_the_weights_changes_nothing(total: int, weights: dict[str, int], factor: int) -> None:
    scaled = {key: weight * factor for key, weight in weights.items()}
    assert largest_remainder(total, scaled) == largest_remainder(total, weights)


def test_a_tie_goes_to_the_smaller_key() -> None:
    assert largest_remainder(2, {"c": 1, "b": 1, "a": 1}) == {"c": 0, "b": 1, "a": 1}


def test_keys_compare_as_their_utf_8_bytes() -> None:
    last_of_the_bmp, first_beyond = "\uffff", "\U00010000"
    assert largest_remainder(1, {first_beyond: 1, last_of_the_bmp: 1}) == {last_of_the_bmp: 1, first_beyond: 0}


def test_pairs_compare_by_their_first_part_before_the_second() -> None:
    assert largest_remainder(1, {("a!", ""): 1, ("a", "z"): 1}) == {("a!", ""): 0, ("a", "z"): 1}


def test_nothing_can_be_split_among_nobody() -> None:
    assert largest_remainder(0, {"a": 0}) == {"a": 0}


@pytest.mark.parametrize(("total", "weights"), [(1, {}), (1, {"a": 0}), (-1, {"a": 1}), (1, {"a": 2, "b": -1})])
def test_a_split_without_an_answer_is_refused(total: int, weights: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="weight"):
        largest_remainder(total, weights)
