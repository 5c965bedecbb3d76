"""`steppe rebuild` beside the pool itself: what it says while that runs, and of books that were changed.

On regtest every share is a block."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis

from pool.node.private import PrivateNode
from pool.paths import Paths
from pool.store.redis_server import url_of
from tests.regtest.whole_pool import WholePool, eventually


@pytest.fixture(scope="module")
def pool(regtest_node: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholePool]:
    it = WholePool(tmp_path_factory.mktemp("pool"), regtest_node, "regtest")
    it.config_path.write_text(
        it.config_path.read_text().replace("0.0001", "1e-9").replace("[stratum]", "[stratum]\nprocesses = 2", 1)
    )
    it.add_account("alice", "pplns", 100)
    it.add_account("bob", "pps", 200)
    it.start()
    it.mine("alice.rig", shares=6, rate_hps=40)
    it.mine("bob.rig", shares=5, rate_hps=40)
    it.node.mine(101)
    eventually("maturity", lambda: it.blocks("mature"))
    it.mine("carol.rig", shares=3, rate_hps=40)
    yield it
    it.stop()


def rebuild(pool: WholePool, *more: str) -> tuple[int, Any]:
    """The exit code and the report."""
    done = subprocess.run(
        [sys.executable, "-m", "pool", "rebuild", "-c", str(pool.config_path), "--json", *more],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.stdout, done.stderr.decode()
    return done.returncode, json.loads(done.stdout)


def different(report: Any) -> dict[str, list[str]]:
    return {check["what"]: check["differences"] for check in report["checks"] if check["different"]}


def books(pool: WholePool) -> sqlite3.Connection:
    return sqlite3.connect(Paths(Path(pool.config.pool.data_dir)).ledger, timeout=30)


def test_a_pool_that_runs_is_identical_to_what_its_journals_give(pool: WholePool, tmp_path: Path) -> None:
    with pool.miner("alice.other", rate_hps=5):
        eventually("shares of the miner", lambda: pool.get("/api/v1/workers?q=alice.other")["rows"])
        code, report = rebuild(pool, "--into", str(tmp_path))
    assert different(report) == {}
    assert (code, report["identical"]) == (0, True)
    counted = {check["what"]: check["live"] for check in report["checks"]}
    assert counted["blocks"] >= 8
    assert counted["blocks, with the chain"] == counted["blocks"]
    assert counted["statistics: workers"] >= 3
    assert counted["postings of the ledger"] > counted["blocks"] / 2
    assert (tmp_path / "ledger.sqlite").exists()
    assert list(tmp_path.glob("statistics-*.json"))


def test_its_words_are_a_table(pool: WholePool) -> None:
    said = pool.steppe("rebuild").splitlines()
    assert said[0].split() == ["compared", "live", "rebuilt", "different"]
    assert said[-1] == "identical"


def test_a_place_that_is_in_use_is_refused(pool: WholePool) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pool", "rebuild", "-c", str(pool.config_path), "--into", pool.config.pool.data_dir],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert b"is where the live ledger is" in done.stderr


def test_a_counter_that_was_changed_in_redis_is_named(pool: WholePool) -> None:
    client = redis.Redis.from_url(url_of(Paths(Path(pool.config.pool.data_dir)).redis))
    key = next(key for key in client.scan_iter("steppe:workers:*") if client.hexists(key, "carol.rig"))
    stored: Any = client.hget(key, "carol.rig")
    tally = json.loads(stored)
    tally[4][0] += 1
    client.hset(key, "carol.rig", json.dumps(tally))
    client.close()
    code, report = rebuild(pool)
    assert code == 1
    ((what, (text,)),) = different(report).items()
    assert what == "statistics: workers"
    assert text.startswith("carol.rig, journal ")
    assert "counts" in text


def test_a_row_that_was_changed_in_the_ledger_is_named(pool: WholePool) -> None:
    with closing(books(pool)) as connection, connection:
        connection.execute("DROP TRIGGER credit_no_update")
        changed = connection.execute(
            "UPDATE credit SET gross_sat = gross_sat + 1 WHERE rowid = (SELECT min(rowid) FROM credit)"
        )
        assert changed.rowcount == 1
    code, report = rebuild(pool)
    assert code == 1
    (text,) = different(report)["credits of blocks"]
    assert "(slice 0, pplns, 100 bps)" in text
