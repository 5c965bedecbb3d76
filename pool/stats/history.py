"""Hashrate over time: two rings of sums of work, folded from the journal as the tallies are (decision 0004).

A minute is closed by the first record of another one, and its cell holds what the tally of the pool grew by since the
one before. So the same journal gives the same cells bit for bit, however it is cut into batches. Time is that of the
records: minutes without any have no cell, and the minute that is not over yet has none either.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from operator import attrgetter
from typing import Final

from msgspec import Struct

FINE_SECONDS: Final = 60
COARSE_SECONDS: Final = 1_800
FINE_CELLS: Final = 86_400 // FINE_SECONDS
COARSE_CELLS: Final = 30 * 86_400 // COARSE_SECONDS
"""Minutes for a day, half hours for thirty days: 2,880 cells at most, some 150 kB in Redis."""


class Cell(Struct, frozen=True, array_like=True, gc=False):
    """The shares of one step of a ring. start_s: Unix seconds. work: expected hashes of the accepted ones; squares: the
    sum of its squares, by which the error is known."""

    start_s: int
    work: int
    squares: float
    accepted: int
    rejected: int

    def plus(self, other: Cell) -> Cell:
        """Both in this one's place."""
        return Cell(
            self.start_s,
            self.work + other.work,
            self.squares + other.squares,
            self.accepted + other.accepted,
            self.rejected + other.rejected,
        )


class Rings(Struct, frozen=True, array_like=True):
    """Cells by their start, the oldest first. through_s: where the newest closed minute ends."""

    fine: tuple[Cell, ...] = ()
    coarse: tuple[Cell, ...] = ()
    through_s: int = 0

    def with_minute(self, cell: Cell) -> Rings:
        """With the shares of one more minute. A clock that was set back adds to the newest cells there are."""
        return Rings(
            _with(self.fine, cell, FINE_SECONDS, FINE_CELLS),
            _with(self.coarse, cell, COARSE_SECONDS, COARSE_CELLS),
            max(self.through_s, cell.start_s + FINE_SECONDS),
        )

    def plus(self, other: Rings) -> Rings:
        """The same time as two journals saw it."""
        return Rings(
            _merged((*self.fine, *other.fine), FINE_CELLS),
            _merged((*self.coarse, *other.coarse), COARSE_CELLS),
            max(self.through_s, other.through_s),
        )


class Point(Struct, frozen=True):
    """One step of a chart. error: one standard deviation relative to hps; None without a share."""

    start_s: int
    hps: float
    error: float | None
    accepted: int
    rejected: int


def points(rings: Rings, step_seconds: int, count: int) -> tuple[Point, ...]:
    """The last steps up to the newest closed minute, none before the first share. step_seconds: a multiple of a ring's
    step; of the ring that reaches back far enough."""
    is_fine = step_seconds * count <= FINE_SECONDS * FINE_CELLS
    cells = rings.fine if is_fine else rings.coarse
    if not cells:
        return ()
    newest = (rings.through_s - 1) // step_seconds * step_seconds
    oldest = max(newest - (count - 1) * step_seconds, cells[0].start_s // step_seconds * step_seconds)
    sums = {start_s: Cell(start_s, 0, 0.0, 0, 0) for start_s in range(oldest, newest + 1, step_seconds)}
    for cell in cells:
        start_s = cell.start_s // step_seconds * step_seconds
        if start_s in sums:
            sums[start_s] = sums[start_s].plus(cell)
    return tuple(_point(cell, min(step_seconds, rings.through_s - cell.start_s)) for cell in sums.values())


def _point(cell: Cell, seconds: int) -> Point:
    error = math.sqrt(cell.squares) / cell.work if cell.work else None
    return Point(cell.start_s, cell.work / seconds, error, cell.accepted, cell.rejected)


def _with(ring: tuple[Cell, ...], cell: Cell, step_seconds: int, count: int) -> tuple[Cell, ...]:
    start_s = cell.start_s // step_seconds * step_seconds
    if ring and start_s <= ring[-1].start_s:
        return (*ring[:-1], ring[-1].plus(cell))
    oldest = start_s - (count - 1) * step_seconds
    kept = [each for each in ring if each.start_s >= oldest]
    return (*kept, Cell(start_s, cell.work, cell.squares, cell.accepted, cell.rejected))


def _merged(cells: Iterable[Cell], count: int) -> tuple[Cell, ...]:
    by_start: dict[int, Cell] = {}
    for cell in cells:
        found = by_start.get(cell.start_s)
        by_start[cell.start_s] = cell if found is None else found.plus(cell)
    return tuple(sorted(by_start.values(), key=attrgetter("start_s"))[-count:])
