"""Books of both databases, and a pool on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from pool.store.sql import connect
from tests.payout.conftest import engine, postgresql_books, sqlite, sqlite_file
from tests.pool.backup.pools import Pool

__all__ = ["engine", "postgresql_books", "sqlite", "sqlite_file"]


@pytest.fixture
def pool(engine: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pool]:
    if engine.dialect.name == "sqlite":
        empty = connect(f"sqlite:///{tmp_path / 'new' / 'ledger.sqlite'}")
    else:
        url: Callable[[str], str] = request.getfixturevalue("postgresql")
        empty = connect(url(""))
    made = Pool(tmp_path, engine, empty)
    yield made
    made.bench.close()
    empty.dispose()
