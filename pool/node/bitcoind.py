"""One bitcoind as the port `Node`: the calls wait in threads, never on the reactor's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from pool.bitcoin.network import BlockAt
from pool.node import answers
from pool.node.announcements import HashBlocks
from pool.node.rpc import DECODE_FAILED, UNKNOWN_BLOCK, BitcoindRpc, NodeTimeout, RpcRefusal, RpcSettings
from pool.ports import ChainTip, NodeUnavailable, Verdict
from pool.work.block import Block
from pool.work.chain_gate import ChainFacts
from pool.work.empty import TipHeader
from pool.work.job import Job
from pool.work.template import Template, TemplateError, parse_template

T = TypeVar("T")

# Each kind of call has threads of its own: a node that is slow with one must not keep the others waiting.
_TEMPLATE_THREADS = 2
_BLOCK_THREADS = 4

# So often a block's connection is used while there is no block: bitcoind closes one that was silent for 30 seconds
# (`-rpcservertimeout`). A block then waits for no thread, no handshake, and no question about the chain.
_WARM_SECONDS = 10.0

# About the tip and a block's place.
_QUESTION_THREADS = 2

# A node that takes longer to name its tip is as good as away.
QUESTION_SECONDS = 3.0

# How long bitcoind may leave a long poll open; without new blocks and transactions it never answers.
LONG_POLL_SECONDS = 600.0


class BitcoindNode:
    """Implements `pool.ports.Node`. python-bitcoinrpc blocks and its connections are not for sharing: each thread of a
    few small pools has its own. announcements: ZMQ address of its `hashblock`; empty for none."""

    def __init__(
        self,
        reactor: Any,
        settings: RpcSettings,
        question_seconds: float = QUESTION_SECONDS,
        long_poll_seconds: float = LONG_POLL_SECONDS,
        announcements: str = "",
    ) -> None:
        self.name = settings.name
        self._reactor = reactor
        self._settings = settings
        self._templates = _RpcThreads(settings, settings.timeout_seconds, _TEMPLATE_THREADS, "bitcoind-templates")
        self._blocks = _RpcThreads(settings, settings.timeout_seconds, _BLOCK_THREADS, "bitcoind-blocks")
        self._questions = _RpcThreads(settings, question_seconds, _QUESTION_THREADS, "bitcoind-questions")
        self._long_poll = _RpcThreads(settings, long_poll_seconds, 1, "bitcoind-long-poll")
        self._announcements = HashBlocks(reactor, announcements, self._announced) if announcements else None
        self._heard: Callable[[bytes], None] | None = None
        self._warming = LoopingCall(self._keep_warm)
        self._warming.clock = reactor

    def start(self) -> None:
        """Start the threads, and keep a connection open for blocks."""
        for threads in self._all_threads():
            threads.pool.start()
        self._warming.start(_WARM_SECONDS)
        if self._announcements is not None:
            self._announcements.start()

    def stop(self) -> None:
        """Break off what is under way and end the threads."""
        if self._warming.running:
            self._warming.stop()
        if self._announcements is not None:
            self._announcements.stop()
        for threads in self._all_threads():
            threads.stop()

    async def block_template(self, longpoll_id: str | None = None) -> Template:
        """As the port says; a long poll that nothing ended in its time gives the template of then."""
        request: dict[str, Any] = {
            "rules": list(self._settings.network.template_rules),
            "capabilities": ["coinbasevalue", "longpoll", "proposal"],
        }
        if longpoll_id is not None:
            try:
                return await self._run(self._long_poll, _template, request | {"longpollid": longpoll_id})
            except NodeTimeout:
                pass
        return await self._run(self._templates, _template, request)

    async def tip(self) -> ChainTip:
        """As the port says. On test chains no node counts as syncing: it offers templates all the same, and a last
        block of long ago is no sign."""
        return await self._run(self._questions, _tip, self._settings.network.is_test)

    def subscribe(self, heard: Callable[[bytes], None]) -> bool:
        self._heard = heard
        return self._announcements is not None

    async def submit_block(self, block: Block) -> Verdict:
        return await self._run(self._blocks, _submit, block)

    async def prefer_block(self, block_hash: bytes) -> None:
        await self._run(self._questions, lambda rpc: rpc.call("preciousblock", block_hash[::-1].hex()))

    async def confirmations(self, block_hash: bytes) -> int | None:
        return await self._run(self._questions, _confirmations, block_hash)

    async def tip_height(self) -> int:
        return await self._run(self._questions, lambda rpc: int(rpc.call("getblockcount")))

    async def chain_facts(self) -> ChainFacts:
        return await self._run(self._questions, answers.chain_facts)

    async def hashes_at(self, heights: Sequence[int]) -> dict[int, bytes]:
        return await self._run(self._questions, answers.hashes_at, heights)

    async def refused_tips(self) -> tuple[BlockAt, ...]:
        return await self._run(self._questions, answers.refused_tips)

    async def propose(self, job: Job, template: Template) -> Verdict:
        return await self._run(self._templates, answers.propose, self._settings.network.template_rules, job, template)

    async def tip_header(self, block_hash: bytes) -> TipHeader:
        return await self._run(self._questions, answers.tip_header, block_hash)

    def _all_threads(self) -> tuple[_RpcThreads, ...]:
        return (self._templates, self._blocks, self._questions, self._long_poll)

    def _keep_warm(self) -> Deferred[Any]:
        # `uptime` needs no lock of the node's.
        used = deferToThreadPool(self._reactor, self._blocks.pool, lambda: self._blocks.rpc().call("uptime"))
        # Whoever watches the node tells.
        return used.addErrback(lambda failure: failure.trap(NodeUnavailable))

    def _announced(self, block_hash: bytes) -> None:
        if self._heard is not None:
            self._heard(block_hash)

    async def _run(self, threads: _RpcThreads, work: Callable[..., T], *args: Any) -> T:
        return await deferToThreadPool(self._reactor, threads.pool, lambda: work(threads.rpc(), *args))


class _RpcThreads:
    """Threads with a connection each."""

    def __init__(self, settings: RpcSettings, timeout_seconds: float, count: int, name: str) -> None:
        self.pool = ThreadPool(minthreads=0, maxthreads=count, name=name)
        self._settings = msgspec.structs.replace(settings, timeout_seconds=timeout_seconds)
        self._local = threading.local()
        self._lock = threading.Lock()
        self._all: list[BitcoindRpc] = []
        self._is_stopped = False

    def rpc(self) -> BitcoindRpc:
        """The connection of the thread that asks."""
        rpc: BitcoindRpc | None = getattr(self._local, "rpc", None)
        if rpc is None:
            rpc = self._local.rpc = BitcoindRpc(self._settings)
            with self._lock:
                self._all.append(rpc)
                if self._is_stopped:  # its thread began too late for `stop` to see it
                    rpc.interrupt()
        return rpc

    def stop(self) -> None:
        """End the calls under way, then the threads, then their connections."""
        with self._lock:
            self._is_stopped = True
            for rpc in self._all:
                rpc.interrupt()
        self.pool.stop()
        for rpc in self._all:
            rpc.close()


def _template(rpc: BitcoindRpc, request: dict[str, Any]) -> Template:
    result = rpc.call_raw("getblocktemplate", request)
    try:
        return parse_template(result)
    except TemplateError as error:
        raise NodeUnavailable(f"the node's template cannot be mined on: {error}") from error


def _tip(rpc: BitcoindRpc, is_test: bool) -> ChainTip:
    info = rpc.call("getblockchaininfo")
    try:
        return ChainTip(
            block_hash=_hash(info["bestblockhash"]),
            height=int(info["blocks"]),
            work=int(info["chainwork"], 16),
            is_syncing=bool(info["initialblockdownload"]) and not is_test,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NodeUnavailable(f"the node does not name its tip: {error!r}") from error


def _submit(rpc: BitcoindRpc, block: Block) -> Verdict:
    try:
        return Verdict(reason=rpc.submit(block.hex_pieces))
    except RpcRefusal as error:
        if error.code != DECODE_FAILED:
            raise
        return Verdict(reason=str(error))


def _confirmations(rpc: BitcoindRpc, block_hash: bytes) -> int | None:
    try:
        return int(rpc.call("getblockheader", block_hash[::-1].hex())["confirmations"])
    except RpcRefusal as error:
        if error.code != UNKNOWN_BLOCK:
            raise
        return None


def _hash(hash_hex: str) -> bytes:
    return bytes.fromhex(hash_hex)[::-1]
