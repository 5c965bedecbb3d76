"""Hashrate over time: rings of cells, and what a chart reads of them."""

from __future__ import annotations

import pytest

from pool.stats.history import COARSE_CELLS, FINE_CELLS, Cell, Rings, points

DAY = 86_400
NOW = 1_700_000_400 // 1800 * 1800


def minute(number: int, work: int = 600, shares: int = 1) -> Cell:
    return Cell(NOW + 60 * number, work, float(work**2 * shares), shares, 0)


def filled(*numbers: int) -> Rings:
    rings = Rings()
    for number in numbers:
        rings = rings.with_minute(minute(number))
    return rings


def test_a_minute_is_its_work_over_sixty_seconds() -> None:
    (point,) = points(filled(0), 60, 60)
    assert point.hps == 10.0
    assert point.error == 1.0


def test_a_minute_without_shares_reads_zero_and_has_no_error() -> None:
    rates = [(point.hps, point.error) for point in points(filled(0, 3), 60, 60)]
    assert rates == [(10.0, 1.0), (0.0, None), (0.0, None), (10.0, 1.0)]


def test_nothing_is_shown_before_the_first_share() -> None:
    assert points(Rings(), 60, 60) == ()
    assert len(points(filled(0, 1), 7_200, 360)) == 1


def test_the_step_that_is_not_over_counts_for_the_time_that_is() -> None:
    (point,) = points(filled(0, 1, 2), 1_800, 336)
    assert point.hps == pytest.approx(10.0)


def test_no_ring_grows_beyond_its_time() -> None:
    rings = Rings(
        tuple(minute(number) for number in range(FINE_CELLS)),
        tuple(Cell(NOW + 1800 * number, 1, 1.0, 1, 0) for number in range(COARSE_CELLS)),
        NOW + DAY,
    ).with_minute(Cell(NOW + 1800 * COARSE_CELLS, 600, 360_000.0, 1, 0))
    assert len(rings.fine) == 1
    assert len(rings.coarse) == COARSE_CELLS


def test_a_clock_that_was_set_back_loses_nothing() -> None:
    rings = filled(0, 5, 2)
    assert sum(cell.work for cell in rings.fine) == sum(cell.work for cell in rings.coarse) == 1_800


def test_two_journals_of_the_same_minute_add_up() -> None:
    (point,) = points(filled(0).plus(filled(0)), 60, 60)
    assert point.hps == 20.0
    assert point.error == pytest.approx(2**-0.5)
