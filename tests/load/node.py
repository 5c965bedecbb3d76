"""A node with a full mempool, and our pool on it: for the way of a block from the node to the last miner."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from pool.bitcoin.amount import COIN, subsidy
from pool.bitcoin.transaction import Output, compact_size, serialise_outputs
from pool.node.loopback import free_port
from pool.node.private import PrivateNode, find_bitcoind
from tests.load.processes import BenchmarkFailed, end, wait_for
from tests.load.servers import Role

TRANSACTIONS: Final = 3_000
"""As many as a block of the main chain has these days."""

# Of a transaction that is relayed: its size has a limit.
_OUTPUTS_MAX: Final = 1_500

# So many small outputs beside the one that counts make a transaction as large as they are there on average.
_SMALL_OUTPUTS: Final = 6
_SMALL_SAT: Final = 1_000

# Spent by whoever shows the script OP_TRUE (BIP-0141): no wallet has to sign three thousand times.
_SCRIPT: Final = b"\x51"
_OUTPUT_SCRIPT: Final = b"\x00\x20" + hashlib.sha256(_SCRIPT).digest()
_FEE_SAT: Final = 2_000
_VERSION: Final = b"\x02\x00\x00\x00"
_SEGWIT_MARK: Final = b"\x00\x01"
_MATURITY: Final = 100


class Pool(Role):
    """The work role on a regtest node of our own, and the stratum role. `new_block`: another miner's block, whose
    transactions are none of the mempool's, so that the next template has as many as the one before."""

    transactions = TRANSACTIONS

    def new_block(self) -> int:
        block = self._node.call("generateblock", "raw(51)", [], False)["hex"]
        now_ns = time.monotonic_ns()
        refusal = self._node.call("submitblock", block)
        if refusal is not None:
            raise BenchmarkFailed(f"the node refused a block: {refusal}")
        return now_ns

    def _start_feed(self, stack: ExitStack, folder: Path) -> None:
        program = find_bitcoind()
        if program is None:
            raise BenchmarkFailed("no bitcoind: put one on PATH, or name it in STEPPE_BITCOIND")
        self._node = PrivateNode(program, "regtest", folder / "node", free_port())
        self._node.start()
        stack.callback(self._node.stop)
        fill_mempool(self._node, self.transactions)
        self._chain, self._payout_address = "regtest", self._node.payout_address()
        self._node_url, self._cookie_file = self._node.url, self._node.cookie_file
        (folder / "data").mkdir(mode=0o700)
        log = folder / "work.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "pool", "run", "--role", "work", "-c", self._configure(folder)],
                stdout=out,
                stderr=out,
            )
        stack.callback(end, process)
        wait_for("the feed", lambda: _has_feed(folder, process))


def _has_feed(folder: Path, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        raise BenchmarkFailed(f"the work role ended and said:\n{(folder / 'work.log').read_text()}")
    return (folder / "data" / "feed.sock").exists()


def fill_mempool(node: PrivateNode, transactions: int) -> None:
    """So many of them wait for a block, each on its own."""
    descriptor = node.call("getdescriptorinfo", f"raw({_OUTPUT_SCRIPT.hex()})")["descriptor"]
    counts = [min(_OUTPUTS_MAX, transactions - start) for start in range(0, transactions, _OUTPUTS_MAX)]
    blocks = node.call("generatetodescriptor", len(counts), descriptor)
    coinbases = [node.call("getblock", block_hash)["tx"][0] for block_hash in blocks]
    node.mine(_MATURITY)
    each_sat = (subsidy(1) - COIN) // _OUTPUTS_MAX  # what is left over is the fee
    fan_outs = [_spend(coinbase, 0, [each_sat] * count) for coinbase, count in zip(coinbases, counts, strict=True)]
    parents = [node.call("sendrawtransaction", each.hex(), 0, 0) for each in fan_outs]
    node.mine(1)
    small = [_SMALL_SAT] * _SMALL_OUTPUTS
    for parent, count in zip(parents, counts, strict=True):
        for place in range(count):
            # No two fees alike, so that the node has something to sort.
            rest_sat = each_sat - sum(small) - _FEE_SAT - place
            node.call("sendrawtransaction", _spend(parent, place, [rest_sat, *small]).hex())
    found = node.call("getmempoolinfo")["size"]
    if found != transactions:
        raise BenchmarkFailed(f"the mempool has {found} transactions")


def _spend(txid: str, place: int, amounts_sat: list[int]) -> bytes:
    """A transaction that spends one output and makes others, which OP_TRUE opens all; in its BIP-0144 form."""
    spent = bytes.fromhex(txid)[::-1] + place.to_bytes(4, "little")
    outputs = tuple(Output(sat, _OUTPUT_SCRIPT) for sat in amounts_sat)
    witness = b"\x01" + compact_size(len(_SCRIPT)) + _SCRIPT
    inputs = b"\x01" + spent + b"\x00" + b"\xff" * 4
    return _VERSION + _SEGWIT_MARK + inputs + serialise_outputs(outputs) + witness + bytes(4)
