"""A node that answers from memory, when the test says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred

from native import sha256d
from pool.bitcoin.network import BlockAt
from pool.ports import ChainTip, NodeUnavailable, Verdict
from pool.work.block import Block
from pool.work.chain_gate import ChainFacts
from pool.work.empty import TipHeader
from pool.work.job import Job
from pool.work.proposal import proposal
from pool.work.template import Template
from tests.pool.work.templates import empty_template


class FakeNode:
    """Implements `pool.ports.Node`.

    template: what it offers; its previous block is the tip. problem: if set, every call raises NodeUnavailable with
    it; template_problem: the same for templates alone. is_slow: no template comes before the test gives it to the
    first of `waiting`. is_hung: no answer about the tip comes before the test gives it to the first of `asking`.
    is_syncing: as the node says. announces: whether `announce` reaches who subscribed. verdicts: answers to
    `submitblock` in turn, then None, which puts the block into the chain. places: confirmations by block hash.
    follows_preference: whether `preciousblock` does that too. hashes, refused: of its chain, and what it calls invalid.
    opinions: answers to proposals in turn, then None; is_thinking: none comes before the test gives it to the first of
    `thinking`.
    """

    def __init__(self, name: str = "fake:8332", *, announces: bool = False) -> None:
        self.name = name
        self.template = empty_template(1, sha256d(b"0"))
        self.is_hung = self.is_syncing = False
        self.asking: list[Deferred[ChainTip]] = []
        self.tips_asked = 0
        self._announces = announces
        self._heard: list[Callable[[bytes], None]] = []
        self.problem: str | None = None
        self.template_problem: str | None = None
        self.verdicts: list[str | None] = []
        self.places: dict[bytes, int] = {}
        self.submitted: list[bytes] = []
        self._taken_height = 0
        self.preferred: list[bytes] = []
        self.follows_preference = True
        self.templates_asked = 0
        self.waiting: list[Deferred[Template]] = []
        self.is_slow = False
        self.hashes: dict[int, bytes] = {}
        self.refused: tuple[BlockAt, ...] = ()
        self.refused_asked = 0
        self.proposed: list[bytes] = []
        self.opinions: list[str | None] = []
        self.is_thinking = False
        self.thinking: list[Deferred[Verdict]] = []

    def extend(self, by: int = 1, branch: str = "") -> None:
        """Put a block of somebody else on the tip, which on another branch is another one."""
        height = self.template.height + by
        self.template = empty_template(height, sha256d(f"{branch}{height}".encode()), self.template.time + 1)

    def announce(self) -> None:
        """Say by itself what the tip is."""
        for heard in self._heard:
            heard(self.template.prev_hash)

    def answer_long_poll(self) -> None:
        """Say that the template is outdated."""
        self.waiting.pop(0).callback(self.template)

    async def block_template(self, longpoll_id: str | None = None) -> Template:
        self._check(self.problem or self.template_problem)
        if longpoll_id is None and not self.is_slow:
            self.templates_asked += 1
            return self.template
        waiting: Deferred[Template] = Deferred()
        self.waiting.append(waiting)
        return await waiting

    async def tip(self) -> ChainTip:
        self.tips_asked += 1
        self._check(self.problem)
        if self.is_hung:
            asking: Deferred[ChainTip] = Deferred()
            self.asking.append(asking)
            return await asking
        height = self.template.height - 1
        return ChainTip(self.template.prev_hash, height, work=1000 + 2 * height, is_syncing=self.is_syncing)

    def subscribe(self, heard: Callable[[bytes], None]) -> bool:
        self._heard.append(heard)
        return self._announces

    async def submit_block(self, block: Block) -> Verdict:
        self._check(self.problem)
        self.submitted.append(block.data)
        verdict = Verdict(reason=self.verdicts.pop(0) if self.verdicts else None)
        if verdict.accepted:
            self.places.setdefault(block.block_hash, 1)
            self._taken_height = max(self._taken_height, block.height)
        return verdict

    async def prefer_block(self, block_hash: bytes) -> None:
        self._check(self.problem)
        self.preferred.append(block_hash)
        if self.follows_preference:
            self.places[block_hash] = 1

    async def confirmations(self, block_hash: bytes) -> int | None:
        self._check(self.problem)
        return self.places.get(block_hash)

    async def tip_height(self) -> int:
        self._check(self.problem)
        return max(self.template.height - 1, self._taken_height)

    async def chain_facts(self) -> ChainFacts:
        self._check(self.problem)
        height = self.template.height - 1
        return ChainFacts(height, self.template.prev_hash, 1000 + 2 * height, self.template.time)

    async def hashes_at(self, heights: Sequence[int]) -> dict[int, bytes]:
        self._check(self.problem)
        return {height: self.hashes[height] for height in heights if height in self.hashes}

    async def refused_tips(self) -> tuple[BlockAt, ...]:
        self._check(self.problem)
        self.refused_asked += 1
        return self.refused

    async def propose(self, job: Job, template: Template) -> Verdict:
        self._check(self.problem)
        self.proposed.append(proposal(job, template).data)
        if self.is_thinking:
            answer: Deferred[Verdict] = Deferred()
            self.thinking.append(answer)
            return await answer
        return Verdict(reason=self.opinions.pop(0) if self.opinions else None)

    async def tip_header(self, block_hash: bytes) -> TipHeader:
        self._check(self.problem)
        return TipHeader(block_hash, self.template.height - 1, self.template.nbits, self.template.time_min - 1)

    def _check(self, problem: str | None) -> None:
        if problem is not None:
            raise NodeUnavailable(problem)
