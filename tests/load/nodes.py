"""Two nodes, the whole pool on them and a miner: how soon a lost node is replaced, and a new tip mined on."""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from pool.node.private import find_bitcoind
from tests.load.processes import BenchmarkFailed, wait_for
from tests.regtest.several import Peer
from tests.regtest.whole_pool import WholePool

# Longer than anything that is measured, so that no refresh passes for the work of another node.
_REFRESH_SECONDS: Final = 45
_WAIT_SECONDS: Final = 60.0


class Miner:
    """Notes when it hears of each job, and of which previous block."""

    def __init__(self, port: int) -> None:
        self.jobs: list[tuple[float, str]] = []
        self._socket = socket.create_connection(("127.0.0.1", port))
        for number, (method, params) in enumerate((("mining.subscribe", []), ("mining.authorize", ["bench", "x"]))):
            self._socket.sendall(json.dumps({"id": number, "method": method, "params": params}).encode() + b"\n")
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _listen(self) -> None:
        lines = self._socket.makefile("rb")
        while line := lines.readline():
            heard_at = time.monotonic()
            message = json.loads(line)
            if message.get("method") == "mining.notify":
                self.jobs.append((heard_at, message["params"][1]))


class Bench:
    """The pool on both nodes."""

    def __init__(self, pool: WholePool, a: Peer, b: Peer, miner: Miner) -> None:
        self.pool = pool
        self.a = a
        self.b = b
        self.miner = miner

    def settle(self) -> None:
        """Wait until the preferred node gives the work, and has given the last job."""
        wait_for("both nodes are well", self._are_well, _WAIT_SECONDS)
        before = len(self.miner.jobs)
        self.a.node.mine(1)
        wait_for("the miner has its job", lambda: len(self.miner.jobs) > before, _WAIT_SECONDS)
        wait_for("the other node has the block", lambda: self.a.tip() == self.b.tip(), _WAIT_SECONDS)
        time.sleep(1)  # so that every question about that block is over

    def lost(self, lose: Callable[[], None], event: str) -> dict[str, float]:
        """Seconds from the loss of the preferred node: until the log tells it, and until the next one's job."""
        jobs, lines = len(self.miner.jobs), len(self.pool.log("work"))
        lost_at = time.monotonic()
        lose()
        told_at = self._told(event, lines)
        wait_for("the miner has the next node's job", lambda: len(self.miner.jobs) > jobs, _WAIT_SECONDS)
        # Else the next round would settle on what the page showed before.
        wait_for("the page tells it", lambda: not self._are_well(), _WAIT_SECONDS)
        return {"noticed": told_at - lost_at, "next_job": self.miner.jobs[jobs][0] - lost_at}

    def killed(self) -> dict[str, float]:
        try:
            return self.lost(self.a.node.kill, "node_unavailable")
        finally:
            self.a.start()
            self.b.connect(self.a)

    def stopped(self) -> dict[str, float]:
        try:
            return self.lost(lambda: os.kill(self.a.node.pid, signal.SIGSTOP), "node_set_aside")
        finally:
            os.kill(self.a.node.pid, signal.SIGCONT)

    def tip(self) -> dict[str, float]:
        """Seconds from a block at the node that gives the work to its job at the miner."""
        return {"job": self._block(self.a)}

    def tip_of_the_other(self) -> dict[str, float]:
        """The same at the other node, while the one that gives the work does not hear of it; it is not long-polled."""
        self.a.cut_off()
        try:
            return {"job": self._block(self.b)}
        finally:
            self.a.node.call("setnetworkactive", True)
            self.b.connect(self.a)

    def alarm(self) -> dict[str, float]:
        """Seconds from the moment when both hang to the alarm."""
        lines = len(self.pool.log("work"))
        hung_at = time.monotonic()
        for peer in (self.a, self.b):
            os.kill(peer.node.pid, signal.SIGSTOP)
        try:
            return {"no_node_left": self._told("no_node_left", lines) - hung_at}
        finally:
            for peer in (self.a, self.b):
                os.kill(peer.node.pid, signal.SIGCONT)

    def _are_well(self) -> bool:
        works = self.pool.get("/api/v1/pool")["roles"]["work"].values()
        states = [(node["state"], node["is_chosen"]) for work in works for node in work["nodes"]]
        return states == [("good", True), ("good", False)]

    def _block(self, peer: Peer) -> float:
        block = peer.node.call("generateblock", "raw(51)", [], False)["hex"]
        jobs, submitted_at = len(self.miner.jobs), time.monotonic()
        if (refusal := peer.node.call("submitblock", block)) is not None:
            raise BenchmarkFailed(f"the node refused a block: {refusal}")
        wait_for("the miner has its job", lambda: len(self.miner.jobs) > jobs, _WAIT_SECONDS)
        return self.miner.jobs[jobs][0] - submitted_at

    def _told(self, event: str, lines: int) -> float:
        wait_for(event, lambda: event in [line["event"] for line in self.pool.log("work")[lines:]], _WAIT_SECONDS)
        return time.monotonic()


MODES: Final[dict[str, Callable[[Bench], dict[str, float]]]] = {
    "killed": Bench.killed,
    "stopped": Bench.stopped,
    "tip": Bench.tip,
    "tip_of_the_other": Bench.tip_of_the_other,
    "alarm": Bench.alarm,
}


def measure_nodes(modes: tuple[str, ...], rounds: int) -> dict[str, Any]:
    """Seconds by mode, without and with announcements over ZMQ."""
    found: dict[str, Any] = {}
    for name, zmq in (("without_zmq", False), ("with_zmq", True)):
        with _running(zmq) as bench:
            for mode in modes:
                if zmq and mode not in ("tip", "tip_of_the_other"):
                    continue
                results = []
                for _ in range(rounds):
                    bench.settle()
                    results.append(MODES[mode](bench))
                found.setdefault(name, {})[mode] = {
                    key: _figures([each[key] for each in results]) for key in results[0]
                }
    return found


def _figures(seconds: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(seconds), 3), "max": round(max(seconds), 3)}


@contextmanager
def _running(zmq: bool) -> Iterator[Bench]:
    program = find_bitcoind()
    if program is None:
        raise BenchmarkFailed("no bitcoind: put one on PATH, or name it in STEPPE_BITCOIND")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steppe-bench-")))
        peers = []
        for name in "ab":
            peers.append(Peer(program, folder / name))
            stack.callback(peers[-1].node.stop)
        a, b = peers
        a.node.mine(1)
        b.connect(a)
        pool = WholePool(folder, a.node, "regtest", _node(b, zmq))
        text = pool.config_path.read_text().replace("refresh_seconds = 2", f"refresh_seconds = {_REFRESH_SECONDS}")
        if zmq:
            text = text.replace("\n[work]", f'zmq = "{a.zmq}"\n\n[work]')
        pool.config_path.write_text(text)
        pool.start()
        stack.callback(pool.stop)
        miner = Miner(pool.stratum_port)
        stack.callback(miner.close)
        yield Bench(pool, a, b, miner)


def _node(peer: Peer, zmq: bool) -> str:
    lines = ["", "[[node]]", f'url = "{peer.node.url}"', f'cookie_file = "{peer.node.cookie_file}"']
    return "\n".join([*lines, *([f'zmq = "{peer.zmq}"'] if zmq else []), ""])
