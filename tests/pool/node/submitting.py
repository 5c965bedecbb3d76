"""A submitter on fake nodes, with one block in its spool."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock

from pool.node.fate import FINAL_DEPTH
from pool.node.spool import CandidateSpool, Settled, spooled_of
from pool.node.submitter import RETRY_SECONDS_FIRST, WATCH_SECONDS, Submitter
from tests.pool.node.blocks import block
from tests.pool.node.fake_clock import FakeClock
from tests.pool.node.fake_node import FakeNode

AWAY = "nothing listens there"
BLOCK = block(height=1)
SPOOLED = spooled_of(BLOCK)
HASH = BLOCK.block_hash


class Setup:
    """A submitter on fake nodes, with one block in its spool."""

    def __init__(self, folder: Path, nodes: int = 1) -> None:
        self.nodes = [FakeNode() for _ in range(nodes)]
        for number, node in enumerate(self.nodes):
            node.name = f"node{number}:8332"
            node.extend()  # the block's height is that of the tip from now on
        self.node = self.nodes[0]
        self.reactor = Clock()
        self.spool = CandidateSpool(folder)
        self.spool.keep(BLOCK)
        self.submitter = self.another()

    def another(self) -> Submitter:
        return Submitter(self.nodes, self.spool, self.reactor, FakeClock(self.reactor, start_ms=1000), maybeDeferred)

    def submit(self) -> Settled | None:
        self.submitter.submit(BLOCK)
        return self.settled

    def wait(self, seconds: float = 3 * WATCH_SECONDS) -> Settled | None:
        self.reactor.pump([RETRY_SECONDS_FIRST] * int(seconds / RETRY_SECONDS_FIRST))
        return self.settled

    @property
    def settled(self) -> Settled | None:
        return self.spool.settled(SPOOLED)

    def bury(self, node: FakeNode, depth: int = FINAL_DEPTH) -> None:
        """Put blocks on the node's tip, and so on ours if it is there."""
        node.extend(by=depth)
        if node.places.get(HASH, 0) > 0:
            node.places[HASH] += depth
