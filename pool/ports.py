"""What the pure code needs of the outside world. Adapters satisfy these; fakes stand in for tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from msgspec import Struct

from pool.bitcoin.network import BlockAt
from pool.work.block import Block
from pool.work.candidate import Candidate
from pool.work.chain_gate import ChainFacts
from pool.work.empty import TipHeader
from pool.work.job import Job
from pool.work.share import Share
from pool.work.template import Template

Record = Job | Share


class NodeUnavailable(Exception):
    """The node cannot be asked: unreachable, refusing the password, starting, syncing. The text says which and how to
    mend it."""


class StoreUnavailable(Exception):
    """Redis cannot be asked: not there, refusing the password, loading, read-only, full. The text says which and how to
    mend it."""


class BlockHeader(Struct, frozen=True):
    """What FPPS needs of a block. median_time_s: of it and the ten before, which never falls from block to block."""

    block_hash: bytes
    prev_hash: bytes
    height: int
    time_s: int
    median_time_s: int


class ShareBatch(Struct, frozen=True):
    """One or more whole groups of a frontend's journal, as they travel to accounting.

    frontend: whose journal. first_seq: number of the first record. payload: `count` msgpack records, one after the
    other. entry_id: where the batch stands in the stream; empty before it is there.
    """

    frontend: str
    first_seq: int
    count: int
    payload: bytes
    entry_id: str = ""

    @property
    def last_seq(self) -> int:
        return self.first_seq + self.count - 1


class StreamPlace(Struct, frozen=True):
    """How far a frontend's journal has come on its way to accounting.

    shipped, committed: its last record in the stream and in the ledger, None if not known. entries: batches of all
    journals in the stream.
    """

    shipped: int | None
    committed: int | None
    entries: int


class Clock(Protocol):
    """Two clocks: one for records, one for intervals."""

    def time_ms(self) -> int:
        """Unix milliseconds of the wall clock; may step."""

    def monotonic(self) -> float:
        """Seconds since some start; never steps."""


class ShareLog(Protocol):
    """Where a share is safe before its miner is told so."""

    @property
    def frontend(self) -> str:
        """The id of the journal: with a record's number it names it for ever."""

    def append(self, record: Record) -> int:
        """Take a record into the open group and return its sequence number, gapless per journal from 1."""

    def commit(self) -> Awaitable[None] | None:
        """Make the open group durable as the journal's mode promises: None if it is already, else what to wait for.

        Raises OSError, at once or where it is waited for; then no record of the group may be acknowledged.
        """


class CandidateSink(Protocol):
    """The way of a block candidate to the work role; never blocks, never drops: it is kept until taken."""

    def send(self, candidate: Candidate) -> None:
        """Hand over a candidate at once."""


class Verdict(Struct, frozen=True):
    """A node's answer to `submitblock` (BIP-0022). reason: None when accepted, else the node's word."""

    reason: str | None

    @property
    def accepted(self) -> bool:
        return self.reason is None


class ChainTip(Struct, frozen=True):
    """The end of a node's active chain. block_hash: wire order. work: expected hashes of the whole chain, by which
    nodes choose between chains. is_syncing: the node itself says that it has not the whole chain yet."""

    block_hash: bytes
    height: int
    work: int
    is_syncing: bool = False


class Node(Protocol):
    """What the work role asks of a node. Every method raises NodeUnavailable. name: for people, host and port."""

    @property
    def name(self) -> str: ...

    async def block_template(self, longpoll_id: str | None = None) -> Template:
        """The node's template; with longpoll_id, the answer comes when that template is outdated (BIP-0022)."""

    async def tip(self) -> ChainTip:
        """The last block of its chain."""

    def subscribe(self, heard: Callable[[bytes], None]) -> bool:
        """Have `heard` called with the hash (wire order) of each new tip that the node announces by itself; False if
        it was not configured where it does."""

    async def submit_block(self, block: Block) -> Verdict:
        """Submit a block."""

    async def prefer_block(self, block_hash: bytes) -> None:
        """Of two blocks at one height, have the node stand by this one, which it has, as if it had seen it first
        (`preciousblock`). Nothing is changed for blocks that are not equal; the node forgets it when it restarts."""

    async def confirmations(self, block_hash: bytes) -> int | None:
        """1 for the tip, more below it, -1 for a known block outside the active chain, None for an unknown one."""

    async def tip_height(self) -> int:
        """Height of the tip."""

    async def chain_facts(self) -> ChainFacts:
        """What it says of its chain, without the parts that have to be asked for."""

    async def hashes_at(self, heights: Sequence[int]) -> dict[int, bytes]:
        """Hashes of its active chain at these heights, wire order; none above its tip."""

    async def refused_tips(self) -> tuple[BlockAt, ...]:
        """Where the branches end that it calls invalid; costs a node with a long chain some 0.1 s."""

    async def propose(self, job: Job, template: Template) -> Verdict:
        """What it would answer to a block of a job that was made of a template (BIP-0023)."""

    async def tip_header(self, block_hash: bytes) -> TipHeader:
        """The header of a block that it has just validated."""
