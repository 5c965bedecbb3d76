"""The core of the work role: templates to jobs, candidates to blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from twisted.internet.defer import CancelledError, Deferred, FirstError, TimeoutError, gatherResults
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from pool import events, failpoints
from pool.node import events as node_events
from pool.node.age import AgeAlarm
from pool.node.chain_watch import ChainWatch, GateSettings
from pool.node.empty_first import EmptyFirst, EmptySettings
from pool.node.job_ids import JobIds
from pool.node.proposals import Proposals, ProposalStatus
from pool.node.source import NodeStatus, TemplateSource
from pool.node.spool import CandidateSpool
from pool.node.submitter import Submitter
from pool.node.templates import TemplateShelf
from pool.ports import Clock, Node, NodeUnavailable
from pool.work.block import Block, BlockMismatch, assemble
from pool.work.candidate import Candidate
from pool.work.chain_gate import ChainVerdict, GateRules
from pool.work.coinbase import Coinbase
from pool.work.job import Job
from pool.work.make_job import make_job
from pool.work.template import Template, TemplateError
from pool.work.variant import template_id

# A refresh waits this long for a node that is slow before it goes on with the last template.
FETCH_SECONDS_MAX = 10.0

AGE_LOOK_SECONDS = 1.0

# A block goes to the nodes so long before it goes to the disk: to write megabytes keeps a core busy, and those that
# send them would wait for it. The kernel has the block before either.
NODES_FIRST_SECONDS = 0.01


class WorkshopSettings(Struct, frozen=True):
    """refresh_seconds: miners get a new job at least this often. poll_seconds: the tip is asked for this often.
    keep_seconds: a share of a job can become a block for so long; more than stratum roles keep their jobs. gate: by
    what the nodes' chains are judged. empty_first: when miners get an empty job first; None: never. reserve_parts: so
    many blocks can be kept when the disk is full."""

    refresh_seconds: float = 30.0
    poll_seconds: float = 0.5
    keep_seconds: float = 1800.0
    gate: GateSettings = GateSettings(GateRules((), None))
    empty_first: EmptySettings | None = None
    reserve_parts: int = 0


class WorkStatus(Struct, frozen=True):
    """The work role at a glance; None for what there is not yet.

    problem: why no node can give work, None while one can. nodes: the preferred one first. job_id, height,
    prev_hash_hex, job_time_ms: of the last job. template_time_ms: when a node gave what miners work on; a job may be
    younger while the nodes are away. chain: the verdict on the chain that is worked on; chains: of each node's.
    """

    problem: str | None
    nodes: tuple[NodeStatus, ...]
    job_id: str | None
    height: int | None
    prev_hash_hex: str | None
    job_time_ms: int | None
    template_time_ms: int | None
    candidates_pending: int
    blocks_refused: int
    chain: ChainVerdict | None
    chains: tuple[ChainVerdict | None, ...]
    proposals: ProposalStatus


class Workshop:
    """Makes a job of each new tip, better template and refresh; builds, keeps and submits the blocks.

    nodes: the preferred one first. folder: of the candidates; the templates of live jobs lie in it too. publish: called
    with each new job. run: runs a blocking call in a thread and gives a Deferred of its result (`deferToThread`).
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        coinbase: Coinbase,
        folder: Path,
        settings: WorkshopSettings,
        reactor: Any,
        clock: Clock,
        publish: Callable[[Job], None],
        run: Callable[[Callable[[], Any]], Deferred[Any]],
    ) -> None:
        self._coinbase = coinbase
        self._settings = settings
        self._reactor = reactor
        self._clock = clock
        self._publish = publish
        self._run = run
        self._spool = CandidateSpool(folder, settings.reserve_parts)
        self._submitter = Submitter(nodes, self._spool, reactor, clock, run)
        self._templates = TemplateShelf(folder / "templates", settings.keep_seconds, clock.monotonic(), run)
        self._job_ids = JobIds(folder / "job-ids")
        self._source = TemplateSource(
            nodes, reactor, clock, settings.poll_seconds, self._take_template, self._refusal, self._asking
        )
        self._chains = ChainWatch(nodes, settings.gate, reactor, clock, self._source.look)
        self._proposals = Proposals(nodes, coinbase, reactor, clock, self._withdraw, self._source.look)
        self._empty_first = EmptyFirst(nodes, settings.empty_first, clock)
        self._is_withdrawn = False
        self._template: Template | None = None
        # Which node gave it.
        self._giver: int | None = None
        self._template_time_ms: int | None = None
        # Monotonic: when a node gave it; before the first one, since when there is none.
        self._template_at = clock.monotonic()
        self._age_alarm = AgeAlarm()
        self._job: Job | None = None
        self._job_at = 0.0
        self._loops: list[Deferred[None]] = []
        # Blocks on their way to the disk.
        self._keeping: set[bytes] = set()

    async def run(self) -> None:
        """Work until `stop`. Blocks that an earlier run left open go first. Raises what only a bug can raise."""
        for block in self._submitter.resume():
            if not self._spool.holds(block.block_hash):
                Deferred.fromCoroutine(self._keep_resumed(block)).addErrback(_log_bug)
        # The chains first: no job is made before there is a verdict.
        loops = (self._chains.run(), *self._source.loops(), self._refresh(), self._watch_age())
        self._loops = [Deferred.fromCoroutine(loop) for loop in loops]
        try:
            await gatherResults(self._loops, consumeErrors=True)
        except FirstError as error:
            self.stop()
            cause = error.subFailure.value
            if cause is not None and not isinstance(cause, CancelledError):
                raise cause from None

    def stop(self) -> None:
        """End `run`; open blocks are left to the next one."""
        self._submitter.stop()
        self._proposals.stop()
        for loop in self._loops:
            loop.cancel()

    def refill_reserve(self) -> None:
        """Set aside again what blocks on a full disk took."""
        self._spool.reserve.fill()

    @property
    def template(self) -> Template | None:
        """What the last job was made of."""
        return self._template

    @property
    def job(self) -> Job | None:
        """What miners have."""
        return self._job

    def status(self) -> WorkStatus:
        """How things stand."""
        job = self._job
        return WorkStatus(
            problem=self._source.problem,
            nodes=self._source.status(),
            job_id=job.job_id if job else None,
            height=job.height if job else None,
            prev_hash_hex=job.prev_hash[::-1].hex() if job else None,
            job_time_ms=job.time_ms if job else None,
            template_time_ms=self._template_time_ms,
            candidates_pending=self._submitter.pending,
            blocks_refused=self._submitter.refused,
            chain=self._chains.pool_verdict,
            chains=self._chains.verdicts,
            proposals=self._proposals.status(),
        )

    async def take_candidate(self, candidate: Candidate) -> bool:
        """Submit a block, and keep it on disk; returns whether it is there for good.

        The kernel has it before the first node is asked, and the nodes are asked before anything here waits; the disk
        is waited for last. A second call for a block submits nothing. Raises OSError if the disk does not take it; it
        is submitted all the same.
        """
        if self._spool.holds(candidate.block_hash):
            return True  # perhaps for so long that its template is gone
        if candidate.block_hash in self._keeping:
            return False
        try:
            block = self._build(candidate)
        except BlockMismatch as error:
            events.candidate_unbuildable(
                candidate.block_hash[::-1].hex(), candidate.job_id, candidate.login, str(error)
            )
            self._spool.put_unbuildable(candidate, str(error))
            return True
        failpoints.hit("candidate-built")
        try:
            self._spool.note(block, self._templates.transactions_file(template_id(candidate.job_id)))
        except OSError as error:
            events.candidate_not_written(candidate.block_hash[::-1].hex(), str(error))
        failpoints.hit("candidate-noted")
        if not self._submitter.knows(block.block_hash):
            events.block_found(block.height, block.block_hash[::-1].hex(), candidate.job_id, candidate.login)
        self._submitter.submit(block)
        failpoints.hit("candidate-submitted")
        return await self._keep(block)

    async def _keep(self, block: Block) -> bool:
        """Have a block on the disk; False if that is being done already. Raises OSError."""
        if block.block_hash in self._keeping:
            return False
        self._keeping.add(block.block_hash)
        try:
            await deferLater(self._reactor, NODES_FIRST_SECONDS)
            await self._run(lambda: self._spool.keep(block))
        finally:
            self._keeping.discard(block.block_hash)
        failpoints.hit("candidate-kept")
        return True

    async def _keep_resumed(self, block: Block) -> None:
        """What a kill left between the kernel and the disk."""
        try:
            await self._keep(block)
        except OSError as error:
            events.candidate_not_written(block.block_hash[::-1].hex(), str(error))

    def _build(self, candidate: Candidate) -> Block:
        body = self._templates.get(template_id(candidate.job_id))
        if body is None:
            raise BlockMismatch("the job is too old, or not of this work role: its template is not here")
        block = assemble(body, candidate.header, candidate.coinbase)
        if block.block_hash != candidate.block_hash:
            raise BlockMismatch("the block hash is not the one of this header")
        return block

    def _refusal(self, index: int) -> str | None:
        """Why no job may be made of a node's templates; None if they may."""
        return self._chains.refusal(index) or self._proposals.refusal(index)

    def _take_template(self, offered: Template) -> None:
        index = self._source.giver
        if index is None:
            raise ValueError("a template comes from a node")
        self._empty_first.came(index, offered)
        try:
            template = self._proposals.prepared(index, offered)
        except TemplateError as error:
            self._proposals.refuse(index, offered, "", str(error))
            return
        if len(template.transactions) < len(offered.transactions):
            count = len(offered.transactions)
            node_events.template_trimmed(template.height, count, count - len(template.transactions))
        self._use(index, template)

    def _use(self, index: int, template: Template) -> None:
        """Miners get a job of a node's template, and the node is asked what it thinks of it."""
        self._template_time_ms, self._template_at = self._clock.time_ms(), self._clock.monotonic()
        self._giver = index
        self._proposals.used(index, self._issue(template), template)

    def _issue(self, template: Template) -> Job:
        now, now_ms = self._clock.monotonic(), self._clock.time_ms()
        new_tip = self._template is None or template.prev_hash != self._template.prev_hash
        age_ms = int((now - self._template_at) * 1000)
        clean = new_tip or self._is_withdrawn
        job = make_job(template, self._coinbase, self._job_ids.next(now_ms), now_ms, clean, age_ms)
        self._template, self._job, self._job_at = template, job, now
        self._is_withdrawn = False
        self._templates.keep(job.job_id, template, tuple(job.branch), now)
        failpoints.hit("job-kept")
        self._publish(job)
        failpoints.hit("job-published")
        if new_tip:
            events.tip_changed(job.height, job.prev_hash[::-1].hex(), job.job_id)
        return job

    def _withdraw(self, index: int, template: Template) -> None:
        """A node refuses a template: if miners work on it they get another one as soon as there is one.

        Their shares of it count all the same: they did what they were told. A block among them goes to the nodes.
        """
        known = self._template
        if known is None or (index, template.prev_hash) == (self._giver, known.prev_hash):
            self._is_withdrawn = known is not None
            self._source.withdraw()
        else:
            self._source.look()

    def _asking(self, index: int, tip_hash: bytes) -> None:
        """A node is asked for the template of a new tip; if it is a slow one, miners need not wait for it."""
        self._empty_first.asked(index, tip_hash)
        last = self._template
        if last is not None and last.prev_hash != tip_hash and self._empty_first.is_worth_it(index):
            Deferred.fromCoroutine(self._go_first(index, tip_hash, last)).addErrback(_log_bug)

    async def _go_first(self, index: int, tip_hash: bytes, last: Template) -> None:
        node_time = last.time + int(self._clock.monotonic() - self._job_at)
        template = await self._empty_first.template(index, tip_hash, last, node_time)
        # Meanwhile the whole one may have come, or the node may have lost its place.
        if template is not None and self._template is last and self._refusal(index) is None:
            self._use(index, template)

    async def _refresh(self) -> None:
        """Miners take a long silence for a dead pool, so they get a job also while the node is away: of the last
        template, with the time gone on. But none of one that is not to be worked on."""
        while True:
            due_seconds = self._job_at + self._settings.refresh_seconds - self._clock.monotonic()
            if self._template is None or due_seconds > 0 or self._is_withdrawn:
                await deferLater(self._reactor, max(due_seconds, self._settings.poll_seconds))
                continue
            fetching = Deferred.fromCoroutine(self._source.fetch()).addTimeout(FETCH_SECONDS_MAX, self._reactor)
            try:
                self._take_template(await fetching)
            except (NodeUnavailable, TimeoutError):
                if self._giver is not None and self._chains.is_on_minority(self._giver):
                    await deferLater(self._reactor, self._settings.poll_seconds)
                    continue
                self._issue(self._template.aged(int(self._clock.monotonic() - self._job_at)))

    async def _watch_age(self) -> None:
        """Call for a person when what a node gave is old, whatever jobs were made of it since."""
        while True:
            await deferLater(self._reactor, AGE_LOOK_SECONDS)
            self._age_alarm.look(self._clock.monotonic() - self._template_at, self._source.problem)


def _log_bug(failure: Failure) -> None:
    events.bug("workshop", failure.value or Exception(failure.getErrorMessage()))
