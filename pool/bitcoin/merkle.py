"""Merkle branches and roots, and the commitment to witnesses that is built on them."""

from __future__ import annotations

from collections.abc import Sequence

from native import merkle_root, sha256d
from pool.bitcoin.transaction import WITNESS_RESERVED_VALUE

_COINBASE_WTXID = bytes(32)


def branch(txids: Sequence[bytes]) -> tuple[bytes, ...]:
    """Hashes that fold the coinbase txid into the root.

    txids: 32 bytes each, wire order, without the coinbase. Returns ceil(log2(len + 1)) hashes, deepest first. Source:
    Stratum v1 mining.notify.
    """
    siblings = []
    # One level of the tree without its first node, which only the finished coinbase decides.
    level = list(txids)
    while level:
        siblings.append(level[0])
        if len(level) % 2 == 0:
            # A level with an odd number of nodes, the first one counted, doubles its last.
            level.append(level[-1])
        level = [sha256d(level[i] + level[i + 1]) for i in range(1, len(level), 2)]
    return tuple(siblings)


def root(txids: Sequence[bytes]) -> bytes:
    """The merkle root of a block. txids: 32 bytes each, wire order, the coinbase first."""
    return merkle_root(txids[0], b"".join(branch(txids[1:])))


def witness_commitment(wtxids: Sequence[bytes]) -> bytes:
    """What a coinbase commits to: the witnesses of its block. wtxids: without the coinbase. Source: BIP-0141."""
    return sha256d(root([_COINBASE_WTXID, *wtxids]) + WITNESS_RESERVED_VALUE)
