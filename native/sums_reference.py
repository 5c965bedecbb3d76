"""The sums of the shares of one second in plain Python: slow, readable, and the definition of `native.sums`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

_JOB: Final = 2
_SHARE: Final = 1
_OUTCOMES: Final = 10
_ACCEPTED: Final = 0
# Where the fields of a share stand, behind its kind; what comes after them is passed over (`pool.work.share.Share`).
_TIME_MS, _OUTCOME, _ACCOUNT, _WORKER, _DIFFICULTY, _NBITS, _BLOCK_HASH = 1, 2, 4, 5, 11, 12, 15

_ARRAY_32: Final = b"\xdd"
_DECODER: Final = msgspec.msgpack.Decoder(list[list[Any]])

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
        for number, record in enumerate(_records(payload, count)):
            if number < first or record[0] == _JOB:
                continue
            second = record[_TIME_MS] // 1000
            if not self._sums:
                self.second = second
            elif second != self.second:
                return number
            key = record[_ACCOUNT], record[_WORKER]
            if key not in self._sums:
                self._sums[key] = _Sum((*key, record[_TIME_MS], record[_TIME_MS], None, (0,) * _OUTCOMES, 0, ()))
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
        self._last_ms = share[_TIME_MS]
        self._counts[share[_OUTCOME]] += 1
        self._blocks += share[_BLOCK_HASH] is not None
        if share[_OUTCOME] == _ACCEPTED:
            self._last_share_ms = self._last_ms
            weight = share[_DIFFICULTY], share[_NBITS]
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


def _records(payload: bytes, count: int) -> list[list[Any]]:
    """The fields of each record, its kind first."""
    try:
        records = _DECODER.decode(_ARRAY_32 + count.to_bytes(4, "big") + payload)
    except (msgspec.MsgspecError, OverflowError) as error:
        raise ValueError("the records cannot be read") from error
    if not all((record and record[0] == _JOB) or _is_share(record) for record in records):
        raise ValueError("the records cannot be read")
    return records


def _is_share(record: list[Any]) -> bool:
    def is_uint(value: object, bits: int) -> bool:
        return type(value) is int and 0 <= value < 1 << bits

    return (
        len(record) > _BLOCK_HASH
        and record[0] == _SHARE
        and is_uint(record[_TIME_MS], 63)
        and is_uint(record[_OUTCOME], 8)
        and record[_OUTCOME] < _OUTCOMES
        and isinstance(record[_ACCOUNT], str)
        and isinstance(record[_WORKER], str)
        and isinstance(record[_DIFFICULTY], float)
        and is_uint(record[_NBITS], 32)
        and isinstance(record[_BLOCK_HASH], bytes | None)
    )
