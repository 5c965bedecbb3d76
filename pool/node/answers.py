"""What bitcoind says of its chain and of proposed blocks, as values; synchronous, for a thread of its node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pool.bitcoin.network import BlockAt
from pool.node.rpc import DECODE_FAILED, OUT_OF_RANGE, REASON, BitcoindRpc, RpcRefusal
from pool.ports import NodeUnavailable, Verdict
from pool.work.chain_gate import ChainFacts
from pool.work.empty import TipHeader
from pool.work.job import Job
from pool.work.proposal import proposal
from pool.work.template import Template

T = TypeVar("T")

# Branches that end further below the tip are history.
_REFUSED_DEPTH = 2016


def chain_facts(rpc: BitcoindRpc) -> ChainFacts:
    """Tip, work and time of its active chain; nothing else."""

    def read(info: Any) -> ChainFacts:
        return ChainFacts(
            height=int(info["blocks"]),
            tip=_hash(info["bestblockhash"]),
            work=int(info["chainwork"], 16),
            tip_time=int(info["time"]),
        )

    return _read("getblockchaininfo", rpc.call("getblockchaininfo"), read)


def hashes_at(rpc: BitcoindRpc, heights: Sequence[int]) -> dict[int, bytes]:
    """Hashes of its active chain; none above its tip, which may have gone back since the heights were chosen."""
    found = {}
    for height in heights:
        try:
            found[height] = _read("getblockhash", rpc.call("getblockhash", height), _hash)
        except RpcRefusal as error:
            if error.code != OUT_OF_RANGE:
                raise
    return found


def refused_tips(rpc: BitcoindRpc) -> tuple[BlockAt, ...]:
    """Tips that it calls invalid, as far as they are of this fortnight."""

    def read(tips: Any) -> tuple[BlockAt, ...]:
        height = max(int(tip["height"]) for tip in tips if tip["status"] == "active")
        invalid = [BlockAt(int(tip["height"]), _hash(tip["hash"])) for tip in tips if tip["status"] == "invalid"]
        return tuple(block for block in invalid if block.height > height - _REFUSED_DEPTH)

    return _read("getchaintips", rpc.call("getchaintips"), read)


def propose(rpc: BitcoindRpc, rules: Sequence[str], job: Job, template: Template) -> Verdict:
    """What it thinks of a block of this job."""
    request = {"mode": "proposal", "rules": list(rules), "data": proposal(job, template).data.hex()}
    try:
        return Verdict(reason=_read("getblocktemplate", rpc.call_raw("getblocktemplate", request), REASON.decode))
    except RpcRefusal as error:
        if error.code != DECODE_FAILED:
            raise
        return Verdict(reason=str(error))


def tip_header(rpc: BitcoindRpc, block_hash: bytes) -> TipHeader:
    """The header of a block that it knows."""

    def read(header: Any) -> TipHeader:
        return TipHeader(
            block_hash=block_hash,
            height=int(header["height"]),
            nbits=int(header["bits"], 16),
            median_time=int(header["mediantime"]),
        )

    return _read("getblockheader", rpc.call("getblockheader", block_hash[::-1].hex()), read)


def _read(method: str, answer: Any, read: Callable[[Any], T]) -> T:
    try:
        return read(answer)
    except (KeyError, TypeError, ValueError) as error:
        raise NodeUnavailable(f"the node's answer to {method} cannot be read: {error!r}") from error


def _hash(hash_hex: str) -> bytes:
    return bytes.fromhex(hash_hex)[::-1]
