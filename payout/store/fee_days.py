"""FPPS by days, in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from payout.ports import FeeDay
from payout.pps import PSAT, DayBlock
from payout.store.statements import account_ids, chunks, put
from pool.store.scheme_tables import fee_block, fee_day, fpps_base, fpps_carry
from pool.store.sql import account


class SqlFeeDays:
    """Satisfies payout.ports.FeeDays."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, base_psat: Mapping[tuple[str, int, int], int]) -> None:
        """Add to the gross earnings per share, by (account, day_ms, fee_bps)."""
        if not base_psat:
            return
        ids = account_ids(self._connection, {name for name, _, _ in base_psat})
        before_psat = self._bases_psat({day_ms for _, day_ms, _ in base_psat}, set(ids.values()))
        inserts: list[dict[str, int]] = []
        updates: list[dict[str, int]] = []
        for (name, day_ms, fee_bps), more_psat in base_psat.items():
            place = day_ms, ids[name], fee_bps
            sat, psat = divmod(before_psat.get(place, 0) + more_psat, PSAT)
            row = {"of_day_ms": day_ms, "of_account": ids[name], "of_fee_bps": fee_bps, "sat": sat, "psat": psat}
            (updates if place in before_psat else inserts).append(row)
        if inserts:
            self._connection.execute(_INSERT, inserts)
        if updates:
            self._connection.execute(_UPDATE, updates)

    def due(self, before_ms: int) -> int | None:
        """The oldest day with earnings that is not settled and began before a time."""
        last = select(func.coalesce(func.max(fee_day.c.day_ms), -1)).scalar_subquery()
        oldest = select(func.min(fpps_base.c.day_ms)).where(fpps_base.c.day_ms > last)
        day_ms = self._connection.execute(oldest).scalar_one()
        return day_ms if day_ms is not None and day_ms < before_ms else None

    def bases(self, day_ms: int) -> Sequence[tuple[str, int, int]]:
        """The earnings of a day as (account, fee_bps, base_psat), in their order."""
        rows = self._connection.execute(
            select(account.c.name, fpps_base.c.fee_bps, fpps_base.c.base_sat, fpps_base.c.base_psat)
            .join(account, account.c.id == fpps_base.c.account_id)
            .where(fpps_base.c.day_ms == day_ms)
        )
        # Sorted here: every database has an order of its own for text.
        return sorted((row.name, row.fee_bps, row.base_sat * PSAT + row.base_psat) for row in rows)

    def carries_psat(self) -> dict[str, int]:
        """What is left over of the days before, by account."""
        rows = self._connection.execute(
            select(account.c.name, fpps_carry.c.carry_psat).join(account, account.c.id == fpps_carry.c.account_id)
        )
        return {row.name: row.carry_psat for row in rows}

    def _bases_psat(self, days_ms: set[int], ids: set[int]) -> dict[tuple[int, int, int], int]:
        found: dict[tuple[int, int, int], int] = {}
        for chunk in chunks(ids):
            rows = self._connection.execute(
                select(fpps_base).where(fpps_base.c.day_ms.in_(days_ms), fpps_base.c.account_id.in_(chunk))
            )
            found.update(
                ((row.day_ms, row.account_id, row.fee_bps), row.base_sat * PSAT + row.base_psat) for row in rows
            )
        return found

    def settle(self, day: FeeDay, carries_psat: Mapping[str, int]) -> None:
        """The day is in the ledger but for these carries."""
        self._connection.execute(insert(fee_day).values(day_ms=day.day_ms, blocks=len(day.blocks)))
        if day.blocks:
            self._connection.execute(
                insert(fee_block),
                [
                    {
                        "day_ms": day.day_ms,
                        "height": each.height,
                        "block_hash": each.block_hash,
                        "fees_sat": each.fees_sat,
                        "subsidy_sat": each.subsidy_sat,
                    }
                    for each in day.blocks
                ],
            )
        self.carry(carries_psat)

    def carry(self, carries_psat: Mapping[str, int]) -> None:
        """Keep what accounts carry on."""
        for name, account_id in account_ids(self._connection, carries_psat).items():
            put(self._connection, fpps_carry, {"account_id": account_id}, {"carry_psat": carries_psat[name]})

    def settled(self) -> Iterator[FeeDay]:
        """All settled days, in order."""
        rows = self._connection.execute(select(fee_block).order_by(fee_block.c.day_ms, fee_block.c.height)).all()
        blocks = {day_ms: tuple(map(_block, group)) for day_ms, group in groupby(rows, key=lambda row: row.day_ms)}
        for day_ms in self._connection.execute(select(fee_day.c.day_ms).order_by(fee_day.c.day_ms)).scalars():
            yield FeeDay(day_ms, blocks.get(day_ms, ()))

    def newest(self) -> FeeDay | None:
        """The newest settled day."""
        day_ms = self._connection.execute(select(func.max(fee_day.c.day_ms))).scalar_one()
        if day_ms is None:
            return None
        rows = select(fee_block).where(fee_block.c.day_ms == day_ms).order_by(fee_block.c.height)
        return FeeDay(day_ms, tuple(map(_block, self._connection.execute(rows))))


_INSERT = insert(fpps_base).values(
    day_ms=bindparam("of_day_ms"),
    account_id=bindparam("of_account"),
    fee_bps=bindparam("of_fee_bps"),
    base_sat=bindparam("sat"),
    base_psat=bindparam("psat"),
)
_UPDATE = (
    update(fpps_base)
    .where(
        fpps_base.c.day_ms == bindparam("of_day_ms"),
        fpps_base.c.account_id == bindparam("of_account"),
        fpps_base.c.fee_bps == bindparam("of_fee_bps"),
    )
    .values(base_sat=bindparam("sat"), base_psat=bindparam("psat"))
)


def _block(row: Any) -> DayBlock:
    return DayBlock(row.height, row.fees_sat, row.subsidy_sat, row.block_hash)
