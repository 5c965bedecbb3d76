"""What workers, accounts and all together have sent, second by second, in plain Python: slow, readable, and the
definition of `native.totals`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from operator import add
from typing import Final, NamedTuple

from native.sums_reference import Row as Sum
from native.sums_reference import SecondSums

WINDOWS: Final = 4

Weigh = Callable[[float, int], tuple[int, int, float]]
"""Of a difficulty and nBits: the work of an accepted share, the square of it, the blocks it finds on average."""


class Rate(NamedTuple):
    """Sums that decay. first_s, last_s: Unix seconds of the first and the newest work. sums: of work, one per window;
    each counts exp(-seconds / window) of itself after so many seconds. squares: the same of squared work."""

    first_s: int
    last_s: int
    sums: tuple[float, ...]
    squares: tuple[float, ...]


class Total(NamedTuple):
    """A row: what one has sent. Times in Unix milliseconds; last_share_ms and difficulty of the newest accepted share;
    counts: records by outcome."""

    first_ms: int
    last_ms: int
    rate: Rate
    last_share_ms: int | None
    counts: tuple[int, ...]
    work: int
    blocks: int
    expected_blocks: float
    difficulty: float | None


class Totals:
    """Rows by login, by account and of all, to which seconds are added.

    weigh: what an accepted share is worth. name: the login of an account and a worker. windows_seconds: of the sums
    that decay. The others: rows to go on from.

    The same sums in the same order give the same rows bit for bit.
    """

    def __init__(
        self,
        weigh: Weigh,
        name: Callable[[str, str], str],
        windows_seconds: tuple[int, ...],
        workers: Mapping[str, Total] = {},
        accounts: Mapping[str, Total] = {},
        everyone: Total | None = None,
    ) -> None:
        if len(windows_seconds) != WINDOWS:
            raise ValueError(f"there must be {WINDOWS} windows")
        self._weigh = weigh
        self._name = name
        self._windows_seconds = windows_seconds
        self._workers, self._accounts, self._everyone = dict(workers), dict(accounts), everyone
        # How many records of each were in what `changes` told last.
        self._workers_told = {name: _records(row) for name, row in workers.items()}
        self._accounts_told = {name: _records(row) for name, row in accounts.items()}

    def take(self, sums: SecondSums) -> None:
        """Add the sums of a second that is over."""
        self._workers, self._accounts, self._everyone = self.rows(sums)

    def rows(self, sums: SecondSums) -> tuple[dict[str, Total], dict[str, Total], Total | None]:
        """All rows as they are with the sums of a second that may not be over."""
        workers, accounts, everyone = dict(self._workers), dict(self._accounts), self._everyone
        by_account: dict[str, list[_Part]] = {}
        for row in sums.rows():
            part, name = _part(row, self._weigh), self._name(row[0], row[1])
            workers[name] = self._grown(workers.get(name), part, sums.second)
            by_account.setdefault(row[0], []).append(part)
        together = {name: _together(parts) for name, parts in by_account.items()}
        for name, part in together.items():
            accounts[name] = self._grown(accounts.get(name), part, sums.second)
        if together:
            everyone = self._grown(everyone, _together(together.values()), sums.second)
        return workers, accounts, everyone

    def everyone(self) -> Total | None:
        """The row of all as of the last second that was taken."""
        return self._everyone

    def changes(self, sums: SecondSums) -> tuple[dict[str, Total], dict[str, Total], Total | None]:
        """Of those rows the ones that have changed since this was asked last; that of all in any case."""
        workers, accounts, everyone = self.rows(sums)
        return _untold(workers, self._workers_told), _untold(accounts, self._accounts_told), everyone

    def forget(self, oldest_ms: int) -> list[str]:
        """Drop the rows of workers whose newest record is older; returns their logins."""
        silent = [name for name, row in self._workers.items() if row.last_ms < oldest_ms]
        for name in silent:
            del self._workers[name]
            self._workers_told.pop(name, None)
        return silent

    def _grown(self, row: Total | None, part: _Part, second: int) -> Total:
        """The row with a part of that second added; a new one if there is none."""
        if row is None:
            nothing = (0.0,) * WINDOWS
            rate = Rate(second, second, nothing, nothing)
            row = Total(part.first_ms, part.last_ms, rate, None, (0,) * len(part.counts), 0, 0, 0.0, None)
        return Total(
            row.first_ms,
            part.last_ms,
            self._risen(row.rate, part, second) if part.work else row.rate,
            row.last_share_ms if part.last_share_ms is None else part.last_share_ms,
            tuple(map(add, row.counts, part.counts)),
            row.work + part.work,
            row.blocks + part.blocks,
            row.expected_blocks + part.expected_blocks,
            row.difficulty if part.last_share_ms is None else part.difficulty,
        )

    def _risen(self, rate: Rate, part: _Part, second: int) -> Rate:
        """A second before the last one (the clock was set back) is followed without decay: what was counted stays."""
        silence = max(0, second - rate.last_s)
        decays = [math.exp(-silence / window_seconds) for window_seconds in self._windows_seconds]
        work, squares = float(part.work), float(part.squares)
        return Rate(
            min(rate.first_s, second),
            second,
            tuple(old * decay + work for old, decay in zip(rate.sums, decays, strict=True)),
            tuple(old * (decay * decay) + squares for old, decay in zip(rate.squares, decays, strict=True)),
        )


class _Part(NamedTuple):
    """The shares of one second with what they are worth. squares: sum of their squared work."""

    first_ms: int
    last_ms: int
    last_share_ms: int | None
    counts: tuple[int, ...]
    blocks: int
    difficulty: float | None
    work: int
    squares: int
    expected_blocks: float


def _part(row: Sum, weigh: Weigh) -> _Part:
    _, _, first_ms, last_ms, last_share_ms, counts, blocks, runs = row
    work = squares = 0
    expected_blocks = 0.0
    for difficulty, nbits, count in runs:
        each_work, each_square, each_expected = weigh(difficulty, nbits)
        work += each_work * count
        squares += each_square * count
        expected_blocks += each_expected * count
    newest = runs[-1][0] if runs else None
    return _Part(first_ms, last_ms, last_share_ms, counts, blocks, newest, work, squares, expected_blocks)


def _together(parts: Iterable[_Part]) -> _Part:
    """Parts of the same second as one; of those whose newest share is as new, the last one's difficulty holds."""
    parts = list(parts)
    newest = max(reversed(parts), key=lambda each: -1 if each.last_share_ms is None else each.last_share_ms)
    return _Part(
        min(each.first_ms for each in parts),
        max(each.last_ms for each in parts),
        newest.last_share_ms,
        tuple(map(sum, zip(*[each.counts for each in parts], strict=True))),
        sum(each.blocks for each in parts),
        newest.difficulty,
        sum(each.work for each in parts),
        sum(each.squares for each in parts),
        math.fsum(each.expected_blocks for each in parts),
    )


def _untold(rows: Mapping[str, Total], told: dict[str, int]) -> dict[str, Total]:
    """Rows with other records than were told; now they are."""
    untold = {name: row for name, row in rows.items() if _records(row) != told.get(name)}
    told.update((name, _records(row)) for name, row in untold.items())
    return untold


def _records(row: Total) -> int:
    return sum(row.counts)
