"""The chain gate at work: the nodes are asked every few seconds what their chains are, and judged together."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from twisted.internet.defer import Deferred, FirstError, TimeoutError, gatherResults
from twisted.internet.task import deferLater

from pool.node import events
from pool.node.choice import NOT_ASKED
from pool.ports import Clock, Node, NodeUnavailable
from pool.work.chain_gate import Chain, ChainFacts, ChainVerdict, GateRules, heights_to_ask, judge, of_the_pool

T = TypeVar("T")

# A node that changes sides is noticed within this, the time of the questions, and what a node may take to answer them.
ROUND_SECONDS = 5.0
AWAY_ROUND_SECONDS = 1.0
ANSWER_SECONDS_MAX = 5.0

# What a node said counts for so long when it does not answer; then nothing is known of it.
SILENCE_SECONDS_MAX = 20.0


class GateSettings(Struct, frozen=True):
    """rules: what nodes are measured by. mines_on_unknown: whether jobs are made on a verdict of unknown."""

    rules: GateRules
    mines_on_unknown: bool = True


class ChainWatch:
    """Verdicts for nodes. on_change: called when what `refusal` says may have changed."""

    def __init__(
        self,
        nodes: Sequence[Node],
        settings: GateSettings,
        reactor: Any,
        clock: Clock,
        on_change: Callable[[], None],
    ) -> None:
        self._nodes = nodes
        self._settings = settings
        self._reactor = reactor
        self._clock = clock
        self._on_change = on_change
        self._heard_at: list[float | None] = [None] * len(nodes)
        self._verdicts: list[ChainVerdict | None] = [None] * len(nodes)

    async def run(self) -> None:
        """Ask and judge until cancelled."""
        while True:
            await self._round()
            # A node that has just come back should not have to wait.
            await deferLater(self._reactor, ROUND_SECONDS if self._knows_all() else AWAY_ROUND_SECONDS)

    @property
    def verdicts(self) -> tuple[ChainVerdict | None, ...]:
        """Of each node; None before the first."""
        return tuple(self._verdicts)

    @property
    def pool_verdict(self) -> ChainVerdict | None:
        """Of the chain that the pool may work on; None before the first."""
        judged = [verdict for verdict in self._verdicts if verdict is not None]
        return of_the_pool(judged) if judged else None

    def is_judged(self, index: int) -> bool:
        """Whether enough is known of a node to make jobs of its templates."""
        heard_at = self._heard_at[index]
        return heard_at is not None and self._clock.monotonic() - heard_at <= SILENCE_SECONDS_MAX

    def is_on_minority(self, index: int) -> bool:
        """Whether work on a node's chain is known to be in vain."""
        verdict = self._verdicts[index]
        return verdict is not None and verdict.chain is Chain.MINORITY

    def refusal(self, index: int) -> str | None:
        """Why no job may be made of a node's templates; None if they may."""
        verdict = self._verdicts[index]
        if verdict is None:
            return NOT_ASKED
        if not self.is_judged(index):
            return verdict.reason if verdict.chain is Chain.MINORITY else "it does not say what its chain is"
        if verdict.chain is Chain.MAJORITY:
            return None
        if verdict.chain is Chain.UNKNOWN and self._settings.mines_on_unknown:
            return None
        return f"its chain is {verdict.chain.value}: {verdict.reason}"

    def _knows_all(self) -> bool:
        return all(self.is_judged(index) for index in range(len(self._nodes)))

    async def _round(self) -> None:
        said = await _gathered([self._asked(node.chain_facts()) for node in self._nodes])
        if len({facts.tip for facts in said if facts is not None}) > 1:
            said = await _gathered([self._with_refused(*each) for each in zip(self._nodes, said, strict=True)])
        rules = self._settings.rules
        heights = heights_to_ask(said, rules, self._verdicts)
        asked = zip(self._nodes, said, strict=True)
        facts = await _gathered([self._with_hashes(node, known, heights) for node, known in asked])
        judged = judge(facts, rules, self._clock.time_ms() // 1000, self._verdicts)
        self._take(facts, judged)
        self._on_change()

    def _take(self, facts: Sequence[ChainFacts | None], judged: Sequence[ChainVerdict]) -> None:
        """Believe the verdicts; but a node that is silent for a moment changes none."""
        now = self._clock.monotonic()
        for index, known in enumerate(facts):
            if known is not None:
                self._heard_at[index] = now
        silent = {index for index, known in enumerate(facts) if known is None and self.is_judged(index)}
        for index, verdict in enumerate(judged):
            before = self._verdicts[index]
            if before is not None and (index in silent or (silent and _is_alone(before, verdict))):
                continue
            self._verdicts[index] = verdict
            if before is None or before.chain is not verdict.chain:
                _tell(self._nodes[index].name, verdict)

    def _with_refused(self, node: Node, facts: ChainFacts | None) -> Deferred[ChainFacts | None]:
        async def ask(known: ChainFacts) -> ChainFacts:
            return msgspec.structs.replace(known, refused=await node.refused_tips())

        return self._asked(_nothing() if facts is None else ask(facts))

    def _with_hashes(self, node: Node, facts: ChainFacts | None, heights: Sequence[int]) -> Deferred[ChainFacts | None]:
        async def ask(known: ChainFacts) -> ChainFacts:
            reached = [height for height in heights if height <= known.height]
            return msgspec.structs.replace(known, hashes=await node.hashes_at(reached))

        return self._asked(_nothing() if facts is None else ask(facts))

    def _asked(self, question: Coroutine[Any, Any, T | None]) -> Deferred[T | None]:
        """The answer, None if there is none in time."""

        async def answer() -> T | None:
            try:
                return await Deferred.fromCoroutine(question).addTimeout(ANSWER_SECONDS_MAX, self._reactor)
            except (NodeUnavailable, TimeoutError):
                return None

        return Deferred.fromCoroutine(answer())


async def _gathered(asked: list[Deferred[T]]) -> list[T]:
    """All answers. Raises CancelledError itself when cancelled."""
    try:
        return await gatherResults(asked, consumeErrors=True)
    except FirstError as error:
        cause = error.subFailure.value
        if cause is None:
            raise
        raise cause from None


async def _nothing() -> None:
    return None


def _is_alone(before: ChainVerdict, after: ChainVerdict) -> bool:
    """Whether all that changed is that nobody is there to compare a node with."""
    return before.chain is Chain.MAJORITY and after.chain is Chain.UNKNOWN


def _tell(name: str, verdict: ChainVerdict) -> None:
    match verdict.chain:
        case Chain.MAJORITY:
            events.chain_majority(name, verdict.reason)
        case Chain.UNKNOWN:
            events.chain_unknown(name, verdict.reason)
        case Chain.MINORITY:
            events.chain_minority(name, verdict.reason)
