"""How much each slice did in steps of time, from the shares in the books."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, zip_longest

from msgspec import Struct
from sqlalchemy import Connection, select

from payout.accounts import Stake
from payout.order import unpack
from payout.store.shares import SqlShares
from payout.store.stakes import stakes_by_id
from pool.store.sql import share_batch

_SAMPLED = 64
"""Of so many batches of a step it is seen how large shares are: their sums do not keep it."""


class StepUnits(Struct, frozen=True):
    """A step: by account and slice the units of its accepted shares, and the mean units of one, weighted by units; 0
    where no sampled batch has one."""

    from_ms: int
    to_ms: int
    units: Mapping[tuple[str, int], int]
    share_units: Mapping[tuple[str, int], int]


def step_units(connection: Connection, marks_ms: Sequence[int]) -> Iterator[StepUnits]:
    """The steps between rising marks. A batch lies in the step of its last record: it is of a second or so."""
    shares = SqlShares(connection)
    for from_ms, to_ms in pairwise(marks_ms):
        of_step = select(share_batch.c.id).where(share_batch.c.time_ms >= from_ms, share_batch.c.time_ms < to_ms)
        ids = list(connection.execute(of_step.order_by(share_batch.c.id)).scalars())
        units: dict[int, int] = {}
        # Journals that lag behind others lie scattered among them.
        for first, last in _stretches(ids):
            for stake_id, more in shares.sums_between(first, last).items():
                units[stake_id] = units.get(stake_id, 0) + more
        stakes = stakes_by_id(connection, units)
        sizes = _share_units(connection, ids, stakes)
        yield StepUnits(from_ms, to_ms, _by_slice(units, stakes), sizes)


def _by_slice(units: Mapping[int, int], stakes: Mapping[int, Stake]) -> dict[tuple[str, int], int]:
    found: dict[tuple[str, int], int] = {}
    for stake_id, more in units.items():
        key = stakes[stake_id].account, stakes[stake_id].slice_id
        found[key] = found.get(key, 0) + more
    return found


def _share_units(connection: Connection, ids: Sequence[int], stakes: Mapping[int, Stake]) -> dict[tuple[str, int], int]:
    sums: dict[int, int] = {}
    squares: dict[int, int] = {}
    sampled = ids[:: max(1, len(ids) // _SAMPLED)]
    blobs = select(share_batch.c.shares).where(share_batch.c.id.in_(sampled)) if sampled else None
    for blob in () if blobs is None else connection.execute(blobs).scalars():
        found = unpack(blob)
        for place, count in zip(found.parts, found.counts, strict=True):
            stake_id, units = found.worths.stakes[place], found.worths.scores[found.worths.score_of[place]]
            sums[stake_id] = sums.get(stake_id, 0) + units * count
            squares[stake_id] = squares.get(stake_id, 0) + units * units * count
    of_sums, of_squares = _by_slice(sums, stakes), _by_slice(squares, stakes)
    return {key: of_squares[key] // units for key, units in of_sums.items() if units}


def _stretches(ids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Numbers in a row, as the first and the last of each."""
    first: int | None = None
    for each, after in zip_longest(ids, ids[1:]):
        first = each if first is None else first
        if after != each + 1:
            yield first, each
            first = None
