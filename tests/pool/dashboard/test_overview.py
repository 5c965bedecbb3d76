"""Expectations: mean time between blocks, chance of one today, presence."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from pool.dashboard.health import Health
from pool.dashboard.overview import DIFFICULTY_1_HASHES, luck, overview, presence
from pool.dashboard.readings import Reading
from pool.dashboard.rows import LiveView, Totals
from tests.pool.dashboard.browser import ABOUT
from tests.pool.dashboard.fakes import NOW_MS, hashrate, live_view, worker

TOTALS = Totals(0, {}, None, 0, 0, 1.5)


def view_at(hps: float, difficulty: float) -> LiveView:
    view = live_view([worker("acct.rig-1")])
    work = view.roles.work["main"]
    assert work.job is not None
    work = replace(work, job=replace(work.job, network_difficulty=difficulty))
    pool = replace(view.pool, hashrate=hashrate(hps, shares_a_minute=1e12))
    return replace(view, pool=pool, roles=replace(view.roles, work={"main": work}))


def test_a_block_at_difficulty_1_takes_4295032833_hashes() -> None:
    assert round(DIFFICULTY_1_HASHES) == 4_295_032_833


def test_the_mean_time_is_work_over_hashrate() -> None:
    assert luck(view_at(4_295_032_833.0, 600.0), TOTALS).expected_seconds == pytest.approx(600)


def test_the_chance_of_a_block_within_the_mean_time_is_63_percent() -> None:
    day = luck(view_at(4_295_032_833.0, 86_400.0), TOTALS)
    assert day.block_within_day == pytest.approx(1 - 1 / math.e)


def test_a_tiny_chance_does_not_vanish_in_rounding() -> None:
    assert luck(view_at(1.0, 1e14), TOTALS).block_within_day == pytest.approx(86_400 / (1e14 * 4_295_032_833))


def test_without_hashrate_nothing_is_expected() -> None:
    still = luck(live_view([]), TOTALS)
    assert (still.expected_seconds, still.block_within_day) == (None, None)


def test_effort_needs_only_the_books() -> None:
    assert luck(None, TOTALS).effort == 1.5


def test_without_books_effort_is_unknown() -> None:
    assert luck(view_at(1e12, 1e12), None).effort is None


def test_a_worker_with_two_connections_is_one_worker() -> None:
    view = live_view([worker("acct.rig-1", sessions=2), worker("acct.rig-2", sessions=0)])
    assert (presence(view).workers, presence(view).workers_online, presence(view).sessions) == (2, 1, 2)


def test_a_maintenance_is_told_with_its_end() -> None:
    view = replace(live_view([]), silenced_until_ms=NOW_MS + 60_000)
    told = overview(ABOUT, Reading(view), Reading(TOTALS), Health(True, ()))
    assert told.silenced_until_ms == NOW_MS + 60_000
