"""Payments with a real wallet, killed before and after every step: of the payer, and of the node; on both databases.

The suite takes a few of them, each step and each victim and database at least once; tests/payout takes every place
without a node. `scripts/chaos payments` takes every place of payer, node and operator's commands, on both databases.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from pool.node.private import PrivateNode
from tests.databases import PostgresqlBooks
from tests.regtest.conftest import StartNode
from tests.regtest.paying_pool import Chain, PayingPool, mine_coins
from tests.regtest.payment_kills import KILLS, STEPS, Kill, owe, play

# Where a call of the wallet or a commit is on either side, and where a second transaction comes in.
FEW = {
    ("new -> reserved", "after", "payer", "postgresql"),
    ("reserved -> built", "built, not kept", "payer", "sqlite"),
    ("built -> signed", "signed, not kept", "payer", "postgresql"),
    ("built -> signed", "after", "payer", "sqlite"),
    ("signed -> broadcast", "sent, not kept", "payer", "postgresql"),
    ("signed -> broadcast", "sent, not kept", "node", "sqlite"),
    ("broadcast -> confirmed", "before", "payer", "sqlite"),
    ("broadcast -> confirmed", "before", "node", "postgresql"),
    ("confirmed -> broadcast (reorg)", "after", "payer", "postgresql"),
    ("broadcast -> broadcast (replaced)", "sent", "node", "sqlite"),
    ("cancelled -> released", "before", "payer", "sqlite"),
    ("exported -> signed", "after", "command", "postgresql"),
}
CHOSEN = [each for each in KILLS if (each.step, each.when, each.victim, each.database) in FEW]


@pytest.fixture(scope="module")
def node(bitcoind: StartNode) -> Iterator[PrivateNode]:
    started = bitcoind("regtest")
    mine_coins(started, len(CHOSEN) + 5)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def chain(node: PrivateNode) -> Chain:
    return Chain(node)


@pytest.fixture
def pool(request: pytest.FixtureRequest, node: PrivateNode, tmp_path: Path) -> Iterator[PayingPool]:
    """A pool whose books are on the database of the kill; the node serves all of them."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            engine: Engine = request.getfixturevalue("sqlite")
        else:
            books: PostgresqlBooks = request.getfixturevalue("postgresql_books")
            engine = stack.enter_context(books())
        made = PayingPool(engine, node, tmp_path)
        owe(made)
        yield made
        made.close()


@pytest.mark.parametrize(
    ("each", "pool"),
    [(each, each.database) for each in CHOSEN],
    indirect=["pool"],
    ids=[each.title for each in CHOSEN],
)
def test_every_line_is_paid_once(pool: PayingPool, chain: Chain, each: Kill) -> None:
    play(each, pool, chain)


def test_these_are_the_places_of_the_code() -> None:
    code = Path("payout").glob("*.py")
    named = {part.split('"')[0] for path in code for part in path.read_text().split('hit("')[1:]}
    assert named == {place for step in STEPS for place, _ in step.places}


def test_the_few_are_kills_of_every_victim_on_every_database() -> None:
    assert len(CHOSEN) == len(FEW)
    assert {(each.victim, each.database) for each in KILLS} - {("command", "sqlite")} == {
        (each.victim, each.database) for each in CHOSEN
    }
