"""The figures of a run."""

from __future__ import annotations

import math

import pytest

from pool.scenario.bit_mining.case import BEGINS_MS, DARK_MS, LOTS
from pool.scenario.bit_mining.figures import STEP_MS, Figures, Shown, day, figures, shown, words
from tests.pool.scenario.bit_mining.small import Small


@pytest.fixture
def told(played: Small) -> Figures:
    return figures(played.played, played.hours, played.table, played.pplns, played.pps)


@pytest.fixture
def drawn(played: Small) -> Shown:
    return shown(played.played, played.hours, played.table, played.pplns, played.pps)


def test_the_epochs_have_all_blocks_and_as_many_as_chance_allows(told: Figures) -> None:
    assert sum(epoch.blocks for epoch in told.epochs) == told.blocks
    assert abs(sum(epoch.expected_millionths for epoch in told.epochs) - told.expected_millionths) < 10
    expected = told.expected_millionths / 1e6
    assert abs(told.blocks - expected) < 5 * math.sqrt(expected)


def test_each_batch_hashes_what_it_is_rated_for_within_its_error(told: Figures) -> None:
    for batch in told.batches:
        rated = batch.nominal_ghs * batch.arrived / batch.machines
        assert 0.4 * rated < batch.measured_ghs < rated + 5 * batch.error_ghs


def test_the_block_of_the_summary_pays_both_ends_of_the_move(told: Figures) -> None:
    assert told.block is not None
    assert told.block.found_ms > LOTS[0].on_ms
    assert {"ganzi", "kz-operator", "tax:KZ"} <= set(told.block.parties_sat)


def test_every_way_pays_what_the_blocks_and_the_reserve_give(told: Figures) -> None:
    for way in told.ways:
        assert sum(way.parties_sat.values()) + way.pool_fee_sat + way.reserve_change_sat == way.blocks_sat


def test_the_picture_has_each_site_while_machines_hash_there_and_not_else(drawn: Shown) -> None:
    dark = (DARK_MS - BEGINS_MS) // STEP_MS + 1
    ganzi = drawn.rates_hps["ganzi"]
    assert sum(ganzi[:dark]) / dark == pytest.approx(293e15, rel=0.2)
    assert not any(ganzi[dark:])
    for lot in LOTS:
        first = (lot.on_ms - BEGINS_MS) // STEP_MS
        earlier = drawn.rates_hps[lot.goes.name][
            : (min(each.on_ms for each in LOTS if each.goes is lot.goes) - BEGINS_MS) // STEP_MS
        ]
        assert not any(earlier)
        assert any(drawn.rates_hps[lot.goes.name][first:])


def test_measured_follows_nominal(drawn: Shown) -> None:
    measured = sum(sum(rates) for rates in drawn.rates_hps.values())
    assert measured == pytest.approx(sum(drawn.nominal_hps), rel=0.1)


def test_income_only_rises_and_ends_with_all_that_came(played: Small, drawn: Shown) -> None:
    for points, found in ((drawn.pplns, played.pplns), (drawn.pps, played.pps)):
        assert [sat for _, sat in points] == sorted(sat for _, sat in points)
        assert points[-1][1] == found.of("bitmining")


def test_the_words_name_every_batch_party_and_epoch(told: Figures) -> None:
    text = "\n".join(words(told))
    named = [*(batch.title for batch in told.batches), *told.ways[0].parties_sat, "13,672,594,272,814", "170e1ef9"]
    assert [name for name in named if name not in text] == []


def test_a_day_is_of_utc() -> None:
    assert day(DARK_MS) == "19 Jun"
