"""Several nodes on one private chain, and a work role on them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from pool.bitcoin.network import NETWORKS
from pool.bitcoin.script import output_script
from pool.node.bitcoind import BitcoindNode
from pool.node.credentials import CookieFile
from pool.node.loopback import free_port
from pool.node.private import PrivateNode
from pool.node.rpc import RpcSettings
from pool.node.source import NodeStatus
from pool.node.workshop import Workshop, WorkshopSettings
from pool.roles.clock import SystemClock
from pool.work.coinbase import Coinbase
from pool.work.job import Job
from tests.regtest import reactor as twisted
from tests.regtest.whole_pool import eventually

REGTEST = NETWORKS["regtest"]
# Longer than anything here waits, so that nothing passes because of a refresh.
REFRESH_SECONDS = 600.0


class Peer:
    """A node that others connect to. zmq: where it announces its blocks."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.node = PrivateNode(program, "regtest", folder, free_port())
        self._port = free_port()
        self.zmq = f"tcp://127.0.0.1:{free_port()}"
        self.start()

    @property
    def name(self) -> str:
        return self.node.url.removeprefix("http://")

    def start(self) -> None:
        self.node.start("-listen=1", f"-bind=127.0.0.1:{self._port}", f"-zmqpubhashblock={self.zmq}")

    def connect(self, other: Peer) -> None:
        """Be a peer of the other one, and wait until both have the same tip."""

        def have_one_tip() -> bool:
            # Nothing for a peer; but while the node still holds a connection that is lost, it tries no other.
            self.node.call("addnode", f"127.0.0.1:{other._port}", "onetry")
            return self.tip() == other.tip()

        eventually("both nodes have the same tip", have_one_tip)

    def cut_off(self) -> None:
        """No peers until `setnetworkactive` says otherwise; they are told goodbye a moment after the call."""
        self.node.call("setnetworkactive", False)
        eventually("the node has no peers", lambda: self.node.call("getconnectioncount") == 0)

    def tip(self) -> str:
        return str(self.node.call("getbestblockhash"))

    def height(self) -> int:
        return int(self.node.call("getblockcount"))


class Work:
    """A workshop on these nodes, on the real reactor, and what it published with the time of each."""

    def __init__(self, peers: Sequence[Peer], folder: Path, zmq: Sequence[str] = (), poll_seconds: float = 0.5) -> None:
        self.published: list[tuple[float, Job]] = []
        self.nodes = [
            BitcoindNode(
                twisted.reactor,
                RpcSettings(peer.node.url, CookieFile(peer.node.cookie_file), REGTEST),
                announcements=announcements,
            )
            for peer, announcements in zip(peers, zmq or [""] * len(peers), strict=True)
        ]
        script = output_script(peers[0].node.payout_address(), REGTEST)
        self.workshop = Workshop(
            self.nodes,
            Coinbase(script, b"/steppe/"),
            folder / "candidates",
            WorkshopSettings(refresh_seconds=REFRESH_SECONDS, poll_seconds=poll_seconds),
            twisted.reactor,
            SystemClock(),
            self._publish,
            deferToThread,
        )

    @property
    def jobs(self) -> list[Job]:
        return [job for _, job in self.published]

    def start(self) -> None:
        twisted.start()
        twisted.on_reactor(self._start)
        eventually("there is a job", lambda: self.jobs)

    def stop(self) -> None:
        twisted.on_reactor(self.workshop.stop)
        for node in self.nodes:
            twisted.on_reactor(node.stop)

    def status(self) -> tuple[NodeStatus, ...]:
        return twisted.on_reactor(self.workshop.status).nodes

    def problem(self) -> str | None:
        return twisted.on_reactor(self.workshop.status).problem

    def chosen(self) -> str | None:
        return next((status.name for status in self.status() if status.is_chosen), None)

    def state(self, peer: Peer) -> str:
        return next(status.state for status in self.status() if status.name == peer.name)

    def has_job_on(self, tip_hex: str) -> bool:
        """Whether miners work on this tip now."""
        return self.jobs[-1].prev_hash[::-1].hex() == tip_hex

    def _start(self) -> None:
        for node in self.nodes:
            node.start()
        Deferred.fromCoroutine(self.workshop.run())

    def _publish(self, job: Job) -> None:
        self.published.append((time.monotonic(), job))
