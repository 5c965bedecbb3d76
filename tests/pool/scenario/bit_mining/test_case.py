"""The figures of the case are the public ones."""

from __future__ import annotations

from itertools import pairwise

import pytest

from payout.contracts import parse_steps, parties
from pool.bitcoin.target import difficulty_from_target, target_from_nbits
from pool.fleet.times import utc
from pool.scenario.bit_mining.case import (
    DARK_MS,
    EPOCHS,
    GANZI,
    KZ_HOSTING,
    KZ_JV,
    LOTS,
    PARTIES,
    PLACES,
    Case,
    Epoch,
    Place,
    case_of,
)


@pytest.mark.parametrize("epoch", EPOCHS, ids=lambda each: str(each.height))
def test_the_nbits_of_each_epoch_stand_for_its_published_difficulty(epoch: Epoch) -> None:
    assert int(difficulty_from_target(target_from_nbits(epoch.nbits))) == epoch.difficulty


def test_an_epoch_has_2016_blocks() -> None:
    assert {after.height - epoch.height for epoch, after in pairwise(EPOCHS)} == {2016}


def test_all_in_place_are_10352_machines_of_458_petahashes() -> None:
    assert sum(lot.machines for lot in LOTS) == 10_352
    assert sum(lot.nominal_ghs for lot in LOTS) == 458_000_000


def test_on_28_july_3819_are_in_kazakhstan_4033_on_the_way_and_2500_are_bought() -> None:
    by_place = {place.name: sum(lot.machines for lot in LOTS if lot.goes is place) for place in PLACES}
    assert (by_place[KZ_HOSTING.name], by_place[KZ_JV.name]) == (3_819, 4_033)
    (bought,) = (lot for lot in LOTS if lot.stood is None)
    assert (bought.machines, bought.price_minor // 100, bought.nominal_ghs) == (2_500, 6_600_000, 165_000_000)


def test_batch_1_is_rated_at_56875_gigahashes_a_machine() -> None:
    assert LOTS[0].nominal_ghs == LOTS[0].machines * 56_875


def test_power_goes_at_nine_in_the_morning_of_beijing() -> None:
    assert utc(DARK_MS) == "2021-06-19T01:00:00Z"


@pytest.mark.parametrize("place", PLACES, ids=lambda each: each.name)
def test_each_site_has_power_for_what_goes_there(place: Place) -> None:
    stand = [lot for lot in LOTS if place in (lot.goes, lot.stood)]
    assert sum(lot.machines * lot.watts for lot in stand) <= place.capacity_w


def test_whoever_a_contract_names_has_an_account() -> None:
    assert {name for place in PLACES for name in parties(parse_steps(place.steps))} <= set(PARTIES)
    assert GANZI.name in PARTIES


def test_a_smaller_case_finds_as_many_blocks_with_fewer_shares() -> None:
    whole, scaled = Case(), case_of(7, 50)
    assert (scaled.seed, scaled.scale, scaled.difficulty) == (7, 50, 50 * whole.difficulty)
