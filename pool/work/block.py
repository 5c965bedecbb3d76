"""A whole block from a template and a share that met the network target."""

from __future__ import annotations

from native import merkle_root
from pool.bitcoin.merkle import branch
from pool.bitcoin.transaction import compact_size, txid, with_coinbase_witness
from pool.work.template import Template

HEADER_BYTES = 80

_ROOT = slice(36, 68)


class BlockMismatch(Exception):
    """Header, coinbase and template do not belong together: a bug of ours, or a candidate of another job."""


def assemble(template: Template, header: bytes, coinbase: bytes) -> bytes:
    """The serialised block. header: 80 bytes. coinbase: without witness. Raises BlockMismatch."""
    if len(header) != HEADER_BYTES:
        raise BlockMismatch(f"a header has {HEADER_BYTES} bytes, not {len(header)}")
    siblings = branch([transaction.txid for transaction in template.transactions])
    if header[_ROOT] != merkle_root(txid(coinbase), b"".join(siblings)):
        raise BlockMismatch("the header's merkle root is not the one of this coinbase and this template")
    return b"".join(
        (
            header,
            compact_size(1 + len(template.transactions)),
            with_coinbase_witness(coinbase),
            *(transaction.data for transaction in template.transactions),
        )
    )
