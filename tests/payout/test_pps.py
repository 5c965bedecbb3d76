"""payout.pps. The amounts themselves are in the vectors P12 to P14."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payout.pps import PSAT, DayBlock, fee_rate, less_fee, price, settle

DIFFICULTY_65536 = 281479271743489
JULY_2021 = 58724241314024721821304


class TestPrice:
    @given(st.integers(0, 2**100), st.integers(1, 2**100), st.integers(0, 50 * 10**8), st.integers(0, 10_000))
    def test_the_net_is_never_more_than_the_gross_nor_the_gross_than_a_block(
        self, work: int, net_work: int, subsidy_sat: int, fee_bps: int
    ) -> None:
        paid = price(work, net_work, subsidy_sat, fee_bps)
        assert 0 <= paid.net_psat <= paid.gross_psat <= subsidy_sat * PSAT

    def test_a_share_harder_than_a_block_is_paid_as_a_block(self) -> None:
        assert price(11, 10, 5, 0).gross_psat == 5 * PSAT

    @pytest.mark.parametrize(("work", "net_work", "subsidy"), [(-1, 1, 1), (1, 0, 1), (1, 1, -1)])
    def test_a_share_that_cannot_be_has_no_price(self, work: int, net_work: int, subsidy: int) -> None:
        with pytest.raises(ValueError, match="no price"):
            price(work, net_work, subsidy, 0)

    def test_the_network_can_charge_no_more_than_everything(self) -> None:
        with pytest.raises(ValueError, match="basis points"):
            less_fee(1, 10_001)


class TestSettle:
    @given(st.lists(st.integers(0, 10 * PSAT)))
    def test_nothing_is_lost_or_made_however_often_it_is_settled(self, earned: list[int]) -> None:
        carry = posted = 0
        for psat in earned:
            whole, carry = settle(carry + psat)
            posted += whole
        assert (posted, carry) == divmod(sum(earned), PSAT)

    def test_a_difficulty_of_65536_is_worth_three_satoshis_in_july_2021(self) -> None:
        assert settle(price(DIFFICULTY_65536, JULY_2021, 625_000_000, 0).gross_psat)[0] == 2


class TestFeeRate:
    def test_outliers_are_dropped_at_both_ends(self) -> None:
        blocks = [DayBlock(height, fees, 100) for height, fees in enumerate([0, 5, 6, 1000])]
        assert fee_rate(blocks, 1).heights == (1, 2)

    def test_nothing_is_dropped_if_nothing_would_be_left(self) -> None:
        blocks = [DayBlock(height, height, 100) for height in range(6)]
        assert len(fee_rate(blocks, 3).heights) == 6

    def test_equal_fees_are_dropped_by_height(self) -> None:
        blocks = [DayBlock(height, 7, 100) for height in (3, 1, 2)]
        assert fee_rate(blocks, 1).heights == (2,)

    def test_a_day_without_subsidy_has_no_rate(self) -> None:
        with pytest.raises(ValueError, match="no subsidy"):
            fee_rate([], 3)

    def test_a_negative_trim_is_refused(self) -> None:
        with pytest.raises(ValueError, match="dropped"):
            fee_rate([DayBlock(1, 1, 1)], -1)
