"""A pool whose nodes are all away lets its miners go, with a reset, and takes them in again with the next work."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.regtest.several import Peer
from tests.regtest.whole_pool import WholePool, eventually

RELEASE_SECONDS = 20
_GREETING: tuple[tuple[str, list[str]], ...] = (("mining.subscribe", []), ("mining.authorize", ["alice.rig", "x"]))


class Miner:
    """A connection that says what every miner says first."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        try:
            for number, (method, params) in enumerate(_GREETING):
                self.socket.sendall(json.dumps({"id": number, "method": method, "params": params}).encode() + b"\n")
        except BaseException:
            self.socket.close()
            raise

    def hears_of_work(self) -> bool:
        with suppress(TimeoutError):
            return b"mining.notify" in self.socket.recv(65_536)
        return False

    def is_reset(self) -> bool:
        """Whether it was reset, rather than closed or kept."""
        self.socket.settimeout(0.2)
        try:
            while self.socket.recv(65_536):
                pass
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        raise AssertionError("closed without a reset")


@pytest.fixture
def peers(bitcoind_program: Path, tmp_path: Path) -> Iterator[tuple[Peer, Peer]]:
    a, b = (Peer(bitcoind_program, tmp_path / name) for name in "ab")
    a.node.mine(1)
    b.connect(a)
    yield a, b
    for peer in (a, b):
        peer.node.stop()


@pytest.fixture
def pool(peers: tuple[Peer, Peer], tmp_path: Path) -> Iterator[WholePool]:
    a, b = peers
    second = f'\n[[node]]\nurl = "{b.node.url}"\ncookie_file = "{b.node.cookie_file}"\nzmq = "{b.zmq}"\n'
    pool = WholePool(tmp_path, a.node, "regtest", second)
    text = pool.config_path.read_text()
    pool.config_path.write_text(text.replace("[stratum]\n", f"[stratum]\nrelease_seconds = {RELEASE_SECONDS}\n"))
    pool.start()
    yield pool
    pool.stop()


@pytest.fixture
def miner(pool: WholePool) -> Iterator[Miner]:
    miner = Miner(pool.stratum_port)
    eventually("it has work", miner.hears_of_work)
    yield miner
    miner.socket.close()


def taken_in(pool: WholePool) -> bool:
    """Whether a miner that connects now gets work."""
    try:
        miner = Miner(pool.stratum_port)
    except ConnectionError:
        return False
    with closing(miner.socket), suppress(ConnectionError):
        return miner.hears_of_work()
    return False


def test_miners_go_when_no_node_is_left_and_come_back_with_the_work(
    pool: WholePool, peers: tuple[Peer, Peer], miner: Miner
) -> None:
    a, b = peers
    a.node.mine(1)
    eventually("the second node has the block", lambda: b.tip() == a.tip())
    a.node.kill()
    eventually("the second node gives the work", lambda: chosen(pool) == b.name)
    assert not miner.is_reset()

    os.kill(b.node.pid, signal.SIGSTOP)
    eventually("the miner is reset", miner.is_reset)
    eventually("/readyz says that miners were sent away", lambda: checks(pool)["stratum"] == "down")
    eventually("a person is called", lambda: "no_node_left" in [line["event"] for line in pool.log("work")])
    assert checks(pool)["nodes"] == "down"
    assert not taken_in(pool)

    os.kill(b.node.pid, signal.SIGCONT)
    eventually("miners are taken in", lambda: taken_in(pool))
    assert [line["event"] for line in pool.log("stratum") if line["event"].startswith("miners")] == [
        "miners_released",
        "miners_welcome",
    ]
    # It may have been set aside once more, for a moment, while it caught up with its calls.
    eventually("the second node gives the work again", lambda: chosen(pool) == b.name)
    nodes = pool.get("/api/v1/pool")["roles"]["work"]["main"]["nodes"]
    assert [node["is_silent"] for node in nodes] == [None, False]


def test_so_they_do_when_the_work_role_is_away_and_not_when_it_is_back_in_time(pool: WholePool, miner: Miner) -> None:
    old = pool.kill("work")
    eventually("another work role runs", lambda: pool.pid_of("work") != old)
    eventually("it is ready", pool.is_ready)
    assert not miner.is_reset()

    os.kill(pool.pid_of("work"), signal.SIGSTOP)
    eventually("the miner is reset", miner.is_reset)
    os.kill(pool.pid_of("work"), signal.SIGCONT)
    eventually("miners are taken in", lambda: taken_in(pool))


def checks(pool: WholePool) -> dict[str, str]:
    return {check["name"]: check["state"] for check in pool.get("/readyz")["checks"]}


def chosen(pool: WholePool) -> str | None:
    nodes = [node for work in pool.get("/api/v1/pool")["roles"]["work"].values() for node in work["nodes"]]
    return next((node["name"] for node in nodes if node["is_chosen"]), None)
