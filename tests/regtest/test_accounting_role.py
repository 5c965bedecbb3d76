"""The accounting role as a process: a broken ledger stops payouts and not the mining; two of them book once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from payout.audit import audit
from payout.invariants import SOLVENT
from payout.store.ledger import SqlLedger
from pool.node.private import PrivateNode
from pool.roles.database import reach_database
from pool.store import guards
from pool.store.sql import writing
from tests.databases import NAMES
from tests.regtest.conftest import StartNode
from tests.regtest.whole_pool import STOP_SECONDS_MAX, WholePool, eventually

PAYING = '[payouts]\nenabled = true\nwallet = "pool"\nhour_utc = -1\n'


@pytest.fixture(scope="module")
def node(bitcoind: StartNode) -> Iterator[PrivateNode]:
    started = bitcoind("regtest")
    yield started
    started.stop()


@pytest.fixture(params=NAMES)
def pool(request: pytest.FixtureRequest, node: PrivateNode, tmp_path: Path) -> Iterator[WholePool]:
    extra = PAYING
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql")("")
        extra += f'[database]\nurl = "{url}"\n'
    it = WholePool(tmp_path, node, "regtest", extra)
    it.start()
    yield it
    assert it.stop() == 0


def ledger_check(pool: WholePool) -> dict[str, Any]:
    checks: list[dict[str, Any]] = pool.get("/readyz")["checks"]
    return next(check for check in checks if check["name"] == "ledger")


def events(pool: WholePool, name: str) -> list[dict[str, Any]]:
    return [line for line in pool.log("accounting") if line["event"] == name]


def is_stopped(engine: Engine) -> bool:
    with SqlLedger(engine).read() as books:
        return books.payouts.switch().is_stopped


def refused(pool: WholePool, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pool", *words, "-c", str(pool.config_path)],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode != 0
    return (done.stdout + done.stderr).decode()


def test_a_row_that_is_changed_by_hand_stops_payouts_and_shares_are_taken_on(pool: WholePool) -> None:
    pool.mine("alice.rig", shares=1, rate_hps=20)
    eventually("a credited block", lambda: pool.blocks("immature"))
    assert ledger_check(pool)["state"] == "ok"
    engine = reach_database(pool.config)
    change = "UPDATE entry SET amount_sat = amount_sat {} 1 WHERE account = 'liab:alice:immature' AND journal_id = 1"

    def by_hand(sign: str) -> None:
        with writing(engine) as connection:
            is_sqlite = engine.dialect.name == "sqlite"
            off = "DROP TRIGGER entry_no_update" if is_sqlite else "ALTER TABLE entry DISABLE TRIGGER ALL"
            connection.execute(text(off))
            assert connection.execute(text(change.format(sign))).rowcount
            if not is_sqlite:
                connection.execute(text("ALTER TABLE entry ENABLE TRIGGER ALL"))
            guards.put_back(connection)

    by_hand("-")
    # In the books: to ask the command may take half of that time on a busy machine.
    eventually("payouts are stopped", lambda: is_stopped(engine), 10)
    assert "payouts are stopped" in pool.steppe("payout", "status")
    eventually("the log says why", lambda: events(pool, "invariant_broken"))
    [stopped] = events(pool, "payouts_stopped")
    assert "invariant 1 is broken" in stopped["message"]
    check = eventually("it is told", lambda: ledger_check(pool) if ledger_check(pool)["state"] == "warn" else None)
    assert "invariant 1 is broken" in check["text"]
    assert "steppe payout resume" in check["mend"]
    assert pool.is_ready()
    eventually("the metrics have it", lambda: "steppe_payouts_stopped 1.0" in pool.text("/metrics"))
    assert 'steppe_invariants_broken{invariant="1"} 0.0' not in pool.text("/metrics")

    blocks = len(pool.blocks())
    pool.mine("alice.rig", shares=1, rate_hps=20)
    eventually("mining and credits go on", lambda: len(pool.blocks()) > blocks)
    assert "payouts stay stopped: invariant 1" in refused(pool, "payout", "resume", "I looked")
    assert "BROKEN invariant 1" in refused(pool, "audit")

    by_hand("+")
    assert "every invariant holds" in pool.steppe("audit")
    assert "payouts are stopped" in pool.steppe("payout", "status")
    pool.steppe("payout", "resume", "the row is as it was")
    eventually("all is well", lambda: ledger_check(pool)["state"] == "ok")
    engine.dispose()


def test_of_two_roles_the_one_that_was_stopped_for_long_books_nothing_more(pool: WholePool) -> None:
    pool.mine("alice.rig", shares=1, rate_hps=20)
    eventually("a block", lambda: pool.blocks("immature"))
    first = pool.pid_of("accounting")
    with (pool.folder / "second.log").open("wb") as log:
        second = subprocess.Popen(
            [sys.executable, "-m", "pool", "run", "--role", "accounting", "-c", str(pool.config_path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        eventually("the second waits", lambda: "keeps the books" in (pool.folder / "second.log").read_text())
        os.kill(first, signal.SIGSTOP)
        try:
            pool.mine_blocks("alice.rig", 2)
            eventually("the second takes over", lambda: len(pool.blocks("immature")) >= 3)
        finally:
            os.kill(first, signal.SIGCONT)
        eventually(
            "the first hears of it", lambda: any("keeps the books" in str(line) for line in pool.log("accounting"))
        )
        pool.mine_blocks("alice.rig", 2)
        eventually("all of it is booked", lambda: len(pool.blocks("immature")) >= 5)
    finally:
        second.terminate()
        assert second.wait(STOP_SECONDS_MAX) == 0
    pool.mine("alice.rig", shares=1, rate_hps=20)
    eventually("the first keeps the books again", lambda: len(pool.blocks("immature")) >= 6)
    with SqlLedger(engine := reach_database(pool.config)).read() as books:
        assert [finding for finding in audit(books) if finding.invariant != SOLVENT] == []
        assert books.shares.end() > 0
    engine.dispose()
