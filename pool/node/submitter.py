"""Blocks to all nodes at once, until it is known what became of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from pool import events, failpoints
from pool.node.fate import Answer, Fate, View, decide, is_tied, is_wanting, meaning
from pool.node.spool import CandidateSpool, Settled, SpoolDamaged, SpooledBlock, spooled_of
from pool.ports import Clock, Node, NodeUnavailable
from pool.work.block import Block

Run = Callable[[Callable[[], Any]], Deferred[Any]]

# Between two rounds with a node while nothing is decided, and once the block is in the chain.
RETRY_SECONDS_FIRST = 0.25
RETRY_SECONDS_MAX = 5.0
WATCH_SECONDS = 15.0

# So long a refused block is counted, and pages: for whoever is on call to have seen it.
REFUSED_SECONDS = 6 * 3600.0


class Submitter:
    """Submits spooled blocks and settles them in the spool."""

    def __init__(self, nodes: Sequence[Node], spool: CandidateSpool, reactor: Any, clock: Clock, run: Run) -> None:
        """run: runs a blocking call in a thread and gives a Deferred of its result (`deferToThread`)."""
        self._nodes = nodes
        self._run = run
        self._spool = spool
        self._reactor = reactor
        self._clock = clock
        self._submissions: dict[bytes, _Submission] = {}
        self._known: set[bytes] = set()
        # Monotonic: when a node refused one.
        self._refused_at: list[float] = []

    @property
    def refused(self) -> int:
        """Blocks that a node refused for good within the last REFUSED_SECONDS."""
        now = self._clock.monotonic()
        return sum(now - at < REFUSED_SECONDS for at in self._refused_at)

    @property
    def pending(self) -> int:
        """Blocks of which nobody knows yet whether they are in the chain."""
        return sum(1 for each in self._submissions.values() if each.fate is Fate.OPEN)

    def knows(self, block_hash: bytes) -> bool:
        """Whether a block was submitted since the start."""
        return block_hash in self._known

    def resume(self) -> list[Block]:
        """Submit what an earlier run left open, and return it."""
        resumed = []
        for spooled in self._spool.pending():
            try:
                block = self._spool.read(spooled)
            except (SpoolDamaged, OSError) as error:
                events.candidate_unreadable(spooled.hash_hex, str(error))
                self._spool.distrust(spooled)
            else:
                self.submit(block)
                resumed.append(block)
        return resumed

    def submit(self, block: Block) -> None:
        """Send a block to every node at once, and until it is settled. A second call for a block does nothing."""
        if block.block_hash in self._known:
            return
        self._known.add(block.block_hash)
        submission = _Submission(
            block,
            self._nodes,
            self._spool,
            self._reactor,
            self._clock,
            self._run,
            self._tell_refused,
            self._has_in_chain,
        )
        self._submissions[block.block_hash] = submission
        submission.start(lambda: self._submissions.pop(block.block_hash, None))

    def stop(self) -> None:
        """Leave what is open to the next run."""
        for submission in tuple(self._submissions.values()):
            submission.stop()

    def _tell_refused(self) -> None:
        self._refused_at.append(self._clock.monotonic())

    def _has_in_chain(self, place: int, height: int) -> bool:
        """Whether a node has a block of ours at a height, as far as is known."""
        return any(each.is_in_chain_of(place) for each in self._submissions.values() if each.height == height)


class _Submission:
    """One block, led through its fate at each node by a loop of its own: a slow one keeps no other waiting."""

    def __init__(
        self,
        block: Block,
        nodes: Sequence[Node],
        spool: CandidateSpool,
        reactor: Any,
        clock: Clock,
        run: Run,
        tell_refused: Callable[[], None],
        has_ours: Callable[[int, int], bool],
    ) -> None:
        self.fate = Fate.OPEN
        self._block = block
        self._spooled: SpooledBlock = spooled_of(block)
        self._nodes = nodes
        self._spool = spool
        self._reactor = reactor
        self._clock = clock
        self._run = run
        self._writing = DeferredLock()
        self._tell_refused = tell_refused
        self._has_ours = has_ours
        self._views = [View() for _ in nodes]
        self._loops: list[Deferred[None]] = []
        self._open_loops = len(nodes)
        self._was_refused = False

    def start(self, ended: Callable[[], object]) -> None:
        """Submit at once; `ended` is called when nothing is left to do."""
        for place, node in enumerate(self._nodes):
            loop = Deferred.fromCoroutine(self._lead(place, node))
            self._loops.append(loop)
            loop.addErrback(_log_bug).addCallback(lambda _: self._loop_ended(ended))

    def stop(self) -> None:
        for loop in tuple(self._loops):
            loop.cancel()

    @property
    def height(self) -> int:
        return self._spooled.height

    def is_in_chain_of(self, place: int) -> bool:
        """Whether a node has it in its chain, by its last answer."""
        return (self._views[place].confirmations or 0) > 0

    def _loop_ended(self, ended: Callable[[], object]) -> None:
        self._open_loops -= 1
        if not self._open_loops:
            ended()

    async def _lead(self, place: int, node: Node) -> None:
        """The block at one node: offered until it has it, then watched, and offered again if the node forgot it."""
        wait_seconds, said = RETRY_SECONDS_FIRST, None
        while not self._is_over():
            try:
                if is_wanting(self._views[place]):
                    await self._offer(place, node)
                await self._look(place, node)
                problem = self._views[place].problem
            except NodeUnavailable as error:
                # What it said of the block may still be so; where its chain is now, nobody knows.
                self._see(place, tip_height=None)
                problem = str(error)
            if problem != said and problem is not None:
                events.block_undecided(self._spooled.height, self._spooled.hash_hex, node.name, problem)
            said = problem
            self._decide()
            if self._is_over():
                return
            await deferLater(self._reactor, WATCH_SECONDS if self.fate is Fate.IN_CHAIN else wait_seconds)
            wait_seconds = min(wait_seconds * 2, RETRY_SECONDS_MAX)

    def _is_over(self) -> bool:
        return self.fate.is_final

    async def _offer(self, place: int, node: Node) -> None:
        verdict = await node.submit_block(self._block)
        failpoints.hit("block-submitted")
        answer = meaning(verdict.reason)
        self._see(place, answer=answer, reason=verdict.reason)
        if answer is Answer.REFUSED:
            events.block_refused(self._spooled.height, self._spooled.hash_hex, node.name, verdict.reason)
            if not self._was_refused:
                self._was_refused = True
                self._tell_refused()

    async def _look(self, place: int, node: Node) -> None:
        """Where the node has the block, and where its chain is.

        Of two at one height it is told to stand by ours; not if both are, which would take turns, with new work for the
        miners each time.
        """
        block_hash = self._block.block_hash
        self._see(place, confirmations=await node.confirmations(block_hash), tip_height=await node.tip_height())
        if is_tied(self.height, self._views[place]) and not self._has_ours(place, self.height):
            await node.prefer_block(block_hash)
            events.block_preferred(self._spooled.height, self._spooled.hash_hex, node.name)
            self._see(place, confirmations=await node.confirmations(block_hash))

    def _see(self, place: int, **seen: Any) -> None:
        self._views[place] = msgspec.structs.replace(self._views[place], **seen)

    def _decide(self) -> None:
        before, self.fate = self.fate, decide(self._spooled.height, self._views, self.fate)
        if self.fate is before:
            return
        spooled = self._spooled
        answers = {node.name: view.text for node, view in zip(self._nodes, self._views, strict=True)}
        reason = next((view.reason for view in self._views if (view.confirmations or 0) > 0), self._views[0].reason)
        match self.fate:
            case Fate.IN_CHAIN | Fate.DEEP:
                if before is Fate.OPEN:
                    events.block_accepted(spooled.height, spooled.hash_hex, reason)
            case Fate.LOST:
                events.block_lost(spooled.height, spooled.hash_hex, answers)
            case Fate.REFUSED:
                events.block_rejected(spooled.height, spooled.hash_hex, answers)
            case Fate.OPEN:
                events.block_fell_out(spooled.height, spooled.hash_hex)
                self._write(lambda: self._spool.reopen(spooled))
                return
        settled = Settled(
            accepted=self.fate in (Fate.IN_CHAIN, Fate.DEEP),
            reason=reason,
            time_ms=self._clock.time_ms(),
            answers=answers,
            final=self.fate.is_final,
        )
        self._write(lambda: self._spool.settle(spooled, settled))

    def _write(self, verdict: Callable[[], None]) -> None:
        """Write a verdict, one after the other, while the job on top of the block goes out to the miners."""
        written = self._writing.run(self._run, verdict)
        written.addCallbacks(lambda _: failpoints.hit("block-settled"), self._not_written).addErrback(_log_bug)

    def _not_written(self, failure: Failure) -> None:
        # The next run asks the nodes again; they say `duplicate`.
        failure.trap(OSError)
        events.candidate_not_written(self._spooled.hash_hex, failure.getErrorMessage())


def _log_bug(failure: Failure) -> None:
    error = failure.value
    if error is not None and not isinstance(error, CancelledError):
        events.bug("submitter", error)
