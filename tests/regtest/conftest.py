"""Real nodes on private chains, started for the tests and ended by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from pool.node.loopback import free_port
from pool.node.private import WALLET, PrivateChain, PrivateNode, find_bitcoind
from tests.payout.conftest import engine, postgresql_books, sqlite, sqlite_file
from tests.regtest.paying_pool import PayingPool, mine_coins

__all__ = ["engine", "postgresql_books", "sqlite", "sqlite_file"]

MakePool = Callable[..., PayingPool]
StartNode = Callable[[PrivateChain], PrivateNode]


# For what a database has little part in; else it is both.
ON_SQLITE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)


@pytest.fixture(scope="session")
def bitcoind_program() -> Path:
    """The node's program."""
    program = find_bitcoind()
    if program is None:
        pytest.fail("there is no bitcoind on PATH or in STEPPE_BITCOIND; scripts/test fetches one", pytrace=False)
    return program


@pytest.fixture(scope="session")
def bitcoind(tmp_path_factory: pytest.TempPathFactory, bitcoind_program: Path) -> Iterator[StartNode]:
    """Starts a node on a chain of its own, with a cookie; at the end all that were started are stopped."""
    started: list[PrivateNode] = []

    def start(chain: PrivateChain) -> PrivateNode:
        node = PrivateNode(bitcoind_program, chain, tmp_path_factory.mktemp(chain), free_port())
        started.append(node)
        node.start()
        return node

    yield start
    for node in started:
        node.stop()


@pytest.fixture(scope="module")
def regtest_node(bitcoind: StartNode) -> Iterator[PrivateNode]:
    """A node of this file's own on regtest."""
    node = bitcoind("regtest")
    yield node
    node.stop()


@pytest.fixture(scope="module")
def signet_node(bitcoind: StartNode) -> Iterator[PrivateNode]:
    """A node of this file's own on a signet that takes any block."""
    node = bitcoind("signet")
    yield node
    node.stop()


@pytest.fixture(scope="module")
def paying_node(bitcoind: StartNode) -> Iterator[PrivateNode]:
    """A node of this file's own on regtest, whose wallet has coins to pay with."""
    started = bitcoind("regtest")
    mine_coins(started, 40)
    yield started
    started.stop()


@pytest.fixture
def make_pool(tmp_path: Path) -> Iterator[MakePool]:
    """Makes pools whose connections are closed at the end."""
    made: list[PayingPool] = []

    def make(engine: Engine, node: PrivateNode, wallet: str = WALLET) -> PayingPool:
        made.append(PayingPool(engine, node, tmp_path, wallet))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


@pytest.fixture
def paying_pool(engine: Engine, paying_node: PrivateNode, make_pool: MakePool) -> PayingPool:
    """A pool that pays from that wallet, on each database."""
    made = make_pool(engine, paying_node)
    made.book()
    return made
