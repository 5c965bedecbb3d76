"""Subsidies of known heights, and amounts as text."""

from __future__ import annotations

import pytest

from pool.bitcoin.amount import format_btc, subsidy


class TestSubsidy:
    """Bitcoin Core, `GetBlockSubsidy`; what the main chain's blocks claimed."""

    @pytest.mark.parametrize(
        ("height", "sat"),
        [
            (0, 50_0000_0000),
            (209_999, 50_0000_0000),
            (210_000, 25_0000_0000),
            (630_000, 6_2500_0000),
            (840_000, 3_1250_0000),
            (6_929_999, 1),
            (6_930_000, 0),
            (64 * 210_000, 0),
        ],
    )
    def test_it_halves_each_210000_blocks(self, height: int, sat: int) -> None:
        assert subsidy(height) == sat

    def test_all_subsidies_together_are_just_under_21_million(self) -> None:
        total = sum(210_000 * subsidy(210_000 * halving) for halving in range(64))
        assert format_btc(total) == "20999999.97690000"

    def test_a_test_network_may_halve_sooner(self) -> None:
        assert subsidy(150, halving_interval=150) == 25_0000_0000

    def test_a_negative_height_is_refused(self) -> None:
        with pytest.raises(ValueError, match="not negative"):
            subsidy(-1)


class TestText:
    @pytest.mark.parametrize(
        ("sat", "text"),
        [(0, "0.00000000"), (1, "0.00000001"), (12_5000_0000, "12.50000000"), (-1, "-0.00000001")],
    )
    def test_an_amount_has_eight_decimals(self, sat: int, text: str) -> None:
        assert format_btc(sat) == text
