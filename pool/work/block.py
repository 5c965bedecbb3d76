"""A whole block from a template and a share that met the network target.

When one is found, every millisecond counts, and a block has up to four megabytes. So what all blocks of a template have
in common, its `Body`, is made when the job is made: nothing of that size is encoded or copied for a block.
"""

from __future__ import annotations

import binascii

from msgspec import Struct

from native import merkle_root, sha256d
from pool.bitcoin.merkle import branch
from pool.bitcoin.transaction import compact_size, txid, with_coinbase_witness
from pool.work.template import Template

HEADER_BYTES = 80

_ROOT = slice(36, 68)


class BlockMismatch(Exception):
    """Header, coinbase and template do not belong together: a bug of ours, or a candidate of another job."""


class Body(Struct, frozen=True):
    """What all blocks of a template have in common.

    branch: hashes that fold the coinbase's txid into the root, deepest first. count: transactions without the coinbase.
    transactions: these, serialised one behind the other; transactions_hex: the same in hex, ASCII; checksum: their
    CRC-32, by which a file of them is known again.
    """

    height: int
    branch: tuple[bytes, ...]
    count: int
    transactions: bytes
    transactions_hex: bytes
    checksum: int


class Block(Struct, frozen=True):
    """A block. head: all that stands before the body's transactions: header, count and coinbase with its witness."""

    block_hash: bytes
    head: bytes
    body: Body

    @property
    def height(self) -> int:
        return self.body.height

    @property
    def data(self) -> bytes:
        """The serialised block."""
        return self.head + self.body.transactions

    @property
    def hex_pieces(self) -> tuple[bytes, bytes]:
        """The serialised block in hex, in two pieces; nothing large is copied."""
        return binascii.hexlify(self.head), self.body.transactions_hex


def body_of(template: Template) -> Body:
    """The body of a template's blocks."""
    return body(
        template.height,
        tuple(branch([transaction.txid for transaction in template.transactions])),
        len(template.transactions),
        b"".join(transaction.data for transaction in template.transactions),
    )


def body(height: int, siblings: tuple[bytes, ...], count: int, transactions: bytes) -> Body:
    """A body of its parts; `siblings` is its branch."""
    return Body(height, siblings, count, transactions, binascii.hexlify(transactions), binascii.crc32(transactions))


def assemble(of: Body, header: bytes, coinbase: bytes) -> Block:
    """A block. header: 80 bytes. coinbase: without witness. Raises BlockMismatch."""
    if len(header) != HEADER_BYTES:
        raise BlockMismatch(f"a header has {HEADER_BYTES} bytes, not {len(header)}")
    if header[_ROOT] != merkle_root(txid(coinbase), b"".join(of.branch)):
        raise BlockMismatch("the header's merkle root is not the one of this coinbase and this template")
    return Block(sha256d(header), header + compact_size(1 + of.count) + with_coinbase_witness(coinbase), of)
