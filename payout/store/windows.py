"""The shares of a block's window one by one, for whoever wants to check the sums that accounting works with."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from sqlalchemy import Connection, select

from payout.order import unpack
from pool.store.sql import share_batch

_BATCHES_AT_ONCE = 100


class WindowShare(Struct, frozen=True):
    """An accepted share of a window: its place in a journal, the number of its stake, its units and how many of them
    are in the window."""

    frontend: str
    seq: int
    stake_id: int
    units: int
    counted: int


def shares_of(connection: Connection, low: int, high: int) -> Iterator[WindowShare]:
    """Every share with a part in the stretch (low, high] of the line of score, oldest first.

    A few batches are in memory at a time: a window may hold a hundred million shares. Batches only come behind, so it
    does not matter that this takes its time.
    """
    batch_id = connection.execute(
        select(share_batch.c.id)
        .where(share_batch.c.score_after > low)
        .order_by(share_batch.c.score_after, share_batch.c.id)
        .limit(1)
    ).scalar_one_or_none()
    while batch_id is not None:
        rows = connection.execute(
            select(share_batch.c.frontend, share_batch.c.score_before, share_batch.c.shares)
            .where(share_batch.c.id >= batch_id, share_batch.c.score_before < high)
            .order_by(share_batch.c.id)
            .limit(_BATCHES_AT_ONCE)
        ).all()
        for row in rows:
            start, shares = row.score_before, unpack(row.shares)
            for seq, (stake_id, units) in zip(shares.seqs(), shares.in_order(), strict=True):
                counted = min(start + units, high) - max(start, low)
                start += units
                if counted > 0:
                    yield WindowShare(row.frontend, seq, stake_id, units, counted)
        batch_id = batch_id + _BATCHES_AT_ONCE if len(rows) == _BATCHES_AT_ONCE else None


def edges_of(connection: Connection, low: int, high: int) -> tuple[WindowShare, WindowShare] | None:
    """The oldest and the newest share of a stretch; None if it holds none."""
    oldest = next(shares_of(connection, low, high), None)
    if oldest is None:
        return None
    return oldest, next(shares_of(connection, high - 1, high))
