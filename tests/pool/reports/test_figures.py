"""pool.reports.figures."""

from __future__ import annotations

import pytest

from pool.reports.figures import hashrate, kilowatts


@pytest.mark.parametrize(
    ("ghs", "told"),
    [
        (0, "0 H/s"),
        (1, "1.000 GH/s"),
        (56_875, "56.88 TH/s"),
        (999_949, "999.9 TH/s"),
        (999_951, "1.000 PH/s"),
        (18_200_000, "18.20 PH/s"),
        (1_234_567_890_123, "1.235 ZH/s"),
    ],
)
def test_a_hashrate_has_four_digits_and_a_prefix(ghs: int, told: str) -> None:
    assert hashrate(ghs) == told


def test_power_is_in_kilowatts_with_one_decimal() -> None:
    assert [kilowatts(watts) for watts in (0, 3_250, 1_040_000)] == ["0.0", "3.2", "1,040.0"]
