"""Who is where, and when."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec.structs import replace

from pool.fleet.move import State
from pool.fleet.travel import Status, status
from pool.scenario.bit_mining.case import BEGINS_MS, DARK_MS, DAY_MS, GANZI, LOTS, Case, case_of
from pool.scenario.bit_mining.travel import STARTS_MS, Leaving, Stay, leave, stays, workers

CASE = case_of(1, 8)


@pytest.fixture(scope="module")
def left() -> list[Leaving]:
    return leave(CASE)


@pytest.fixture(scope="module")
def where(left: list[Leaving]) -> list[Stay]:
    return list(stays(CASE, left))


class TestLeaving:
    def test_a_batch_goes_in_ten_waves_a_quarter_of_an_hour_apart(self, left: list[Leaving]) -> None:
        first = left[1]
        waves = Counter(each.out.asked_ms or 0 for each in first.travellers if each.out.tries == 1)
        assert sorted(waves) == [STARTS_MS + wave * 900_000 for wave in range(10)]

    def test_nobody_hashes_at_the_old_site_after_its_deadline(self, where: list[Stay]) -> None:
        assert max(stay.off_ms for stay in where if stay.site is GANZI) <= DARK_MS

    def test_who_follows_no_redirect_stays_until_the_power_goes_and_is_told_three_times(
        self, left: list[Leaving]
    ) -> None:
        stayed = [each.out for move in left for each in move.travellers if each.out.gone_ms == DARK_MS]
        assert 0 < len(stayed) < 0.1 * sum(len(move.travellers) for move in left)
        assert max(leg.tries for leg in stayed) == 3

    def test_once_the_site_is_dark_everybody_is_in_transit(self, left: list[Leaving]) -> None:
        for each in left:
            assert {status(each.move, traveller, DARK_MS) for traveller in each.travellers} == {Status.GONE}

    def test_a_closed_move_says_how_many_never_came(self, left: list[Leaving]) -> None:
        move = left[1]
        came = {each.login: DARK_MS + DAY_MS for each in move.travellers[3:]}
        closed = move.arrive(came)
        assert closed.move.state is State.CLOSED
        assert closed.move.events[-1].reason == f"3 of {len(move.travellers)} were damaged on the way"
        assert sum(each.out.arrived_ms is None for each in closed.travellers) == 3


class TestArriving:
    def test_the_first_machine_comes_on_when_it_is_planned_and_none_before(self, where: list[Stay]) -> None:
        for lot in LOTS:
            on_ms = [stay.on_ms for stay in where if stay.lot is lot and stay.site is lot.goes]
            assert min(on_ms) == lot.on_ms

    def test_most_are_on_when_the_ramp_is_over_and_some_come_days_later(self, where: list[Stay]) -> None:
        for lot in LOTS:
            on_ms = [stay.on_ms for stay in where if stay.lot is lot and stay.site is lot.goes]
            assert sum(each <= lot.on_ms + lot.ramp_ms for each in on_ms) > 0.9 * len(on_ms)
            assert max(on_ms) < lot.on_ms + lot.ramp_ms + 5 * DAY_MS

    def test_new_machines_hashed_nowhere_before(self, where: list[Stay]) -> None:
        new = [stay for stay in where if stay.lot.stood is None]
        assert new
        assert all(stay.on_ms > DARK_MS for stay in new)

    def test_the_others_hash_at_ganzi_from_the_beginning(self, where: list[Stay]) -> None:
        began = {stay.worker for stay in where if stay.on_ms == BEGINS_MS}
        assert began == {name for lot in LOTS if lot.stood is GANZI for name in workers(lot, CASE.scale)}

    def test_broken_machines_never_come(self, left: list[Leaving]) -> None:
        whole = replace(CASE, broken_permille=0)
        broken = replace(CASE, broken_permille=1000)
        assert sum(stay.site is not GANZI for stay in stays(whole, left)) == sum(
            len(workers(lot, CASE.scale)) for lot in LOTS
        )
        assert all(stay.site is GANZI for stay in stays(broken, left))


def test_the_same_seed_gives_the_same_travels(left: list[Leaving], where: list[Stay]) -> None:
    again = leave(CASE)
    assert again == left
    assert list(stays(CASE, again)) == where
    assert leave(Case(seed=2, scale=8)) != left
