"""The accepted shares in their order, in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select

from payout.accounts import Stake
from payout.order import SUMMED, OrderedShares, Worths, add_up, clip, pack, pack_sums, pieces, unpack, unpack_sums
from payout.ports import Batch
from payout.store.stakes import ids_of, stakes_by_id
from payout.store.statements import put
from pool.store.sql import high_water, share_batch, share_sum


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

    def newest_ms(self) -> int:
        """When the newest record of any journal that is in the books was written; 0 without one."""
        of_last = and_(share_batch.c.frontend == high_water.c.frontend, share_batch.c.last_seq == high_water.c.seq)
        newest = select(func.max(share_batch.c.time_ms)).select_from(high_water).join(share_batch, of_last)
        return self._connection.execute(newest).scalar_one() or 0

    def advance(self, frontend: str, seq: int) -> None:
        """Everything up to seq is in the books now."""
        put(self._connection, high_water, {"frontend": frontend}, {"seq": seq})

    def end(self) -> int:
        """The end of the line of score."""
        return self._last()[1]

    def append(self, batches: Sequence[Batch]) -> None:
        """Put the shares of batches at the end of the line; a batch without shares is kept, too."""
        tables = {id(batch.shares.worths): batch.shares.worths for batch in batches}
        ids = ids_of(self._connection, {stake: None for table in tables.values() for stake in table.stakes})
        numbered = {
            place: Worths([ids[stake] for stake in table.stakes], table.scores, table.score_of)
            for place, table in tables.items()
        }
        first_id, end = self._last()
        rows: list[dict[str, Any]] = []
        fresh: list[OrderedShares[int]] = []
        for batch in batches:
            shares = _with(batch.shares, numbered[id(batch.shares.worths)])
            fresh.append(shares)
            blob, units = pack(shares)
            before, end = end, end + units
            rows.append(
                {
                    "id": first_id + len(fresh),
                    "frontend": batch.frontend,
                    "first_seq": batch.first_seq,
                    "last_seq": batch.last_seq,
                    "time_ms": batch.time_ms,
                    "score_before": before,
                    "score_after": end,
                    "shares": blob,
                }
            )
        if rows:
            self._connection.execute(insert(share_batch), rows)
            self._sum_up(first_id, fresh)

    def window(self, low: int, high: int) -> dict[Stake, int]:
        """The weight of each stake in the stretch (low, high] of the line."""
        if low >= high:
            return {}
        first = self._first(share_batch.c.score_after > low)
        last = self._first(share_batch.c.score_after >= high)
        if first is None:
            return {}
        if last is None:
            last = self._last()[0]
        parts = [add_up(self._sums(*piece)) for piece in pieces(first, last - 1)]
        edges = select(share_batch.c.score_before, share_batch.c.shares).where(share_batch.c.id.in_({first, last}))
        for score_before, shares in self._connection.execute(edges):
            parts.append(clip(unpack(shares).in_order(), score_before, low, high))
        weights = add_up(parts)
        stakes = stakes_by_id(self._connection, weights)
        return {stakes[stake_id]: weight for stake_id, weight in weights.items() if weight}

    def sums_between(self, first: int, last: int) -> dict[int, int]:
        """The units of each stake, by its number, in the batches from one to another."""
        return add_up(part for piece in pieces(first - 1, last) for part in self._sums(*piece))

    def _last(self) -> tuple[int, int]:
        last = select(share_batch.c.id, share_batch.c.score_after).order_by(share_batch.c.id.desc()).limit(1)
        row = self._connection.execute(last).one_or_none()
        return (0, 0) if row is None else (row.id, row.score_after)

    def _first(self, where: ColumnElement[bool]) -> int | None:
        """The first batch of which something holds that then holds of all behind it. Asked by the index: the score."""
        of_line = select(share_batch.c.id).where(where).order_by(share_batch.c.score_after, share_batch.c.id)
        return self._connection.execute(of_line.limit(1)).scalar_one_or_none()

    def _sum_up(self, first: int, fresh: Sequence[OrderedShares[int]]) -> None:
        """Make the sums of every height that fresh batches, from number `first` on, have filled."""

        def below(height: int, start: int, stop: int) -> Iterator[Mapping[int, int] | OrderedShares[int]]:
            if height:
                return self._sums(height, start, stop)
            stored = max(start, first)
            return chain(self._sums(0, start, stored), fresh[stored - first : stop - first])

        height, start, stop = 0, first, first + len(fresh)
        while (start := start // SUMMED) < (stop := stop // SUMMED):
            totals = [add_up(below(height, at * SUMMED, (at + 1) * SUMMED)) for at in range(start, stop)]
            height += 1
            rows = [
                {"height": height, "number": number, "sums": pack_sums(total)}
                for number, total in enumerate(totals, start)
            ]
            self._connection.execute(insert(share_sum), rows)

    def _sums(self, height: int, start: int, stop: int) -> Iterator[Mapping[int, int] | OrderedShares[int]]:
        """The sums of a height from number start up to before stop; those of height 0 are the batches themselves."""
        if height == 0:
            found = select(share_batch.c.shares).where(share_batch.c.id > start, share_batch.c.id <= stop)
            return map(unpack, self._connection.execute(found).scalars())
        found = select(share_sum.c.sums).where(
            share_sum.c.height == height, share_sum.c.number >= start, share_sum.c.number < stop
        )
        return map(unpack_sums, self._connection.execute(found).scalars())


def _with(shares: OrderedShares[Stake], worths: Worths[int]) -> OrderedShares[int]:
    return OrderedShares(worths, shares.parts, shares.counts, shares.picks, shares.stretches)
