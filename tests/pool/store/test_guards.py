"""pool.store.guards: the triggers that there must be, and whether anything was done to them."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from pool.store import guards
from pool.store.fleet_tables import FLEET_TABLES, fleet_charge
from pool.store.move_tables import move, move_event
from pool.store.sql import reading, writing
from tests.databases import PostgresqlBooks
from tests.payout.conftest import engine, postgresql_books, sqlite, sqlite_file

__all__ = ["engine", "postgresql_books", "sqlite", "sqlite_file"]


def look(engine: Engine) -> guards.Guards:
    with reading(engine) as connection:
        return guards.look(connection)


def test_the_migrations_make_every_guard(engine: Engine) -> None:
    assert look(engine).missing == ()
    assert look(engine) == look(engine)


def test_whatever_people_told_of_fleets_and_moves_is_guarded() -> None:
    assert guards.GUARDED.keys() >= {table.name for table in (*FLEET_TABLES.values(), fleet_charge, move, move_event)}


def test_a_guard_that_is_gone_is_missed_and_can_be_put_back(engine: Engine) -> None:
    before = look(engine)
    on_table = " ON block" if engine.dialect.name == "postgresql" else ""
    with writing(engine) as connection:
        connection.execute(text(f"DROP TRIGGER block_kept{on_table}"))
    assert look(engine).missing == ("block_kept",)
    with writing(engine) as connection:
        assert guards.put_back(connection) == ("block_kept",)
    assert look(engine).missing == ()
    assert look(engine).token != before.token


def test_a_session_of_postgresql_cannot_leave_the_guards_out(postgresql_books: PostgresqlBooks) -> None:
    with postgresql_books() as engine:
        with writing(engine) as connection:
            connection.execute(text("INSERT INTO account VALUES (1, 'alice', 1)"))
        with writing(engine) as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            with pytest.raises(IntegrityError, match="append-only"):
                connection.execute(text("UPDATE account SET name = 'mallory'"))
            connection.rollback()


def test_a_block_keeps_what_was_found_and_what_it_pays(engine: Engine) -> None:
    columns = (
        "hash, height, found_ms, finder, worker, frontend, seq, outcome, score_end, window_x, startup, state, flips"
    )
    with writing(engine) as connection:
        connection.execute(
            text(
                f"INSERT INTO block ({columns}) VALUES (:hash, 1, 1, 'a', '', 'f', 1, 'accepted', :score, '8', "
                "'distribute', 'candidate', 0)"
            ),
            {"hash": bytes(32), "score": bytes(24)},
        )
        connection.execute(text("UPDATE block SET state = 'immature', reward_sat = 5, reserve_sat = 0"))
        connection.execute(text("UPDATE block SET state = 'mature'"))
    for change in ("UPDATE block SET reward_sat = 6", "UPDATE block SET finder = 'b'", "DELETE FROM block"):
        with pytest.raises(IntegrityError, match="append-only"), writing(engine) as connection:
            connection.execute(text(change))
