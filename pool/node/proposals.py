"""Each new template with our coinbase is shown to the node that gave it, once miners work on it (BIP-0023)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from pool import events
from pool.node import events as node_events
from pool.ports import Clock, Node, NodeUnavailable
from pool.work.coinbase import Coinbase
from pool.work.job import Job
from pool.work.limits import fitted
from pool.work.make_job import make_job
from pool.work.proposal import OVERTAKEN
from pool.work.template import Template, TemplateError

# The job goes out first; a block in these moments would find its way all the same.
DELAY_SECONDS = 0.1

# How soon, and how seldom at last, a node is tried again that has refused a template of its own.
RETRY_SECONDS_FIRST = 1.0
RETRY_SECONDS_MAX = 30.0

_TRIAL_JOB_ID = "1"


class ProposalStatus(Struct, frozen=True):
    """looked_at, refused: templates since the start. last_refused_ms: Unix time. problem: of a node whose refusal
    stands; None if there is none."""

    looked_at: int
    refused: int
    last_refused_ms: int | None
    problem: str | None


class Proposals:
    """Asks, and knows which nodes are not to be worked with until they take a template of their own again.

    on_refused: called with the node's index and the template that it gave and refused. on_change: called when a node
    may be worked with again.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        coinbase: Coinbase,
        reactor: Any,
        clock: Clock,
        on_refused: Callable[[int, Template], None],
        on_change: Callable[[], None],
    ) -> None:
        self._nodes = nodes
        self._coinbase = coinbase
        self._reactor = reactor
        self._clock = clock
        self._on_refused = on_refused
        self._on_change = on_change
        self._refusals: dict[int, str] = {}
        self._emptied: set[int] = set()
        self._retries: dict[int, Deferred[None]] = {}
        self._open: set[Deferred[None]] = set()
        self._looked_at = self._refused = 0
        self._last_refused_ms: int | None = None

    def stop(self) -> None:
        """Ask no more."""
        for each in (*self._open, *self._retries.values()):
            each.cancel()

    def refusal(self, index: int) -> str | None:
        """Why a node's templates are not to be used; None if they may be."""
        return self._refusals.get(index)

    def prepared(self, index: int, template: Template) -> Template:
        """What a job is made of: with no more transactions than there is room for, and with none while the node refuses
        them. Raises TemplateError."""
        return fitted(template.first(0) if index in self._emptied else template, self._coinbase)

    def status(self) -> ProposalStatus:
        """How things stand."""
        problems = [f"{self._nodes[index].name}: {reason}" for index, reason in self._refusals.items()]
        return ProposalStatus(self._looked_at, self._refused, self._last_refused_ms, "; ".join(problems) or None)

    def used(self, index: int, job: Job, template: Template) -> None:
        """Show the node the first job of a template of its own, in a moment."""

        async def look() -> None:
            await deferLater(self._reactor, DELAY_SECONDS)
            reason = await self._reason(index, job, template)
            if reason is not None:
                self.refuse(index, template, job.job_id, reason)

        looking = Deferred.fromCoroutine(look())
        self._open.add(looking)
        looking.addErrback(_log_bug).addCallback(lambda _: self._open.discard(looking))

    def refuse(self, index: int, template: Template, job_id: str, reason: str) -> None:
        """A template must not be mined on: leave its node until it takes one again."""
        name = self._nodes[index].name
        self._refused += 1
        self._last_refused_ms = self._clock.time_ms()
        self._refusals[index] = f"it refuses its own template with our coinbase: {reason}"
        node_events.template_refused(name, template.height, job_id, reason)
        self._on_refused(index, template)
        if index not in self._retries:
            retry = self._retries[index] = Deferred.fromCoroutine(self._retry(index))
            retry.addErrback(_log_bug).addCallback(lambda _: self._forget(index))

    async def _retry(self, index: int) -> None:
        """Show the node fresh templates until it takes one whole; if it takes one without transactions, work with
        these meanwhile."""
        wait_seconds = RETRY_SECONDS_FIRST
        while True:
            try:
                template = fitted(await self._nodes[index].block_template(), self._coinbase)
                if await self._is_taken(index, template):
                    self._trust(index, emptied=False)
                    return
                if await self._is_taken(index, template.first(0)):
                    self._trust(index, emptied=True)
            except (NodeUnavailable, TemplateError):
                pass
            await deferLater(self._reactor, wait_seconds)
            wait_seconds = min(wait_seconds * 2, RETRY_SECONDS_MAX)

    def _forget(self, index: int) -> None:
        del self._retries[index]

    def _trust(self, index: int, *, emptied: bool) -> None:
        was = index in self._emptied
        (self._emptied.add if emptied else self._emptied.discard)(index)
        if self._refusals.pop(index, None) is not None or was is not emptied:
            node_events.template_taken(self._nodes[index].name, emptied)
            self._on_change()

    async def _is_taken(self, index: int, template: Template) -> bool:
        job = make_job(template, self._coinbase, _TRIAL_JOB_ID, self._clock.time_ms(), clean=True)
        verdict = await self._nodes[index].propose(job, template)
        return verdict.accepted

    async def _reason(self, index: int, job: Job, template: Template) -> str | None:
        """Why the node refuses a job; None if it does not, or cannot say."""
        try:
            verdict = await self._nodes[index].propose(job, template)
        except NodeUnavailable:
            return None
        self._looked_at += 1
        return None if verdict.reason in OVERTAKEN else verdict.reason


def _log_bug(failure: Failure) -> None:
    error = failure.value
    if error is not None and not isinstance(error, CancelledError):
        events.bug("proposals", error)
