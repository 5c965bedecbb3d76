"""The sums of the shares of one second in plain Python: slow, readable, and the definition of `native.sums`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from native.records_reference import (
    ACCEPTED,
    ACCOUNT,
    BLOCK_HASH,
    DIFFICULTY,
    JOB,
    NBITS,
    OUTCOME,
    OUTCOMES,
    TIME_MS,
    WORKER,
    records,
)

Run = tuple[float, int, int]
"""Accepted shares in a row of one difficulty and nBits: difficulty, nBits, how many."""

Row = tuple[str, str, int, int, int | None, tuple[int, ...], int, tuple[Run, ...]]
"""account, worker, first_ms, last_ms, last_share_ms (of an accepted one), records by outcome, blocks, runs."""


class SecondSums:
    """The shares of one second by worker, while they come. Every number is exact and independent of how the records are
    cut.

    second: Unix seconds; of the first share that comes, until then the one given. rows: to go on from.
    """

    def __init__(self, second: int = 0, rows: Iterable[Row] = ()) -> None:
        self.second = second
        self._sums = {(row[0], row[1]): _Sum(row) for row in rows}

    def add(self, payload: bytes, count: int, first: int) -> int:
        """Sum the records of a group from number `first` on, up to the first share of another second.

        payload: `count` records of a journal, shares and jobs, one msgpack array after the other; jobs are passed over.
        Returns the number of the share of another second, `count` if there is none. Raises ValueError if the payload
        is not wholly what it should be; then nothing of it is summed.
        """
        for number, record in enumerate(records(payload, count)):
            if number < first or record[0] == JOB:
                continue
            second = record[TIME_MS] // 1000
            if not self._sums:
                self.second = second
            elif second != self.second:
                return number
            key = record[ACCOUNT], record[WORKER]
            if key not in self._sums:
                self._sums[key] = _Sum((*key, record[TIME_MS], record[TIME_MS], None, (0,) * OUTCOMES, 0, ()))
            self._sums[key].count(record)
        return count

    def rows(self) -> list[Row]:
        """The sums, in the order in which their workers came."""
        return [each.row() for each in self._sums.values()]

    def clear(self) -> None:
        """Forget them; the next share may be of any second."""
        self._sums.clear()


class _Sum:
    """A row that grows."""

    def __init__(self, row: Row) -> None:
        self._account, self._worker, self._first_ms, self._last_ms, self._last_share_ms, counts, self._blocks, runs = (
            row
        )
        self._counts = list(counts)
        self._runs = list(runs)

    def count(self, share: list[Any]) -> None:
        self._last_ms = share[TIME_MS]
        self._counts[share[OUTCOME]] += 1
        self._blocks += share[BLOCK_HASH] is not None
        if share[OUTCOME] == ACCEPTED:
            self._last_share_ms = self._last_ms
            weight = share[DIFFICULTY], share[NBITS]
            accepted = self._runs.pop()[2] if self._runs and self._runs[-1][:2] == weight else 0
            self._runs.append((*weight, accepted + 1))

    def row(self) -> Row:
        return (
            self._account,
            self._worker,
            self._first_ms,
            self._last_ms,
            self._last_share_ms,
            tuple(self._counts),
            self._blocks,
            tuple(self._runs),
        )
