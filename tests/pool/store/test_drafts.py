"""pool.store.drafts, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from pool.fleet.move import Step
from pool.store.drafts import SqlDrafts
from pool.store.moves import SqlMoves
from pool.store.sql import reading, writing
from tests.payout.conftest import engine, postgresql_books, sqlite, sqlite_file
from tests.pool.fleet.moves import LOGINS, PLAN, START_MS
from tests.pool.fleet.test_draft import DRAFT, DROPPED

__all__ = ["engine", "postgresql_books", "sqlite", "sqlite_file"]


def keep(engine: Engine) -> None:
    with writing(engine) as connection:
        SqlDrafts(connection).keep(DRAFT)


def test_a_draft_is_read_as_it_stands_with_all_that_happened(engine: Engine) -> None:
    keep(engine)
    with writing(engine) as connection:
        later = DRAFT.after(Step.FOLLOW, START_MS + 5, "a notice", "put off", DRAFT.deadline_ms + 1)
        SqlDrafts(connection).keep(later)
    with reading(engine) as connection:
        assert SqlDrafts(connection).every() == [later]
        assert SqlDrafts(connection).get("ganzi-out") == later
        assert SqlDrafts(connection).get("another") is None


def test_one_whose_name_a_move_has_is_planned(engine: Engine) -> None:
    keep(engine)
    with writing(engine) as connection:
        assert [each.name for each in SqlDrafts(connection).unplanned()] == ["ganzi-out"]
        SqlMoves(connection).add("ganzi-out", PLAN, LOGINS, "ann", START_MS)
        assert (SqlDrafts(connection).unplanned(), SqlDrafts(connection).get("ganzi-out")) == ([], None)
        assert SqlDrafts(connection).every() == [DRAFT]


@pytest.mark.parametrize("change", ["UPDATE move_draft SET site = 'x'", "DELETE FROM move_draft"])
def test_what_happened_to_it_cannot_be_changed(engine: Engine, change: str) -> None:
    keep(engine)
    with pytest.raises(DBAPIError, match="append-only"), writing(engine) as connection:
        connection.execute(text(change))
    with writing(engine) as connection:
        SqlDrafts(connection).keep(DROPPED)
    with reading(engine) as connection:
        assert not SqlDrafts(connection).every()[0].is_open
