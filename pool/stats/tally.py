"""Counts and hashrates per worker, account and pool, folded from the records of one journal.

The same records give the same tallies bit for bit, however they are cut into batches: shares are summed per worker
until a record of another second comes (`native.SecondSums`), then they are added to the tallies (`native.Totals`).
Time is that of the records, never a clock's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from operator import add
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple

import native
from pool.bitcoin.target import share_work
from pool.stats.hashrate import WINDOWS_SECONDS, Estimate, Hashrate
from pool.stats.history import FINE_SECONDS, Cell, Rings
from pool.stats.luck import expected_blocks
from pool.work.share import Outcome

# A worker that sent nothing for so long is dropped from the tables, so that names of a day do not stay for ever; its
# shares stay in the sums of its account and of the pool. Looked for when a new day begins.
FORGET_SECONDS = 7 * 86400
_DAY_SECONDS = 86400

# Pairs of difficulty and nBits in use at once, as in `pool.bitcoin.target`.
_WEIGHTS_CACHED = 4096

_OUTCOMES = len(Outcome)

_Total = Any  # a tally as `native.Totals` has it: a tuple of its fields, those of the hashrate within
# Going through the enumeration itself would be a third of what a table of ten thousand workers costs.
_REASONS = tuple((int(outcome), outcome.name.lower()) for outcome in Outcome if outcome is not Outcome.ACCEPTED)


class Tally(Struct, frozen=True, array_like=True, gc=False):
    """What one worker, one account or the pool has sent.

    first_ms, last_ms: first and newest record of any outcome. last_share_ms: newest accepted share. counts: records by
    outcome, in the order of `Outcome`. work: expected hashes of the accepted ones. blocks: shares that met the network
    target, whatever their outcome; expected_blocks: how many the accepted work finds on average. difficulty: of the
    newest accepted share.
    """

    first_ms: int
    last_ms: int
    hashrate: Hashrate
    last_share_ms: int | None = None
    counts: tuple[int, ...] = (0,) * _OUTCOMES
    work: int = 0
    blocks: int = 0
    expected_blocks: float = 0.0
    difficulty: float | None = None

    @property
    def accepted(self) -> int:
        return self.counts[Outcome.ACCEPTED]

    @property
    def rejected(self) -> dict[str, int]:
        """Counts by reason, the names of `Outcome` in lower case; reasons that never came are left out."""
        return {reason: self.counts[place] for place, reason in _REASONS if self.counts[place]}

    def row(self, name: str, now_ms: int) -> Row:
        """The tally under a name, with its hashrates of now."""
        return Row(name, self, self.hashrate.estimates(now_ms / 1000))

    def plus(self, other: Tally) -> Tally:
        """Both as one: a worker seen by two frontends, or the workers of an account."""
        newest = max(self, other, key=lambda each: each.last_share_ms or 0)
        return Tally(
            min(self.first_ms, other.first_ms),
            max(self.last_ms, other.last_ms),
            self.hashrate.plus(other.hashrate),
            newest.last_share_ms,
            tuple(map(add, self.counts, other.counts)),
            self.work + other.work,
            self.blocks + other.blocks,
            self.expected_blocks + other.expected_blocks,
            newest.difficulty,
        )


class Row(Struct, frozen=True):
    """A tally as it reads at one moment. name: login or account; empty for the pool. estimates: one hashrate for each
    of WINDOWS_SECONDS."""

    name: str
    tally: Tally
    estimates: tuple[Estimate, ...]


class Snapshot(Struct, frozen=True):
    """Tallies at one place of the journal: by login, by account, and of all; forgotten: logins that were dropped.
    history: of all; None if it is as it was."""

    workers: Mapping[str, Tally]
    accounts: Mapping[str, Tally]
    pool: Tally | None
    forgotten: tuple[str, ...] = ()
    history: Rings | None = None


class Sums(Struct, frozen=True, array_like=True, gc=False):
    """The shares of one worker, one account or the pool within one second. runs: accepted shares in a row of one
    difficulty and nBits: difficulty, nBits, how many."""

    account: str
    worker: str
    first_ms: int
    last_ms: int
    last_share_ms: int | None
    counts: tuple[int, ...]
    blocks: int
    runs: tuple[tuple[float, int, int], ...]


class State(Struct, frozen=True):
    """All that a fold knows, so that another one can go on from there to the same end. counted: the pool's tally as far
    as the history has it."""

    second: int
    workers: dict[str, Tally]
    accounts: dict[str, Tally]
    pool: Tally | None
    open: list[Sums]
    history: Rings = Rings()
    counted: Tally | None = None


NOTHING = State(0, {}, {}, None, [])


def login(account: str, worker: str) -> str:
    """The name a miner authorizes with."""
    return f"{account}.{worker}" if worker else account


class Tallies:
    """The fold: records in the order of their journal in, tallies out."""

    def __init__(self, state: State = NOTHING) -> None:
        self._open = native.SecondSums(state.second, [astuple(sums) for sums in state.open])
        self._totals = native.Totals(
            _weight,
            login,
            WINDOWS_SECONDS,
            {name: _total(tally) for name, tally in state.workers.items()},
            {name: _total(tally) for name, tally in state.accounts.items()},
            None if state.pool is None else _total(state.pool),
        )
        self._day = state.second // _DAY_SECONDS
        self._forgotten: set[str] = set()
        self._history, self._counted = state.history, state.counted
        self._history_told = False

    def state(self) -> State:
        """Everything, as of the last record."""
        workers, accounts, pool = self._totals.rows(native.SecondSums())
        still_open = [Sums(*row) for row in self._open.rows()]
        return State(
            self._open.second,
            _tallies(workers),
            _tallies(accounts),
            pool and _tally(pool),
            still_open,
            self._history,
            self._counted,
        )

    def fold(self, payload: bytes, count: int) -> None:
        """Count further records: `count` of them, as they are in a journal; those that are no shares are passed over.

        Raises ValueError if the payload is not wholly that; then nothing of it is counted.
        """
        first = self._open.add(payload, count, 0)
        while first < count:
            self._totals.take(self._open)
            taken = self._open.second
            self._open.clear()
            first = self._open.add(payload, count, first)
            if self._open.second // FINE_SECONDS != taken // FINE_SECONDS:
                self._close_minute(taken // FINE_SECONDS * FINE_SECONDS)
        if self._open.second // _DAY_SECONDS != self._day:
            self._day = self._open.second // _DAY_SECONDS
            self._forgotten.update(self._totals.forget((self._open.second - FORGET_SECONDS) * 1000))

    def snapshot(self) -> Snapshot:
        """All tallies as of the last record."""
        self._history_told = True
        every = _snapshot(*self._totals.rows(self._open))
        return Snapshot(every.workers, every.accounts, every.pool, history=self._history)

    def changes(self) -> Snapshot:
        """The tallies that changed since this was last asked, and the logins forgotten since."""
        changed = _snapshot(*self._totals.changes(self._open))
        # Who came back is not gone.
        forgotten, self._forgotten = self._forgotten, set()
        told, self._history_told = self._history_told, True
        return Snapshot(
            changed.workers,
            changed.accounts,
            changed.pool,
            tuple(sorted(forgotten - changed.workers.keys())),
            None if told else self._history,
        )

    def _close_minute(self, start_s: int) -> None:
        """What the pool's tally grew by goes into the history. The sum of squares of its longest window is the one that
        has lost least since."""
        total = self._totals.everyone()
        if total is None:
            return
        pool, before = _tally(total), self._counted
        squares, silence = pool.hashrate.squares[-1], 0
        if before is not None:
            silence = pool.hashrate.last_s - before.hashrate.last_s
            squares -= before.hashrate.squares[-1] * math.exp(-2 * max(0, silence) / WINDOWS_SECONDS[-1])
        self._history = self._history.with_minute(
            Cell(
                start_s,
                pool.work - (before.work if before else 0),
                max(0.0, squares),
                pool.accepted - (before.accepted if before else 0),
                sum(pool.counts) - pool.accepted - (sum(before.counts) - before.accepted if before else 0),
            )
        )
        self._counted, self._history_told = pool, False


def _snapshot(workers: Mapping[str, _Total], accounts: Mapping[str, _Total], pool: _Total | None) -> Snapshot:
    return Snapshot(_tallies(workers), _tallies(accounts), pool and _tally(pool))


def _tallies(rows: Mapping[str, _Total]) -> dict[str, Tally]:
    return {name: _tally(row) for name, row in rows.items()}


def _tally(row: _Total) -> Tally:
    first_ms, last_ms, rate, *rest = row
    return Tally(first_ms, last_ms, Hashrate(*rate), *rest)


def _total(tally: Tally) -> _Total:
    return (tally.first_ms, tally.last_ms, astuple(tally.hashrate), *astuple(tally)[3:])


@lru_cache(maxsize=_WEIGHTS_CACHED)
def _weight(difficulty: float, nbits: int) -> tuple[int, int, float]:
    """What an accepted share adds: its work, the square of it, and the blocks it finds on average."""
    work = share_work(difficulty, nbits)
    return work, work * work, expected_blocks(work, nbits)
