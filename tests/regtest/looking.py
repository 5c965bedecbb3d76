"""What tests of a loop of the accounting role have in common: a real Redis, and books on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from pool.store.sql import connect
from pool.store.upgrade import upgrade
from tests.databases import NAMES, sqlite_url
from tests.regtest.redis_child import RedisChild, redis_child

START_MS = 1_800_000_000_000


@pytest.fixture(scope="module")
def server() -> Iterator[RedisChild]:
    with redis_child() as started:
        yield started


@pytest.fixture(params=NAMES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    made = connect(sqlite_url(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgresql")(""))
    upgrade(made)
    yield made
    made.dispose()
