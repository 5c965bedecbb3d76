"""pool.store.fleets, on both databases."""

from __future__ import annotations

from fractions import Fraction

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from payout.accounts import Scheme
from payout.contracts import parse_steps
from payout.store.accounts import SqlAccounts
from pool.fleet.facts import Fact
from pool.fleet.kinds import KINDS, Assignment, Capacity, EventKind, Levy, Rate, Reading, SiteEvent, Tariff
from pool.fleet.register import Entry, Register
from pool.store.fleet_tables import FLEET_TABLES
from pool.store.fleets import EntriesRefused, SqlFleets
from pool.store.sql import reading, writing
from tests.payout.conftest import engine, postgresql_books, sqlite, sqlite_file
from tests.pool.fleet.rows import ACCOUNTS, HOUR_MS, NOW_MS, entries, facts

__all__ = ["engine", "postgresql_books", "sqlite", "sqlite_file"]

ENERGY: list[Fact] = [
    Tariff(contract="hosting-1", party="host", currency="USD", per_kwh=Fraction(5, 2), valid_from_ms=NOW_MS),
    Levy(country="KZ", name="digital", currency="KZT", per_kwh=Fraction(100), valid_from_ms=NOW_MS),
    Levy(
        country="KZ",
        name="sliding",
        currency="KZT",
        per_kwh=Fraction(1000),
        price_from=Fraction(5),
        price_to=Fraction(10),
        valid_from_ms=NOW_MS,
    ),
    Rate(currency="USD", sat_per_minor=Fraction(1, 3), valid_from_ms=NOW_MS),
    SiteEvent(
        site="almaty",
        kind=EventKind.CURTAILMENT,
        announced_ms=NOW_MS - 1,
        wording="Подача энергии прекращена",
        time_zone="Asia/Almaty",
        source="=cmd",
        valid_from_ms=NOW_MS,
    ),
    Reading(
        meter="m1",
        site="almaty",
        account="bit",
        contract="hosting-1",
        energy_wh=480_000_000,
        valid_from_ms=NOW_MS,
        valid_to_ms=NOW_MS + HOUR_MS,
    ),
]


def record(engine: Engine, told: list[Entry], now_ms: int = NOW_MS) -> list[Fact]:
    with writing(engine) as connection:
        known = {each.name for each in SqlAccounts(connection).every()}
        for name in sorted(ACCOUNTS - known):
            SqlAccounts(connection).add(name, Scheme.PPLNS, 0, None, NOW_MS)
        return SqlFleets(connection).record(told, now_ms)


def stored(engine: Engine) -> Register:
    with reading(engine) as connection:
        return SqlFleets(connection).register()


def rows(engine: Engine) -> int:
    register = stored(engine)
    return sum(len(register.every(kind)) for kind in KINDS.values())


def test_every_kind_has_a_table_with_its_fields() -> None:
    for name, kind in KINDS.items():
        assert {column.name for column in FLEET_TABLES[name].columns} == set(kind.__struct_fields__)


def test_what_is_recorded_is_read_again(engine: Engine) -> None:
    recorded = record(engine, entries([*facts(), *ENERGY]))
    assert {type(fact) for fact in recorded} == set(KINDS.values())
    again = stored(engine)
    for fact in recorded:
        (found,) = [each for each in again.every(type(fact)) if each.row_id == fact.row_id]
        assert found == fact


def test_one_mistake_and_nothing_is_recorded(engine: Engine) -> None:
    bad = Capacity(site="nowhere", capacity_w=5, valid_from_ms=NOW_MS)
    with pytest.raises(EntriesRefused) as refused:
        record(engine, entries([*facts(), bad, bad]))
    assert str(refused.value).splitlines()[0] == "line 9: site nowhere does not exist; enter it first"
    assert rows(engine) == 0


def test_the_same_told_again_is_recorded_once(engine: Engine) -> None:
    record(engine, entries(facts()))
    before = rows(engine)
    assert record(engine, entries(facts()), NOW_MS + HOUR_MS) == []
    assert rows(engine) == before


def test_a_clock_that_was_set_back_makes_no_correction_older_than_what_it_corrects(engine: Engine) -> None:
    record(engine, entries(facts()))
    more = Capacity(site="almaty", capacity_w=7, valid_from_ms=NOW_MS)
    (corrected,) = record(engine, entries([more]), NOW_MS - HOUR_MS)
    assert corrected.recorded_ms == NOW_MS


def test_each_assignment_is_a_slice_of_its_own_and_keeps_its_number(engine: Engine) -> None:
    record(engine, entries(facts()))
    then = NOW_MS + 2 * HOUR_MS
    (first,) = stored(engine).known(Assignment)
    marks = []
    for told in (replace(first, valid_to_ms=then, replaces=1), facts(valid_from_ms=then)[-1]):
        record(engine, [Entry("x", told)])
        with reading(engine) as connection:
            marks.append(SqlFleets(connection).slices_mark())
            assert SqlFleets(connection).assignments() == stored(engine).every(Assignment)
    assert marks == [3, 4]  # of a site and two assignments, then of three
    assert [each.slice_id for each in stored(engine).every(Assignment)] == [1, 1, 2]


@pytest.mark.parametrize("statement", ["UPDATE {} SET source = 'x'", "DELETE FROM {}"])
def test_the_database_refuses_to_change_a_row(engine: Engine, statement: str) -> None:
    record(engine, entries([*facts(), *ENERGY]))
    for table in FLEET_TABLES.values():
        with pytest.raises(DBAPIError, match="append-only"), writing(engine) as connection:
            connection.execute(text(statement.format(table.name)))


def test_steps_are_kept_in_words(engine: Engine) -> None:
    record(engine, entries(facts()))
    with reading(engine) as connection:
        steps = connection.execute(text("SELECT steps FROM fleet_contract")).scalar_one()
    assert steps == "net 500 host; share @owner 1"
    assert parse_steps(steps) == parse_steps("net 500 host")
