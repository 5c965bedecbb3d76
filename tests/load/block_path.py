"""The way of a block through the work role: how long until the kernel has it, until a node hears of it, until the disk
has it. The real parts on the role's own reactor; a node is a process that says when the first byte of a block came.

    python -m tests.load.block_path ROUNDS NODES
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import uvloop
from twisted.internet import asyncioreactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.main import installReactor
from twisted.internet.threads import deferToThread

from native import JobCheck, sha256d
from pool.bitcoin.network import REGTEST
from pool.node.bitcoind import BitcoindNode
from pool.node.credentials import CookieFile
from pool.node.rpc import RpcSettings
from pool.node.spool import CandidateSpool
from pool.node.submitter import Submitter
from pool.node.templates import TemplateShelf
from pool.node.workshop import NODES_FIRST_SECONDS
from pool.roles.clock import SystemClock
from pool.roles.twisted_role import SWITCH_SECONDS
from pool.work.block import Block, assemble
from pool.work.coinbase import Coinbase
from pool.work.make_job import make_job
from pool.work.template import Template, TemplateTransaction
from tests.load.processes import end

SIZES: Final = {"3,000 transactions": (3_000, 550), "4,000,000 weight units": (3_000, 1_320)}
"""By name: how many transactions, of so many bytes. The second is as large as a block without witnesses' discount for
most of it can be: 3.96 MB."""

_PAUSE_SECONDS: Final = 0.05
_SETTLE_SECONDS: Final = 0.5


def template_of(count: int, size: int) -> Template:
    """A template that nobody checks, with so many transactions of so many bytes."""
    transactions = tuple(
        TemplateTransaction(os.urandom(size), os.urandom(32), os.urandom(32), 1_000, 4, 4 * size) for _ in range(count)
    )
    return Template(
        version=0x20000000,
        prev_hash=os.urandom(32),
        height=800_000,
        nbits=0x207FFFFF,
        time=1_700_000_000,
        time_min=1_699_990_000,
        coinbase_value_sat=312_500_000,
        witness_commitment=bytes.fromhex("6a24aa21a9ed") + os.urandom(32),
        longpoll_id="bench",
        transactions=transactions,
    )


class _Node:
    """A process of its own, until `end`."""

    def __init__(self) -> None:
        argv = [sys.executable, "-m", "tests.load.block_node"]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = self._number()

    def first_byte(self) -> float:
        """Wait for the next block; returns the monotonic seconds of its first byte."""
        return self._number() / 1e9

    def end(self) -> None:
        end(self._process)

    def _number(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


def measure_block_path(rounds: int, nodes: int) -> dict[str, Any]:
    """Milliseconds from a candidate's arrival at the work role, by size of the block."""
    sys.setswitchinterval(SWITCH_SECONDS)
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    reactor: Any = asyncioreactor.AsyncioSelectorReactor(loop)
    installReactor(reactor)
    found: dict[str, Any] = {}

    async def run() -> None:
        try:
            for name, (count, size) in SIZES.items():
                found[name] = await _measure(reactor, template_of(count, size), rounds, nodes)
        finally:
            reactor.stop()

    failures: list[Any] = []
    reactor.callWhenRunning(lambda: ensureDeferred(run()).addErrback(failures.append))
    reactor.run()
    if failures:
        failures[0].raiseException()
    return found


async def _measure(reactor: Any, template: Template, rounds: int, nodes: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="steppe-bench-") as folder, ExitStack() as running:
        cookie = Path(folder) / "cookie"
        cookie.write_text("user:password")
        heard, ours = [], []
        for _ in range(nodes):
            process = _Node()
            running.callback(process.end)
            heard.append(process.first_byte)
            settings = RpcSettings(f"http://127.0.0.1:{process.port}", CookieFile(cookie), REGTEST)
            node = BitcoindNode(reactor, settings)
            node.start()
            running.callback(node.stop)
            ours.append(node)
        return await _candidates(reactor, Path(folder), template, ours, heard, rounds)


async def _candidates(
    reactor: Any,
    folder: Path,
    template: Template,
    nodes: Sequence[BitcoindNode],
    first_bytes: Sequence[Callable[[], float]],
    rounds: int,
) -> dict[str, Any]:
    clock = SystemClock()
    spool = CandidateSpool(folder / "candidates")
    shelf = TemplateShelf(folder / "templates", 600.0, clock.monotonic(), deferToThread)
    submitter = Submitter(nodes, spool, reactor, clock, deferToThread)
    job = make_job(template, Coinbase(bytes(22), b"/bench/"), "1a", clock.time_ms(), clean=True)
    check = JobCheck(job.coinb1, job.coinb2, b"".join(job.branch), job.prev_hash, job.nbits)
    shelf.keep("1a", template, tuple(job.branch), clock.monotonic())
    await _sleep(reactor, _SETTLE_SECONDS)  # the job's files are there
    kernel_ms, first_ms, last_ms, disk_ms = [], [], [], []
    for nonce in range(rounds):
        header = check.header(bytes(4), bytes(8), job.version, job.ntime, nonce)
        start = time.monotonic()
        body = shelf.get("1a")
        assert body is not None
        block: Block = assemble(body, header, check.coinbase(bytes(4), bytes(8)))
        assert block.block_hash == sha256d(header)
        spool.note(block, shelf.transactions_file("1a"))
        kernel_ms.append((time.monotonic() - start) * 1e3)
        submitter.submit(block)
        await _sleep(reactor, NODES_FIRST_SECONDS)
        await deferToThread(spool.keep, block)
        disk_ms.append((time.monotonic() - start) * 1e3)
        times = [await deferToThread(first_byte) - start for first_byte in first_bytes]
        first_ms.append(min(times) * 1e3)
        last_ms.append(max(times) * 1e3)
        await _sleep(reactor, _PAUSE_SECONDS)
    figures = {"kernel_ms": kernel_ms, "first_node_ms": first_ms, "last_node_ms": last_ms, "disk_ms": disk_ms}
    return {"bytes": len(block.data), **{name: _spread(values) for name, values in figures.items()}}


def _spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        # The first one of all: no thread and no connection was there yet.
        "first": round(values[0], 3),
        "p50": round(statistics.median(ordered), 3),
        "p99": round(ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)], 3),
        "max": round(ordered[-1], 3),
    }


def _sleep(reactor: Any, seconds: float) -> Deferred[None]:
    waiting: Deferred[None] = Deferred()
    reactor.callLater(seconds, waiting.callback, None)
    return waiting


def main() -> None:
    """See the module."""
    print(json.dumps(measure_block_path(int(sys.argv[1]), int(sys.argv[2]))))


if __name__ == "__main__":
    main()
