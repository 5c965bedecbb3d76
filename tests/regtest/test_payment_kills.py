"""Payments with a real wallet, killed before and after every step: of the payer, and of the node; on both databases.

The suite takes a few of them; tests/payout takes every place without a node. `STEPPE_KILLS=all` takes every place, of
payer and node, on both databases.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from pool.node.private import PrivateNode
from tests.databases import NAMES
from tests.payout.conftest import postgresql_books, sqlite, sqlite_file
from tests.regtest.conftest import StartNode
from tests.regtest.payer_process import PAUSE
from tests.regtest.paying_pool import COIN, Chain, PayingPool, amounts, kill, mine_coins
from tests.regtest.whole_pool import eventually

__all__ = ["postgresql_books", "sqlite", "sqlite_file"]

BEFORE_SENT = [
    "payout-reserve",
    "payout-reserved",
    "payout-build",
    "payout-built",
    "payout-built-kept",
    "payout-sign",
    "payout-signed",
    "payout-signed-kept",
    "payout-send",
    "payout-sent",
    "payout-sent-kept",
]
AFTER_SENT = ["payout-confirm", "payout-confirmed", "payout-finish", "payout-finished"]
PLACES = BEFORE_SENT + AFTER_SENT
ALL = [(place, victim, database) for place in PLACES for victim in ("payer", "node") for database in NAMES]
# Where a call of the wallet or a commit is on either side.
FEW = [
    ("payout-reserved", "payer", "postgresql"),
    ("payout-built", "payer", "sqlite"),
    ("payout-signed", "payer", "postgresql"),
    ("payout-signed-kept", "payer", "sqlite"),
    ("payout-sent", "payer", "postgresql"),
    ("payout-sent", "node", "sqlite"),
    ("payout-confirm", "payer", "sqlite"),
    ("payout-confirm", "node", "postgresql"),
]
COMBINATIONS = ALL if os.environ.get("STEPPE_KILLS") == "all" else FEW


@pytest.fixture(scope="module")
def node(bitcoind: StartNode) -> Iterator[PrivateNode]:
    started = bitcoind("regtest")
    mine_coins(started, len(COMBINATIONS) + 5)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def chain(node: PrivateNode) -> Chain:
    return Chain(node)


@pytest.fixture
def pool(request: pytest.FixtureRequest, node: PrivateNode, tmp_path: Path) -> Iterator[PayingPool]:
    """A pool whose books are on the database of the combination; the node serves all of them."""
    database = request.param
    engine: Engine
    if database == "sqlite":
        engine = request.getfixturevalue("sqlite")
    else:
        engine = request.getfixturevalue("postgresql_books")()
    made = PayingPool(engine, node, tmp_path)
    made.book()
    amounts(made, ["alice", "bob", "carol"], COIN // 3)
    made.ask()
    yield made
    made.close()
    engine.dispose()


@pytest.mark.parametrize(
    ("place", "victim", "pool"),
    COMBINATIONS,
    indirect=["pool"],
    ids=[f"{victim} at {place} on {database}" for place, victim, database in COMBINATIONS],
)
def test_every_line_is_paid_once(pool: PayingPool, node: PrivateNode, chain: Chain, place: str, victim: str) -> None:
    process = pool.start(kill_at=f"{place}=1") if victim == "payer" else pool.start(**{PAUSE: place})
    if place in AFTER_SENT:
        pool.until("broadcast", process=process)
        node.mine(6 if "finish" in place else 1)
    if victim == "payer":
        assert process.wait(60) == -signal.SIGKILL
        pool.finish()
    else:
        eventually("it has come there", lambda: _is_stopped(process.pid))
        kill(node, chain)
        process.send_signal(signal.SIGCONT)
        pool.finish(process)
    pool.check()
    assert pool.states() == ["final"]


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_these_are_the_places_of_the_code() -> None:
    code = Path("payout").glob("*.py")
    named = {part.split('"')[0] for path in code for part in path.read_text().split('hit("')[1:]}
    assert named == {*PLACES, "payout-unconfirm", "payout-unconfirmed"}
