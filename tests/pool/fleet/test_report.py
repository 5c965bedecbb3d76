"""A move as people see it."""

from __future__ import annotations

from pool.fleet.report import machines, report
from pool.fleet.travel import Leg, Traveller
from tests.pool.fleet.moves import LOGINS, PLAN, START_MS, fleet, running

NOW_MS = START_MS + 60_000


def scattered() -> list[Traveller]:
    """The first rack: one arrived, one is in transit, one stayed, one is twice; the others wait."""
    everyone = fleet()
    everyone[0] = Traveller(LOGINS[0], Leg(START_MS, 1, START_MS + 1, None, START_MS + 9))
    everyone[1] = Traveller(LOGINS[1], Leg(START_MS, 1, None, START_MS + 2))
    everyone[2] = Traveller(LOGINS[2], Leg(START_MS, 1, START_MS + 3))
    everyone[3] = Traveller(LOGINS[3], Leg(START_MS, 1, START_MS, None, START_MS + 5), twice_ms=NOW_MS)
    return everyone


def test_machines_are_counted_by_status_all_of_which_are_there() -> None:
    assert report(running(), scattered(), NOW_MS).counts == {
        "pending": 8,
        "told": 0,
        "gone": 1,
        "arrived": 2,
        "straggler": 1,
        "stayed": 0,
    }


def test_racks_name_their_stragglers_and_who_is_in_transit() -> None:
    first, *others = report(running(), scattered(), NOW_MS).racks
    assert (first.rack, first.stragglers, first.gone) == ("sc-r1", (LOGINS[2],), (LOGINS[1],))
    assert all(not rack.stragglers and not rack.gone for rack in others)


def test_names_that_two_machines_have_are_named() -> None:
    assert report(running(), scattered(), NOW_MS).twice == (LOGINS[3],)


def test_who_is_late_is_counted_when_it_is_late() -> None:
    assert report(running(), scattered(), PLAN.late_ms - 1).late == 0
    assert report(running(), scattered(), PLAN.late_ms).late == 10


def test_every_machine_stands_in_the_order_of_its_turn() -> None:
    found = machines(running(), scattered()[::-1], NOW_MS)
    assert [each.login for each in found] == LOGINS
    assert [each.status for each in found[:4]] == ["arrived", "gone", "straggler", "arrived"]
