"""Books on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from payout.store.ledger import SqlLedger
from tests.databases import NAMES, PostgresqlBooks, empty_sqlite, fresh
from tests.postgresql import Databases


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An empty SQLite database of this version."""
    return empty_sqlite(tmp_path_factory.mktemp("template"))


@pytest.fixture
def sqlite(sqlite_file: bytes) -> Iterator[Engine]:
    """Empty books on SQLite."""
    with fresh(sqlite_file) as engine:
        yield engine


@pytest.fixture(scope="session")
def postgresql_books(postgresql: Databases) -> PostgresqlBooks:
    """Makes empty books on PostgreSQL."""
    return PostgresqlBooks(postgresql)


@pytest.fixture(params=NAMES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Empty books on each database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite")
        return
    books: PostgresqlBooks = request.getfixturevalue("postgresql_books")
    with books() as made:
        yield made


@pytest.fixture
def ledger(engine: Engine) -> SqlLedger:
    """Empty books on each database, as accounting sees them."""
    return SqlLedger(engine)
