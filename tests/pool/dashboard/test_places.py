"""Where machines stand."""

from __future__ import annotations

from pool.dashboard.places import Place, Places, placed
from pool.fleet.kinds import Assignment
from tests.pool.dashboard.fakes import NOW_MS, worker

NOW = Assignment(
    account="bit", pattern="kz-*", fleet="bit/main", site="almaty", slice_id=1, row_id=1, valid_from_ms=NOW_MS - 1000,
    valid_to_ms=NOW_MS + 60_000,
)  # fmt: skip
LATER = Assignment(
    account="bit", pattern="kz-*", fleet="bit/main", site="pecos", slice_id=2, row_id=2, valid_from_ms=NOW_MS + 60_000
)
MACHINE = worker("bit.kz-r1-07")


def test_a_machine_is_where_its_assignment_says_and_in_the_rack_of_its_name() -> None:
    assert Places([NOW, LATER], NOW_MS).of(MACHINE) == Place("almaty", "kz-r1", True)


def test_the_rule_of_racks_is_the_operators() -> None:
    assert Places([NOW], NOW_MS, r"kz-(r[0-9]+)-.*").of(MACHINE).rack == "r1"


def test_a_machine_that_no_assignment_fits_is_a_task_if_its_account_has_some() -> None:
    places = Places([NOW], NOW_MS)
    assert places.of(worker("bit.tx-1")) == Place("", "tx", False)
    assert places.of(worker("other.rig")) == Place("", "", True)


def test_the_same_assignments_hold_until_one_begins_or_ends() -> None:
    places = Places([NOW, LATER], NOW_MS)
    assert places.still_hold([NOW, LATER], NOW_MS + 59_999)
    assert not places.still_hold([NOW, LATER], NOW_MS + 60_000)
    assert Places([NOW, LATER], NOW_MS + 60_000).of(MACHINE).site == "pecos"


def test_other_assignments_do_not_hold() -> None:
    assert not Places([NOW], NOW_MS).still_hold([NOW, LATER], NOW_MS)


def test_names_that_came_and_went_are_forgotten_and_looked_up_again() -> None:
    places = Places([NOW], NOW_MS)
    for number in range(1_100):
        places.of(worker(f"bit.kz-{number}"))
    places.keep_only(10)
    assert places.of(MACHINE).site == "almaty"


def test_a_row_has_all_of_the_worker_and_its_place() -> None:
    row = placed(MACHINE, Place("almaty", "kz-r1", True))
    assert (row.login, row.activity, row.site, row.rack) == (MACHINE.login, MACHINE.activity, "almaty", "kz-r1")
