"""A range that is not used any more, for a while: its journal is removed, and goes on with its numbers.

On regtest every share is a block."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from payout.store.ledger import SqlLedger
from pool.journal.folder import frontend_of
from pool.journal.inspect import verify
from pool.journal.segments import segment_paths
from pool.node.private import PrivateNode
from pool.roles.database import reach_database
from tests.regtest.whole_pool import WholePool, eventually


@pytest.fixture
def pool(regtest_node: PrivateNode, tmp_path: Path) -> Iterator[WholePool]:
    it = WholePool(tmp_path, regtest_node, "regtest")
    text = it.config_path.read_text().replace("0.0001", "1e-9")
    it.config_path.write_text(text.replace("[stratum]", "[stratum]\nextranonce_range = 5\njournal_keep_days = 1", 1))
    it.add_account("alice", "pplns", 100)
    yield it
    if it.process is not None and it.process.poll() is None:
        it.stop()


def use_range(pool: WholePool, number: int) -> None:
    """Stop, and start with another range."""
    assert pool.stop() == 0
    lines = [
        f"extranonce_range = {number}" if line.startswith("extranonce_range") else line
        for line in pool.config_path.read_text().splitlines()
    ]
    pool.config_path.write_text("\n".join(lines) + "\n")
    pool.start()


def committed_seq(pool: WholePool, frontend: str) -> int:
    engine = reach_database(pool.config)
    try:
        with SqlLedger(engine).read() as books:
            return books.shares.high_water(frontend)
    finally:
        engine.dispose()


def counted(pool: WholePool) -> int:
    """Accepted shares, of all journals."""
    rows = pool.get("/api/v1/workers?q=alice.rig")["rows"] or []
    return sum(int(row["activity"]["accepted"]) for row in rows)


def explained(pool: WholePool, share_id: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pool", "explain", "reject", share_id, "-c", str(pool.config_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return (done.stdout + done.stderr).decode()


def test_the_journal_of_an_unused_range_goes_and_the_range_goes_on_with_its_numbers(pool: WholePool) -> None:
    folder = pool.folder / "data" / "journal" / "5"
    pool.start()
    pool.mine("alice.rig", shares=4, rate_hps=40)
    frontend = frontend_of(folder)
    eventually("the shares are in the books", lambda: committed_seq(pool, frontend) >= 5)
    use_range(pool, 6)
    last_seq = verify(folder).last_seq
    eventually("all of it is in the books", lambda: committed_seq(pool, frontend) == last_seq)
    assert [path.name for path in segment_paths(folder)] == ["0000000000000001.seg"]  # it is young
    assert "not any more" not in explained(pool, f"{frontend}:2")
    os.utime(segment_paths(folder)[0], (time.time() - 2 * 86_400,) * 2)
    use_range(pool, 6)
    eventually("it is removed", lambda: [int(path.stem) for path in segment_paths(folder)] == [last_seq + 1])
    assert "not any more" in explained(pool, f"{frontend}:2")
    accepted = eventually("all shares are counted", lambda: counted(pool) >= 4 and counted(pool))
    use_range(pool, 5)
    pool.mine("alice.rig", shares=1, rate_hps=40)
    eventually("new records are in the books", lambda: committed_seq(pool, frontend) > last_seq)
    eventually("they are counted on top", lambda: counted(pool) > accepted)
    assert {event["event"] for event in pool.log("stratum")}.isdisjoint(
        {"journal_behind_ledger", "journal_records_gone", "journal_unreadable", "bug", "statistics_folded_anew"}
    )
