"""`steppe backup` of a pool under load, then kill -9, then `steppe restore` elsewhere; on both databases.

On regtest every share is a block, so what the backup lacks is also in the chain, and the pool must notice."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from payout.store.ledger import SqlLedger
from payout.strays import GRACE_MS
from pool.node.private import PrivateNode
from pool.paths import Paths
from pool.roles.database import reach_database
from pool.store.sql import high_water, reading
from tests.postgresql import Databases
from tests.regtest.conftest import StartNode
from tests.regtest.whole_pool import WAIT_SECONDS_MAX, WholePool, eventually

PAYOUTS = '[payouts]\nenabled = true\nwallet = "pool"\nhour_utc = -1\nthreshold_sat = 100000\n'


def whole(folder: Path, node: PrivateNode, database: str) -> WholePool:
    folder.mkdir()
    url = f'[database]\nurl = "{database}"\n' if database else ""
    pool = WholePool(folder, node, "regtest", PAYOUTS + url)
    pool.config_path.write_text(pool.config_path.read_text().replace("0.0001", "1e-9"))
    return pool


def command(pool: WholePool, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "pool", *words, "-c", str(pool.config_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=180,
        check=False,
    )


def facts(pool: WholePool, *words: str) -> Any:
    done = command(pool, *words, "--json")
    assert done.stdout, done.stderr.decode()
    return json.loads(done.stdout)


def marks(pool: WholePool) -> dict[str, int]:
    """By journal the last record in the books."""
    engine = reach_database(pool.config)
    try:
        with reading(engine) as connection:
            return {row.frontend: row.seq for row in connection.execute(select(high_water))}
    finally:
        engine.dispose()


def balance_sat(pool: WholePool, account: str) -> int:
    engine = reach_database(pool.config)
    try:
        with SqlLedger(engine).read() as books:
            return -books.journal.balances_sat([f"liab:{account}:available"]).get(f"liab:{account}:available", 0)
    finally:
        engine.dispose()


def has_strays(pool: WholePool) -> bool:
    engine = reach_database(pool.config)
    try:
        with SqlLedger(engine).read() as books:
            return bool(books.strays.open())
    finally:
        engine.dispose()


def received_sat(node: PrivateNode, address: str) -> int:
    """What an address has had, by the chain."""
    found = node.call("scantxoutset", "start", [f"addr({address})"])
    return round(float(found["total_amount"]) * 100_000_000)


class Story:
    """One life of a pool, its backups, its end and its second life."""

    def __init__(self, folder: Path, node: PrivateNode, databases: tuple[str, str]) -> None:
        self.folder, self.node = folder, node
        self.first = whole(folder / "first", node, databases[0])
        self.second = whole(folder / "second", node, databases[1])
        self.address = str(node.call("decodescript", (b"\x00\x14" + b"\x07" * 20).hex())["address"])
        self.manifest: Any = None
        self.paid_sat = 0

    def play(self) -> None:
        pool = self.first
        pool.add_account("alice", "pplns", 100)
        pool.steppe("account", "address", "alice", self.address)
        pool.start()
        pool.mine("alice.rig", shares=4, rate_hps=40)
        eventually("a block of hers is in the chain", lambda: pool.blocks("immature"))
        self.node.mine(101)
        eventually("alice can be paid", lambda: balance_sat(pool, "alice"))
        with pool.miner("bob.rig", rate_hps=10):
            eventually("bob mines", lambda: pool.get("/api/v1/workers?q=bob.rig")["rows"])
            self.manifest = facts(pool, "backup", str(self.folder / "backup"))
            pool.steppe("backup", str(self.folder / "backup.tar"), "--with-secrets")
            pool.mine("carol.rig", shares=3, rate_hps=40)  # what no backup has
        pool.steppe("payout", "run")
        eventually("alice is paid", lambda: self._confirmed())
        assert pool.process is not None
        os.killpg(pool.process.pid, signal.SIGKILL)
        pool.process.wait()
        eventually("its roles are gone", lambda: not self._accounting_lives())
        self.node.mine(1)  # whatever it sent last
        self.paid_sat = received_sat(self.node, self.address)

    def _confirmed(self) -> bool:
        self.node.mine(1)
        return received_sat(self.node, self.address) > 0

    def _accounting_lives(self) -> bool:
        with contextlib.suppress(OSError):
            os.kill(self.first.pid_of("accounting"), 0)
            return True
        return False


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def story(
    request: pytest.FixtureRequest, bitcoind: StartNode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    databases = ("", "")
    if request.param == "postgresql":
        make: Databases = request.getfixturevalue("postgresql")
        databases = (make(""), make(""))
    found = Story(tmp_path_factory.mktemp("backup"), bitcoind("regtest"), databases)
    try:
        found.play()
        yield found
    finally:
        for pool in (found.first, found.second):
            if pool.process is not None and pool.process.poll() is None:
                pool.stop()


@pytest.fixture(scope="module")
def restored(story: Story) -> Any:
    """What `steppe restore` said; the second life runs."""
    told = facts(story.second, "restore", str(story.folder / "backup"))
    story.second.start(is_fit=False)
    return told


def test_the_journal_of_a_backup_has_all_that_its_books_have(story: Story) -> None:
    [journal] = story.manifest["journals"]
    assert journal["first_seq"] == 1
    assert journal["last_seq"] >= story.manifest["books"]["high_water"][journal["frontend"]] > 0


def test_what_is_restored_is_the_truth_up_to_the_stated_record(story: Story, restored: Any) -> None:
    second, [journal] = story.second, story.manifest["journals"]
    assert restored["journals"] == {journal["frontend"]: str(former(second, journal))}
    eventually(
        "the books have the whole journal", lambda: marks(second).get(journal["frontend"]) == journal["last_seq"]
    )
    second.mine("alice.rig", shares=2, rate_hps=40)
    eventually("a new journal is in the books", lambda: len(marks(second)) == 2)
    assert marks(second)[journal["frontend"]] == journal["last_seq"]
    report = facts(second, "rebuild")
    assert [check for check in report["checks"] if check["different"]] == []


def test_a_place_in_use_is_refused(story: Story, restored: Any) -> None:
    again = command(story.second, "restore", str(story.folder / "backup"))
    assert again.returncode == 1
    assert b"is not empty" in again.stderr


def test_what_was_paid_after_the_backup_is_booked_before_anything_is_paid_again(story: Story, restored: Any) -> None:
    second = story.second
    assert facts(second, "payout", "status")["is_stopped"]
    refused = command(second, "payout", "resume", "looks good")
    assert refused.returncode == 1
    assert b"transactions that these books do not know" in refused.stderr
    payments = facts(second, "payout", "foreign")
    assert {(address, *accounts) for each in payments for address, _, accounts in each["outputs"]} == {
        (story.address, "alice")
    }
    assert sum(payment["paid_sat"] for payment in payments) == story.paid_sat
    before_sat = balance_sat(second, "alice")
    for payment in payments:
        facts(second, "payout", "adopt", payment["txid"])
    assert balance_sat(second, "alice") == before_sat - story.paid_sat
    assert facts(second, "payout", "foreign") == []
    assert command(second, "payout", "adopt", payments[0]["txid"]).returncode == 1


def test_the_journal_of_the_old_disk_brings_back_what_the_backup_lacked(story: Story, restored: Any) -> None:
    second, [journal] = story.second, story.manifest["journals"]
    for payment in facts(second, "payout", "foreign"):
        facts(second, "payout", "adopt", payment["txid"])
    # The blocks of the lost shares pay the pool, and nobody is credited: that keeps payouts stopped too.
    eventually("blocks that nobody knows", lambda: has_strays(second), GRACE_MS / 1000 + WAIT_SECONDS_MAX)
    assert b"invariant 8" in command(second, "payout", "resume", "?").stderr
    assert second.stop() == 0
    shutil.rmtree(former(second, journal))
    shutil.copytree(Paths(Path(story.first.config.pool.data_dir)).journal / "0", former(second, journal))
    lost = last_record(former(second, journal))
    assert lost > journal["last_seq"]
    second.start(is_fit=False)
    eventually("the lost shares are in the books", lambda: marks(second)[journal["frontend"]] == lost)
    eventually("all is well", lambda: command(second, "audit").returncode == 0)
    assert facts(second, "rebuild")["identical"]
    assert command(second, "payout", "resume", "compared with the wallet").returncode == 0
    eventually("it is fit", second.is_ready)
    assert received_sat(story.node, story.address) == story.paid_sat


def former(pool: WholePool, journal: Any) -> Path:
    """Where a journal of a backup is."""
    return Path(pool.config.pool.data_dir, "journal", f"{journal['range']}-{journal['frontend'][:8]}")


def last_record(folder: Path) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "pool", "journal", "verify", "--folder", str(folder), "--json"],
        check=True,
        capture_output=True,
    )
    return int(json.loads(done.stdout)["journals"][0]["last_seq"])
