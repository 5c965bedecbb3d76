"""The pool's own blocks in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, insert, select, update

from payout.accounts import Stake
from payout.ledger import LedgerError
from payout.maturity import Life, State, is_final
from payout.ports import BookedBlock, FoundBlock
from payout.rewards import Credit
from payout.store.stakes import STAKES, ids_of, stake_of
from payout.store.statements import read_progress, write_progress
from pool.store.sql import block, credit, stake

_CHAIN_HEIGHT = "chain_height"


class SqlBlocks:
    """Satisfies payout.ports.Blocks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, found: FoundBlock) -> bool:
        """Keep a new candidate; False if the block is known."""
        known = select(block.c.hash).where(block.c.hash == found.block_hash)
        if self._connection.execute(known).one_or_none() is not None:
            return False
        self._connection.execute(
            insert(block).values(
                hash=found.block_hash,
                height=found.height,
                found_ms=found.found_ms,
                finder=found.finder,
                worker=found.worker,
                frontend=found.frontend,
                seq=found.seq,
                outcome=found.outcome,
                score_end=found.end,
                window_x=found.window_x,
                startup=found.startup,
                state=State.CANDIDATE.value,
                flips=0,
            )
        )
        return True

    def open(self, tip_height: int) -> list[Life]:
        """The blocks whose state may still change, in order of height and hash."""
        unsettled = (
            select(block.c.hash, block.c.height, block.c.state, block.c.flips)
            .where(block.c.state != State.MATURE.value)
            .order_by(block.c.height, block.c.hash)
        )
        lives = [_life(row) for row in self._connection.execute(unsettled)]
        return [life for life in lives if not is_final(life, tip_height)]

    def get(self, block_hash: bytes) -> BookedBlock | None:
        """One block with what it pays."""
        row = self._connection.execute(select(block).where(block.c.hash == block_hash)).one_or_none()
        return None if row is None else self._booked(row)

    def every(self) -> Iterator[BookedBlock]:
        """All blocks, in order of height and hash."""
        for row in self._connection.execute(select(block).order_by(block.c.height, block.c.hash)).all():
            yield self._booked(row)

    def book(self, booked: BookedBlock) -> None:
        """Keep what a block pays, once and for ever."""
        block_hash = booked.life.block_hash
        self._connection.execute(
            update(block)
            .where(block.c.hash == block_hash, block.c.reward_sat.is_(None))
            .values(reward_sat=booked.reward_sat, reserve_sat=booked.reserve_sat)
        )
        if not booked.credits:
            return
        ids = ids_of(self._connection, [each.key for each in booked.credits])
        self._connection.execute(
            insert(credit),
            [
                {
                    "block_hash": block_hash,
                    "stake_id": ids[each.key],
                    "weight": each.weight,
                    "gross_sat": each.gross_sat,
                    "fee_sat": each.fee_sat,
                }
                for each in booked.credits
            ],
        )

    def move(self, before: Life, after: Life) -> None:
        """Put a block into its next state."""
        moved = self._connection.execute(
            update(block)
            .where(
                block.c.hash == before.block_hash,
                block.c.state == before.state.value,
                block.c.flips == before.flips,
            )
            .values(state=after.state.value, flips=after.flips)
        )
        if moved.rowcount != 1:
            raise LedgerError(f"block {before.hash_hex} is not {before.state.value} any more")

    def chain_height(self) -> int:
        """The highest tip that was ever seen."""
        return read_progress(self._connection, _CHAIN_HEIGHT)

    def see_height(self, height: int) -> None:
        """A higher tip was seen."""
        write_progress(self._connection, _CHAIN_HEIGHT, height)

    def _booked(self, row: Any) -> BookedBlock:
        found = FoundBlock(
            block_hash=row.hash,
            height=row.height,
            found_ms=row.found_ms,
            finder=row.finder,
            worker=row.worker,
            frontend=row.frontend,
            seq=row.seq,
            outcome=row.outcome,
            end=row.score_end,
            window_x=row.window_x,
            startup=row.startup,
        )
        return BookedBlock(found, _life(row), row.reward_sat, row.reserve_sat or 0, self._credits(row.hash))

    def _credits(self, block_hash: bytes) -> tuple[Credit[Stake], ...]:
        rows = self._connection.execute(_CREDITS.where(credit.c.block_hash == block_hash))
        found = [Credit(stake_of(row), row.weight, row.gross_sat, row.fee_sat) for row in rows]
        return tuple(sorted(found, key=lambda each: each.key))


_CREDITS = STAKES.add_columns(credit.c.weight, credit.c.gross_sat, credit.c.fee_sat).join(
    credit, credit.c.stake_id == stake.c.id
)


def _life(row: Any) -> Life:
    return Life(row.hash, row.height, State(row.state), row.flips)
