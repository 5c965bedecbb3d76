"""docs/upgrading.md, done: books of an older version under this one, and books of a newer one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from pool.node.private import PrivateNode
from pool.store.revisions import known_revisions, migrations
from pool.store.sql import connect, reading, writing
from pool.store.upgrade import revision_of
from tests.regtest.whole_pool import WholePool, eventually


@pytest.fixture
def pool(tmp_path: Path, regtest_node: PrivateNode) -> WholePool:
    """Not yet started, with books of the first revision in which alice has a plan."""
    made = WholePool(tmp_path, regtest_node, "regtest")
    (tmp_path / "data").mkdir(mode=0o700)
    engine = connect(books_url(made))
    with writing(engine) as connection:
        config = migrations()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO account VALUES (1, 'alice', 1)"))
        connection.execute(text("INSERT INTO plan VALUES (1, 1, 'pplns', 250)"))
    engine.dispose()
    return made


def books_url(pool: WholePool) -> str:
    return f"sqlite:///{pool.folder / 'data' / 'ledger.sqlite'}"


def revision(pool: WholePool) -> str | None:
    engine = connect(books_url(pool))
    try:
        with reading(engine) as connection:
            return revision_of(connection)
    finally:
        engine.dispose()


def steppe(pool: WholePool, *words: str) -> tuple[int, str]:
    """Exit code and everything that a command says."""
    done = subprocess.run(
        [sys.executable, "-m", "pool", *words, "-c", str(pool.config_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_check_and_doctor_upgrade_nothing_and_doctor_says_what_will_be(pool: WholePool) -> None:
    assert steppe(pool, "check")[0] == 0
    assert "the books are of an older version (0001): they are upgraded at the next start" in steppe(pool, "doctor")[1]
    assert revision(pool) == "0001"


def test_a_start_upgrades_books_that_then_go_on_with_what_was_in_them(pool: WholePool) -> None:
    pool.start()
    try:
        assert revision(pool) == known_revisions()[0]
        pool.mine("alice.rig", shares=1, rate_hps=20)
        (block,) = eventually("her block is credited", lambda: pool.blocks("immature"))
        assert "fee 2.50 %" in pool.steppe("explain", "credit", f"{block['height']}:alice")
    finally:
        assert pool.stop() == 0


def test_a_program_refuses_newer_books_and_goes_on_with_the_copy_of_before(pool: WholePool) -> None:
    books = pool.folder / "data" / "ledger.sqlite"
    copy = shutil.copy(books, pool.folder / "copy.sqlite")
    engine = connect(books_url(pool))
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    refusal = "the books are of a newer version (9999), which this one does not know and leaves alone"
    for words in (["run", "--role", "accounting"], ["account", "add", "bob"], ["audit"], ["payout", "list"]):
        code, said = steppe(pool, *words)
        assert (code, refusal in said, "Traceback" in said) == (1, True, False), said
    assert "the books are of a newer version (9999)" in steppe(pool, "doctor")[1]
    assert revision(pool) == "9999"
    for left in pool.folder.glob("data/ledger.sqlite*"):
        left.unlink()
    shutil.copy(copy, books)
    assert steppe(pool, "account", "list")[0] == 0
    assert revision(pool) == known_revisions()[0]
