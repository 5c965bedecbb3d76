"""Blocks to the node, until it is known what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from pool import events
from pool.node.spool import CandidateSpool, Settled, SpoolDamaged, SpooledBlock
from pool.ports import Clock, Node, NodeUnavailable

# Between two tries while the node is away or has not decided.
RETRY_SECONDS_FIRST = 0.25
RETRY_SECONDS_MAX = 5.0

# Blocks on top of another one at the same height after which ours will not come back into the chain.
LOST_DEPTH = 6

# Answers that leave the block's fate open, so that the chain is asked. The node has it: as valid (`duplicate`), or off
# the best chain or not looked at yet (`inconclusive`). Or it cannot take it yet: its clock is behind, or it lost the
# block before in a crash, and its peers will give it back. Source: BIP-0022; Bitcoin Core, `submitblock`.
_OPEN = frozenset(
    {"duplicate", "inconclusive", "duplicate-inconclusive", "valid?", "prev-blk-not-found", "time-too-new"}
)


class Submitter:
    """Submits spooled blocks and settles them in the spool."""

    def __init__(self, nodes: Sequence[Node], spool: CandidateSpool, reactor: Any, clock: Clock) -> None:
        self._node = nodes[0]
        self._spool = spool
        self._reactor = reactor
        self._clock = clock
        self._running: dict[bytes, Deferred[None]] = {}
        self._known: set[bytes] = set()

    @property
    def pending(self) -> int:
        """Blocks whose fate is not known yet."""
        return len(self._running)

    def resume(self) -> None:
        """Submit what an earlier run left open."""
        for spooled in self._spool.pending():
            try:
                block = self._spool.read(spooled)
            except (SpoolDamaged, OSError) as error:
                events.candidate_unreadable(spooled.hash_hex, str(error))
            else:
                self.submit(spooled, block)

    def submit(self, spooled: SpooledBlock, block: bytes) -> None:
        """Send a block to the node at once and until it is settled. A second call for a block does nothing."""
        if spooled.block_hash in self._running or spooled.block_hash in self._known:
            return
        self._known.add(spooled.block_hash)
        running = Deferred.fromCoroutine(self._settle(spooled, block))
        self._running[spooled.block_hash] = running
        running.addErrback(_log_bug).addCallback(lambda _: self._forget(spooled))

    def stop(self) -> None:
        """Leave what is open to the next run."""
        for running in tuple(self._running.values()):
            running.cancel()

    def _forget(self, spooled: SpooledBlock) -> None:
        del self._running[spooled.block_hash]

    async def _settle(self, spooled: SpooledBlock, block: bytes) -> None:
        wait_seconds, said = RETRY_SECONDS_FIRST, ""
        while True:
            answer = await self._ask(spooled, block)
            if isinstance(answer, Settled):
                break
            if answer != said:
                said = answer
                events.block_undecided(spooled.height, spooled.hash_hex, answer)
            await deferLater(self._reactor, wait_seconds)
            wait_seconds = min(wait_seconds * 2, RETRY_SECONDS_MAX)
        log = events.block_accepted if answer.accepted else events.block_rejected
        log(spooled.height, spooled.hash_hex, answer.reason)
        try:
            self._spool.settle(spooled, answer)
        except OSError as error:
            # The next run asks the node again; it says `duplicate`.
            events.candidate_not_written(spooled.hash_hex, str(error))

    async def _ask(self, spooled: SpooledBlock, block: bytes) -> Settled | str:
        """What became of a block, or why that is not known yet."""
        try:
            verdict = await self._node.submit_block(block)
            accepted = verdict.accepted
            if verdict.reason in _OPEN:
                accepted = await self._is_in_chain(spooled)
                if not accepted and await self._node.tip_height() < spooled.height + LOST_DEPTH:
                    return f"the node says {verdict.reason!r}, and the block is not in its chain"
        except NodeUnavailable as error:
            return str(error)
        return Settled(accepted=accepted, reason=verdict.reason, time_ms=self._clock.time_ms())

    async def _is_in_chain(self, spooled: SpooledBlock) -> bool:
        confirmations = await self._node.confirmations(spooled.block_hash)
        return confirmations is not None and confirmations > 0


def _log_bug(failure: Failure) -> None:
    error = failure.value
    if error is not None and not isinstance(error, CancelledError):
        events.bug("submitter", error)
