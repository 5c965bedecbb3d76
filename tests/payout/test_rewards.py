"""payout.rewards: unit-PPLNS as a definition. The amounts themselves are in the vectors P03 to P11, P15, P16, P21."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payout.rewards import (
    UNIT,
    Split,
    Startup,
    fee_of,
    pps_plus_block,
    split_reward,
    sum_weights,
    take_window,
    unit_score,
    window_capacity,
)

NAMES = st.sampled_from("abcde")
SHARES = st.lists(st.tuples(NAMES, st.integers(1, UNIT)), max_size=30)
REWARDS = st.integers(0, 21 * 10**14)
FEES = st.fixed_dictionaries({name: st.integers(0, 10_000) for name in "abcde"})


class TestUnitScore:
    def test_the_work_of_a_block_is_one_block(self) -> None:
        assert unit_score(1600, 1600) == UNIT

    def test_a_share_is_never_more_than_a_block(self) -> None:
        assert unit_score(1601, 1600) == UNIT

    @given(st.integers(0, 2**200), st.integers(1, 2**200))
    def test_it_is_the_probability_rounded_down(self, work: int, net_work: int) -> None:
        exact = min(Fraction(1), Fraction(work, net_work)) * UNIT
        assert 0 <= exact - unit_score(work, net_work) < 1

    @pytest.mark.parametrize(("work", "net_work"), [(-1, 5), (5, 0), (5, -1)])
    def test_work_that_cannot_be_is_refused(self, work: int, net_work: int) -> None:
        with pytest.raises(ValueError, match="no score"):
            unit_score(work, net_work)


class TestWindow:
    @given(SHARES, st.integers(1, 8 * UNIT))
    def test_it_holds_its_capacity_or_all_there_is(self, shares: list[tuple[str, int]], capacity: int) -> None:
        taken = sum(weight for _, weight in take_window(shares, capacity))
        assert taken == min(capacity, sum(score for _, score in shares))

    def test_the_oldest_share_is_cut_to_fit(self) -> None:
        assert list(take_window([("a", 3), ("b", 3), ("c", 3)], 5)) == [("a", 3), ("b", 2)]

    def test_a_share_that_just_fills_it_is_the_last(self) -> None:
        assert list(take_window([("a", 3), ("b", 2), ("c", 3)], 5)) == [("a", 3), ("b", 2)]

    def test_a_fraction_of_a_block_rounds_down(self) -> None:
        assert window_capacity(Fraction(1, 3)) == UNIT // 3

    @pytest.mark.parametrize("window_x", [Fraction(0), Fraction(-1)])
    def test_a_window_of_nothing_is_refused(self, window_x: Fraction) -> None:
        with pytest.raises(ValueError, match="holds nothing"):
            window_capacity(window_x)

    @given(SHARES, SHARES, st.integers(1, UNIT))
    def test_a_share_older_than_the_window_is_paid_nothing(
        self, newer: list[tuple[str, int]], older: list[tuple[str, int]], more: int
    ) -> None:
        capacity = sum(score for _, score in newer)
        full = [*newer, *older, ("z", more)]
        assert sum_weights(take_window(full, capacity)) == sum_weights(newer)


class TestSplitReward:
    @given(SHARES, REWARDS, FEES, st.integers(1, 8 * UNIT), st.sampled_from(Startup))
    def test_credits_fees_and_reserve_sum_to_the_reward(
        self, shares: list[tuple[str, int]], reward_sat: int, fees: dict[str, int], capacity: int, startup: Startup
    ) -> None:
        weights = sum_weights(take_window(shares, capacity))
        split: Split[str] = split_reward(reward_sat, weights, fees, capacity, startup)
        assert sum(credit.net_sat for credit in split.credits) + split.fee_sat + split.reserve_sat == reward_sat

    @given(SHARES, REWARDS, st.integers(1, 8 * UNIT), st.integers(0, 29), st.integers(1, UNIT))
    def test_a_share_in_two_parts_is_paid_the_same_but_for_a_satoshi(
        self, shares: list[tuple[str, int]], reward_sat: int, capacity: int, place: int, part: int
    ) -> None:
        place %= len(shares) + 1
        key, score = shares[place] if place < len(shares) else ("a", UNIT)
        part %= score
        halves = [*shares[:place], (key, part), (key, score - part), *shares[place + 1 :]]
        whole = [*shares[:place], (key, score), *shares[place + 1 :]]
        assert sum_weights(take_window(halves, capacity)) == sum_weights(take_window(whole, capacity))

    def test_a_full_window_holds_nothing_back(self) -> None:
        assert split_reward(100, {"a": 5}, {"a": 0}, 5, Startup.RESERVE).reserve_sat == 0

    def test_the_reserve_gets_the_part_of_a_window_that_is_not_filled(self) -> None:
        split = split_reward(100, {"a": 1}, {"a": 0}, 3, Startup.RESERVE)
        assert (split.credits[0].gross_sat, split.reserve_sat) == (33, 67)

    @pytest.mark.parametrize("startup", Startup)
    def test_a_block_without_any_share_is_the_reserves(self, startup: Startup) -> None:
        split: Split[str] = split_reward(100, {}, {}, 3, startup)
        assert (split.credits, split.reserve_sat) == ((), 100)

    def test_the_fraction_of_a_fee_is_the_miners(self) -> None:
        assert fee_of(99, 100) == 0

    @pytest.mark.parametrize("fee_bps", [-1, 10_001])
    def test_a_fee_above_the_whole_is_refused(self, fee_bps: int) -> None:
        with pytest.raises(ValueError, match="basis points"):
            fee_of(100, fee_bps)

    def test_pps_plus_shares_only_the_fees(self) -> None:
        assert pps_plus_block(10, {"a": 1, "b": 1}, 2).total_sat == 10
