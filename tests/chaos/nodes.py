"""Three nodes of one private chain that know each other, to be killed, paused, cut off and led astray: two of the pool,
and one that stands for everyone else."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bitcoinrpc.authproxy import JSONRPCException

from pool.node.loopback import free_port
from pool.node.private import PrivateChain, PrivateNode
from pool.ports import NodeUnavailable
from tests.regtest.whole_pool import eventually

NAMES = "abc"
# A node that comes back fetches at once what it missed; more would mean that something is wrong.
CONVERGE_SECONDS = 60.0
# What a node that is killed may have to fetch again: with its wallet it takes some thirty blocks a second.
UNWRITTEN_BLOCKS_MAX = 300
# Where several blocks a second are found, nodes are seldom on the very same one.
BEHIND_BLOCKS_MAX = 5


class Node:
    """One of them."""

    def __init__(self, program: Path, chain: PrivateChain, folder: Path) -> None:
        self.private = PrivateNode(program, chain, folder, free_port())
        self.address = f"127.0.0.1:{free_port()}"
        self.peers: list[str] = []
        self._paused = False
        self._written_height = 0
        self.is_up = False

    def start(self, at_first: str | None = None) -> None:
        """Start it; it looks for its peers. at_first: the only one to look for until `reconnect`."""
        peers = self.peers if at_first is None else [at_first]
        self.private.start(
            "-listen=1", "-listenonion=0", f"-bind={self.address}", *(f"-addnode={peer}" for peer in peers)
        )
        self.is_up = True

    def stop(self) -> None:
        """End it, whatever state it is in."""
        self.resume()
        self.private.stop()
        self.is_up = False

    def kill(self) -> None:
        """kill -9. What it had not yet written it has again from the others."""
        self.is_up = False
        self.private.kill()

    def write_chain(self) -> None:
        """Much of what it has not written it writes, as a node does by itself once an hour."""
        height = self.height()
        if height - self._written_height > UNWRITTEN_BLOCKS_MAX:
            self.call("gettxoutsetinfo", "none")
            self._written_height = height

    def pause(self) -> None:
        """It hangs: its ports are open and nobody answers."""
        self._paused = True
        os.kill(self.private.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on."""
        if self._paused:
            self._paused = False
            os.kill(self.private.pid, signal.SIGCONT)

    def cut_off(self) -> None:
        """No peers for it."""
        self.call("setnetworkactive", False)

    def reconnect(self) -> None:
        """Peers again, and at once."""
        self.call("setnetworkactive", True)
        for peer in self.peers:
            with contextlib.suppress(JSONRPCException):  # connected already
                self.call("addnode", peer, "onetry")

    def mine(self, blocks: int) -> list[str]:
        """Blocks of a stranger on its tip; their hashes in hex."""
        tries = 1 << 31  # enough for a block on signet
        return [self.call("generatetodescriptor", 1, "raw(51)", tries)[0] for _ in range(blocks)]

    def height(self) -> int:
        return int(self.call("getblockcount"))

    def tip(self) -> str:
        return str(self.call("getbestblockhash"))

    def call(self, method: str, *params: Any) -> Any:
        return self.private.call(method, *params)


class Nodes:
    """All of them."""

    def __init__(self, program: Path, chain: PrivateChain, folder: Path) -> None:
        self.all = [Node(program, chain, folder / f"node-{name}") for name in NAMES]

    @property
    def of_the_pool(self) -> list[Node]:
        """Those that the pool asks."""
        return self.all[:-1]

    @property
    def stranger(self) -> Node:
        """The rest of the network."""
        return self.all[-1]

    def start(self) -> None:
        """Start them, connected, with a first block: they take a chain without a new block for one that they have yet
        to catch up with."""
        addresses = [node.address for node in self.all]
        for node in self.all:
            node.peers = [address for address in addresses if address != node.address]
            node.start()
        self.all[0].mine(1)
        self.converge()

    def stop(self) -> None:
        for node in self.all:
            with contextlib.suppress(NodeUnavailable, ProcessLookupError):
                node.stop()

    def heal(self) -> None:
        """All run and are connected again."""
        for node in self.all:
            node.resume()
            if not node.is_up:
                node.start()
        for node in self.all:
            node.reconnect()

    def converge(self) -> None:
        """Wait until all are on one tip."""
        eventually("all nodes are on one tip", lambda: len({node.tip() for node in self.all}) == 1, CONVERGE_SECONDS)

    def catch_up(self) -> None:
        """Wait until all are on one chain and none is far behind, while blocks go on coming."""

        def are_together() -> bool:
            heights = [node.height() for node in self.all]
            at_lowest = {node.call("getblockhash", min(heights)) for node in self.all}
            return len(at_lowest) == 1 and max(heights) - min(heights) <= BEHIND_BLOCKS_MAX

        eventually("all nodes are on one chain", are_together, CONVERGE_SECONDS)

    @contextlib.contextmanager
    def split(self, alone: Node) -> Iterator[None]:
        """Within: one knows nothing of the others, nor they of it."""
        alone.cut_off()
        time.sleep(0.1)  # what was on its way arrives
        try:
            yield
        finally:
            alone.reconnect()
