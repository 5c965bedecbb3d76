"""Real nodes on private chains, started for the tests and ended by them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pool.node.private import PrivateChain, PrivateNode, find_bitcoind

StartNode = Callable[[PrivateChain], PrivateNode]


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
        node = PrivateNode(bitcoind_program, chain, tmp_path_factory.mktemp(chain), _free_port())
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
