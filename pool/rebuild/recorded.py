"""What only the ledger knows, and a rebuild therefore takes from it.

- Accounts with their plans, addresses and thresholds, and when pay per share was stopped and went on: people made them,
  or the balance of the reserve at a moment.
- What is known of fleets, with the assignments that are the slices of shares, and charges for energy.
- Payments: what was paid to whom, the transactions, and whether payouts are stopped.
- The fees of the network's blocks, by day, that FPPS was settled by.
- The order in which the records of several journals came in, and where they were cut.
- The window and the start-up policy that a block was found under: the configuration of its moment.
- What the chain said of the blocks and when, and in which order that and the periods of pay per share were booked.
- Postings that people made; which blocks people held back, and which they were told of.

Everything else follows, and is compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Select, Table, insert, select

from payout.ports import BookedBlock, FoundBlock
from payout.store.blocks import SqlBlocks
from pool.store.fleet_tables import FLEET_TABLES, fleet_charge
from pool.store.scheme_tables import fee_block, fee_day, plan_cancel, pps_stop
from pool.store.sql import (
    account,
    payout,
    payout_address,
    payout_address_cancel,
    payout_attempt,
    payout_input,
    payout_line,
    payout_switch,
    payout_threshold,
    plan,
    progress,
    share_batch,
)
from pool.store.watch_tables import block_hold, luck_test, stray_block, stray_block_end

TAKEN_OVER = (
    account,
    plan,
    plan_cancel,
    payout_address,
    payout_address_cancel,
    payout_threshold,
    pps_stop,
    fee_day,
    fee_block,
    *FLEET_TABLES.values(),
    fleet_charge,
    payout,
    payout_line,
    payout_attempt,
    payout_input,
    payout_switch,
    block_hold,
    luck_test,
    stray_block,
    stray_block_end,
)
"""Tables that are truth of their own, each behind those that it refers to."""

_ROWS_AT_ONCE = 10_000
_PAYOUT_RUNS = select(progress).where(progress.c.name.startswith("payout_", autoescape=True))


class Recorded:
    """The live books at one moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.blocks: dict[bytes, BookedBlock] = {
            block.found.block_hash: block for block in SqlBlocks(connection).every()
        }

    def copy_to(self, empty: Connection) -> list[str]:
        """Take over what is truth of its own; what of that there was, in words."""
        counts = {table.name: self._copy(_in_order(table), table, empty) for table in TAKEN_OVER}
        counts["progress, of runs of payouts"] = self._copy(_PAYOUT_RUNS, progress, empty)
        return [f"{count} rows of {name}" for name, count in counts.items() if count]

    def _copy(self, wanted: Select[Any], to: Table, empty: Connection) -> int:
        """Copy rows; how many they were."""
        count = 0
        found = self._connection.execute(wanted, execution_options={"yield_per": _ROWS_AT_ONCE})
        for rows in found.mappings().partitions():
            empty.execute(insert(to), [dict(row) for row in rows])
            count += len(rows)
        return count

    def cuts(self, high_waters: Mapping[str, int]) -> Iterator[tuple[str, int]]:
        """The batches in order: whose journal, and the last record; at the end what no batch is kept of."""
        rows = select(share_batch.c.frontend, share_batch.c.last_seq).order_by(share_batch.c.id)
        found = self._connection.execute(rows, execution_options={"yield_per": _ROWS_AT_ONCE})
        yield from ((row.frontend, row.last_seq) for row in found)
        yield from sorted(high_waters.items())

    def as_found(self, block: FoundBlock) -> FoundBlock:
        """A block under the rules of its moment."""
        known = self.blocks.get(block.block_hash)
        if known is None:
            return block
        # Older books did not keep the subsidy.
        subsidy_sat = None if known.found.subsidy_sat is None else block.subsidy_sat
        return replace(block, window_x=known.found.window_x, startup=known.found.startup, subsidy_sat=subsidy_sat)


def _in_order(table: Table) -> Select[Any]:
    # A row may name one before it.
    return select(table).order_by(*table.primary_key.columns)
