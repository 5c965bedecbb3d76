"""The pool's own blocks in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, case, func, insert, select, update

from payout.accounts import Scheme, Stake
from payout.ledger import LedgerError
from payout.maturity import Life, State, is_final
from payout.ports import BookedBlock, FoundBlock
from payout.rewards import Credit
from payout.store.stakes import STAKES, ids_of, stake_of, stakes_by_id
from payout.store.statements import read_progress, write_progress
from payout.watch_ports import Hold
from pool.store.sql import block, credit, stake
from pool.store.watch_tables import block_hold

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
        taker_id = None if found.taker is None else ids_of(self._connection, [found.taker])[found.taker]
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
                subsidy_sat=found.subsidy_sat,
                taker_stake_id=taker_id,
                state=State.CANDIDATE.value,
                flips=0,
            )
        )
        return True

    def open(self, tip_height: int) -> list[Life]:
        """The blocks whose state may still change, in order of height and hash."""
        unsettled = (
            select(block.c.hash, block.c.height, block.c.state, block.c.flips, IS_HELD)
            .where(block.c.state != State.MATURE.value)
            .order_by(block.c.height, block.c.hash)
        )
        lives = [_life(row) for row in self._connection.execute(unsettled)]
        return [life for life in lives if not is_final(life, tip_height)]

    def get(self, block_hash: bytes) -> BookedBlock | None:
        """One block with what it pays."""
        row = self._connection.execute(_BLOCK.where(block.c.hash == block_hash)).one_or_none()
        return None if row is None else self._booked(row)

    def every(self) -> Iterator[BookedBlock]:
        """All blocks, in order of height and hash."""
        for row in self._connection.execute(_BLOCK.order_by(block.c.height, block.c.hash)).all():
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
                    "bought_sat": each.bought_sat,
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

    def hold(self, hold: Hold) -> None:
        """Hold back what a block pays, or let it go."""
        numbers = select(func.coalesce(func.max(block_hold.c.number), 0)).where(
            block_hold.c.block_hash == hold.block_hash
        )
        life = self.get(hold.block_hash)
        if life is None or life.life.is_held == hold.is_held:
            raise LedgerError(
                f"block {hold.block_hash[::-1].hex()} is {'held' if hold.is_held else 'not held'} already"
            )
        self._connection.execute(
            insert(block_hold).values(
                block_hash=hold.block_hash,
                number=self._connection.execute(numbers).scalar_one() + 1,
                time_ms=hold.time_ms,
                is_held=hold.is_held,
                reason=hold.reason,
            )
        )

    def holds(self) -> list[Hold]:
        """The blocks that are held, with the newest reason, oldest first."""
        rows = self._connection.execute(select(block_hold).order_by(block_hold.c.block_hash, block_hold.c.number))
        newest = {row.block_hash: Hold(row.block_hash, row.time_ms, row.is_held, row.reason) for row in rows}
        return sorted((hold for hold in newest.values() if hold.is_held), key=lambda hold: hold.time_ms)

    def totals(self) -> tuple[tuple[str, int, int], ...]:
        """Of each state: how many blocks, and what they pay in all."""
        counted = select(block.c.state, func.count().label("blocks"), func.sum(block.c.reward_sat).label("sat"))
        rows = self._connection.execute(counted.group_by(block.c.state).order_by(block.c.state))
        return tuple((row.state, row.blocks, int(row.sat or 0)) for row in rows)

    def rewards_sat(self) -> dict[Life, int | None]:
        """All blocks and what each pays."""
        rows = select(block.c.hash, block.c.height, block.c.state, block.c.flips, block.c.reward_sat, IS_HELD)
        return {_life(row): row.reward_sat for row in self._connection.execute(rows)}

    def chain_height(self) -> int:
        """The highest tip that was ever seen."""
        return read_progress(self._connection, _CHAIN_HEIGHT)

    def see_height(self, height: int) -> None:
        """A higher tip was seen."""
        write_progress(self._connection, _CHAIN_HEIGHT, height)

    def _booked(self, row: Any) -> BookedBlock:
        taker: Stake | None = None
        if row.taker_stake_id is not None:
            taker = stakes_by_id(self._connection, [row.taker_stake_id])[row.taker_stake_id]
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
            subsidy_sat=row.subsidy_sat,
            taker=taker,
        )
        return BookedBlock(found, _life(row), row.reward_sat, row.reserve_sat or 0, self._credits(row.hash))

    def _credits(self, block_hash: bytes) -> tuple[Credit[Stake], ...]:
        rows = self._connection.execute(_CREDITS.where(credit.c.block_hash == block_hash))
        found = [Credit(stake_of(row), row.weight, row.gross_sat, row.fee_sat, row.bought_sat) for row in rows]
        return tuple(sorted(found, key=lambda each: each.key))


_NEWEST = block_hold.alias()
IS_HELD = (
    select(block_hold.c.is_held)
    .where(
        block_hold.c.block_hash == block.c.hash,
        block_hold.c.number
        == select(func.max(_NEWEST.c.number)).where(_NEWEST.c.block_hash == block.c.hash).scalar_subquery(),
    )
    .scalar_subquery()
    .label("is_held")
)
_BLOCK = select(block, IS_HELD)

BOUGHT_SAT = func.coalesce(credit.c.bought_sat, case((stake.c.scheme == Scheme.PPS.value, credit.c.gross_sat), else_=0))
"""What the reserve has of a credit. Older books did not keep it."""

_CREDITS = STAKES.add_columns(
    credit.c.weight, credit.c.gross_sat, credit.c.fee_sat, BOUGHT_SAT.label("bought_sat")
).join(credit, credit.c.stake_id == stake.c.id)


def _life(row: Any) -> Life:
    return Life(row.hash, row.height, State(row.state), row.flips, bool(row.is_held))
