"""Orders by region."""

from __future__ import annotations

from pool.fleet.move import Step
from pool.fleet.orders import RegionOrder, by_region
from pool.fleet.travel import next_orders
from tests.pool.fleet.moves import LOGINS, START_MS, event, fleet, planned, running


def test_orders_go_to_the_region_where_the_machines_are() -> None:
    orders = by_region([(running(), next_orders(running(), fleet(), START_MS))], START_MS)
    assert orders == {
        "sichuan": [RegionOrder(LOGINS[0], "kazakhstan.pool.example", 3333, 0, 10, START_MS)],
        "kazakhstan": [],
    }


def test_of_a_rollback_to_the_other_one_with_the_way_back() -> None:
    asked = next_orders(running(), fleet(), START_MS)
    back = running().take(event(Step.ROLL_BACK, START_MS + 1000))
    orders = by_region([(back, next_orders(back, asked, START_MS + 1000))], START_MS + 1000)
    assert orders["sichuan"] == []
    assert [(each.login, each.host) for each in orders["kazakhstan"]] == [(LOGINS[0], "sichuan.pool.example")]


def test_a_move_that_does_not_run_has_none_and_its_regions_are_told_so() -> None:
    assert by_region([(planned(), fleet())], START_MS) == {"sichuan": [], "kazakhstan": []}
