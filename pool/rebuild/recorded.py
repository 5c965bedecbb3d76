"""What only the ledger knows, and a rebuild therefore takes from it.

- Accounts with their plans and addresses: people made them.
- The order in which the records of several journals came in, and where they were cut.
- The window and the start-up policy that a block was found under: the configuration of its moment.
- What the chain said of the blocks and when, and in which order that and the periods of pay per share were booked.
- Postings that people or payments made.

Everything else follows, and is compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace
from sqlalchemy import Connection, insert, select

from payout.ports import BookedBlock, FoundBlock
from payout.store.blocks import SqlBlocks
from pool.store.sql import account, payout_address, plan, share_batch

TAKEN_OVER = (account, plan, payout_address)
"""Tables that are truth of their own."""


class Recorded:
    """The live books at one moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.blocks: dict[bytes, BookedBlock] = {
            block.found.block_hash: block for block in SqlBlocks(connection).every()
        }

    def copy_to(self, empty: Connection) -> list[str]:
        """Take over what is truth of its own; what that was, in words."""
        told = []
        for table in TAKEN_OVER:
            rows = [dict(row) for row in self._connection.execute(select(table)).mappings()]
            if rows:
                empty.execute(insert(table), rows)
            told.append(f"{len(rows)} rows of {table.name}")
        return told

    def cuts(self, high_waters: Mapping[str, int]) -> Iterator[tuple[str, int]]:
        """The batches in order: whose journal, and the last record; at the end what no batch is kept of."""
        rows = select(share_batch.c.frontend, share_batch.c.last_seq).order_by(share_batch.c.id)
        found = self._connection.execute(rows, execution_options={"yield_per": 10_000})
        yield from ((row.frontend, row.last_seq) for row in found)
        yield from sorted(high_waters.items())

    def as_found(self, block: FoundBlock) -> FoundBlock:
        """A block under the rules of its moment."""
        known = self.blocks.get(block.block_hash)
        if known is None:
            return block
        return replace(block, window_x=known.found.window_x, startup=known.found.startup)
