"""payout.commissioning. The worked cases are the vector P22."""

from __future__ import annotations

from fractions import Fraction

import pytest

from payout.commissioning import Batch, progress


def test_the_rate_of_one_machine_stays_a_fraction() -> None:
    assert progress(Batch(2600, 0, 102_300_000, 0, 86_400)).nominal_ghs_per_machine == Fraction(511_500, 13)


def test_what_is_expected_is_compared_before_it_is_rounded() -> None:
    half_expected = Batch(machines=2, machines_online=1, nominal_ghs=1, work=10**9, seconds=1)
    assert (progress(half_expected).expected_ghs, progress(half_expected).measured_vs_expected_bps) == (0, 20_000)


def test_a_batch_without_a_machine_online_expects_nothing() -> None:
    assert progress(Batch(10, 0, 1000, 0, 60)).measured_vs_expected_bps == 0


@pytest.mark.parametrize(
    "batch", [Batch(0, 0, 1, 1, 1), Batch(1, 2, 1, 1, 1), Batch(1, 1, 1, 1, 0), Batch(1, 1, -1, 1, 1)]
)
def test_counts_that_cannot_be_are_refused(batch: Batch) -> None:
    with pytest.raises(ValueError, match="machines"):
        progress(batch)
