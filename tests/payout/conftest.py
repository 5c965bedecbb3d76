"""Books on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from payout.store.ledger import SqlLedger
from pool.store.sql import connect
from pool.store.upgrade import upgrade
from tests.databases import NAMES, empty_sqlite, sqlite_url
from tests.postgresql import Databases


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An empty SQLite database of this version."""
    return empty_sqlite(tmp_path_factory.mktemp("template"))


@pytest.fixture
def sqlite(sqlite_file: bytes, tmp_path: Path) -> Iterator[Engine]:
    """Empty books on SQLite."""
    (tmp_path / "books.sqlite").write_bytes(sqlite_file)
    engine = connect(sqlite_url(tmp_path))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def postgresql_books(postgresql: Databases) -> Callable[[], Engine]:
    """Makes empty books on PostgreSQL."""
    template_url = postgresql("")
    engine = connect(template_url)
    upgrade(engine)
    engine.dispose()
    return lambda: connect(postgresql(template_url))


@pytest.fixture(params=NAMES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Empty books on each database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite")
        return
    made: Engine = request.getfixturevalue("postgresql_books")()
    yield made
    made.dispose()


@pytest.fixture
def ledger(engine: Engine) -> SqlLedger:
    """Empty books on each database, as accounting sees them."""
    return SqlLedger(engine)
