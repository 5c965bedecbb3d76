"""The accepted shares in their order, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select

from payout.accounts import Stake
from payout.order import OrderedShare, clip, pack, pack_sums, sum_units, unpack, unpack_sums
from payout.store.stakes import ids_of, stakes_by_id
from payout.store.statements import next_id, put
from pool.store.sql import high_water, share_batch


class SqlShares:
    """Satisfies payout.ports.Shares."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def high_water(self, frontend: str) -> int:
        """The last record of a journal that is in the books; 0 for none."""
        seq = self._connection.execute(
            select(high_water.c.seq).where(high_water.c.frontend == frontend)
        ).scalar_one_or_none()
        return seq or 0

    def high_waters(self) -> dict[str, int]:
        """The last records of all journals."""
        rows = self._connection.execute(select(high_water.c.frontend, high_water.c.seq))
        return {row.frontend: row.seq for row in rows}

    def advance(self, frontend: str, seq: int) -> None:
        """Everything up to seq is in the books now."""
        put(self._connection, high_water, {"frontend": frontend}, {"seq": seq})

    def end(self) -> int:
        """The end of the line of score."""
        last = select(share_batch.c.score_after).order_by(share_batch.c.id.desc()).limit(1)
        return self._connection.execute(last).scalar_one_or_none() or 0

    def append(self, frontend: str, time_ms: int, shares: Sequence[OrderedShare[Stake]]) -> None:
        """Put shares at the end of the line."""
        sums = sum_units(shares)
        ids = ids_of(self._connection, sums)
        before = self.end()
        self._connection.execute(
            insert(share_batch).values(
                id=next_id(self._connection, share_batch),
                frontend=frontend,
                first_seq=shares[0].seq,
                last_seq=shares[-1].seq,
                time_ms=time_ms,
                score_before=before,
                score_after=before + sum(sums.values()),
                sums=pack_sums({ids[each]: units for each, units in sums.items()}),
                shares=pack([OrderedShare(share.seq, ids[share.stake], share.units) for share in shares]),
            )
        )

    def window(self, low: int, high: int) -> dict[Stake, int]:
        """The weight of each stake in the stretch (low, high] of the line."""
        first = self._edge(func.min(share_batch.c.id), share_batch.c.score_after > low)
        last = self._edge(func.max(share_batch.c.id), share_batch.c.score_before < high)
        if first is None or last is None:
            return {}
        weights: dict[int, int] = {}
        inside = select(share_batch.c.sums).where(share_batch.c.id > first, share_batch.c.id < last)
        for sums in self._connection.execute(inside).scalars():
            _add(weights, unpack_sums(sums))
        edges = select(share_batch.c.score_before, share_batch.c.shares).where(share_batch.c.id.in_({first, last}))
        for score_before, shares in self._connection.execute(edges):
            _add(weights, clip(unpack(shares), score_before, low, high))
        stakes = stakes_by_id(self._connection, weights)
        return {stakes[stake_id]: weight for stake_id, weight in weights.items()}

    def _edge(self, which: Any, where: Any) -> int | None:
        found = self._connection.execute(select(which).where(where)).scalar_one()
        return None if found is None else int(found)


def _add(weights: dict[int, int], more: dict[int, int]) -> None:
    for stake_id, units in more.items():
        weights[stake_id] = weights.get(stake_id, 0) + units
