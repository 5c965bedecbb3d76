"""pool.roles.database: books of an older version, and who may upgrade them beside whom."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import time

import pytest
from alembic import command
from msgspec.structs import replace
from sqlalchemy import Engine, insert

from payout.ports import LedgerUnavailable
from pool.config import Config, DatabaseOptions
from pool.roles.database import open_database
from pool.roles.processes import this_process
from pool.store.revisions import known_revisions, migrations
from pool.store.sql import connect, lease, reading, writing
from pool.store.upgrade import revision_of
from tests.databases import NAMES, sqlite_url
from tests.pool.roles.test_payments import config as configured

OLDER = known_revisions()[1]
HOUR_MS = 3_600_000


@pytest.fixture(params=NAMES)
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Config:
    """With a database of the version before this one."""
    url = sqlite_url(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgresql")("")
    made = replace(configured(), database=DatabaseOptions(url=url))
    _migrate(made, OLDER)
    return made


@pytest.fixture
def engine(config: Config) -> Iterator[Engine]:
    made = connect(config.database.url)
    yield made
    made.dispose()


def _migrate(config: Config, revision: str) -> None:
    engine = connect(config.database.url)
    with writing(engine) as connection:
        found = migrations()
        found.attributes["connection"] = connection
        command.upgrade(found, revision)
    engine.dispose()


def keep(engine: Engine, holder: str, left_ms: int = HOUR_MS) -> None:
    """Somebody has the lease for so long."""
    now_ms = int(time() * 1000)
    with writing(engine) as connection:
        values = {"name": "accounting", "holder": holder, "fence": 1, "expires_ms": now_ms + left_ms}
        connection.execute(insert(lease).values(values))


def ended_process() -> str:
    program = "from pool.roles.processes import this_process; print(this_process())"
    return subprocess.check_output([sys.executable, "-c", program], text=True).strip()


def revision(engine: Engine) -> str | None:
    with reading(engine) as connection:
        return revision_of(connection)


@pytest.mark.parametrize("holder", ["", "elsewhere:1:1"])
def test_books_that_an_older_pool_keeps_are_left_as_they_are(config: Config, engine: Engine, holder: str) -> None:
    """The holder is this very process, or one elsewhere."""
    keep(engine, holder or this_process())
    why = f"older version \\({OLDER}\\), and a pool keeps them.*{holder or this_process()}.*stop that pool"
    with pytest.raises(LedgerUnavailable, match=why):
        open_database(config)
    assert revision(engine) == OLDER


def test_those_that_nobody_keeps_are_upgraded(config: Config, engine: Engine) -> None:
    open_database(config).dispose()
    assert revision(engine) == known_revisions()[0]


@pytest.mark.parametrize(("holder", "left_ms"), [("elsewhere:1:1", 0), (None, HOUR_MS)])
def test_a_lease_that_ran_out_or_whose_holder_has_ended_keeps_nothing(
    config: Config, engine: Engine, holder: str | None, left_ms: int
) -> None:
    keep(engine, holder or ended_process(), left_ms)
    open_database(config).dispose()
    assert revision(engine) == known_revisions()[0]


def test_books_of_this_version_are_opened_beside_the_pool_that_keeps_them(config: Config, engine: Engine) -> None:
    _migrate(config, "head")
    keep(engine, this_process())
    open_database(config).dispose()
