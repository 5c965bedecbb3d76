"""Small blocks for tests that only carry them about."""

from __future__ import annotations

from native import sha256d
from pool.work.block import Block, body


def block(
    height: int = 1, head: bytes = bytes(range(80)) + b"\x02 and a coinbase", transactions: bytes = b"rest"
) -> Block:
    """A block whose parts are told apart; no node would take it."""
    return Block(sha256d(head[:80]), head, body(height, (), 1, transactions))
