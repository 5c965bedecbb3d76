"""Counts and hashrates per worker, account and pool, folded from the records of one journal.

The same records give the same tallies bit for bit, however they are cut into batches: shares are summed per worker
until a record of another second comes (`native.SecondSums`), then the estimates decay once. Time is that of the
records, never a clock's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import add

from msgspec import Struct
from msgspec.structs import astuple

import native
from pool.bitcoin.target import share_work
from pool.stats.hashrate import Estimate, Hashrate
from pool.stats.luck import expected_blocks
from pool.work.share import Outcome

# A worker that sent nothing for so long is dropped from the tables, so that names of a day do not stay for ever; its
# shares stay in the sums of its account and of the pool. Looked for when a new day begins.
FORGET_SECONDS = 7 * 86400
_DAY_SECONDS = 86400

# Pairs of difficulty and nBits in use at once, as in `pool.bitcoin.target`.
_WEIGHTS_CACHED = 4096

_OUTCOMES = len(Outcome)
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
    """Tallies at one place of the journal: by login, by account, and of all; forgotten: logins that were dropped."""

    workers: Mapping[str, Tally]
    accounts: Mapping[str, Tally]
    pool: Tally | None
    forgotten: tuple[str, ...] = ()


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


class Weighed(Struct, gc=False):
    """Sums with what they are worth. difficulty: of the newest accepted share."""

    first_ms: int
    last_ms: int
    last_share_ms: int | None
    counts: tuple[int, ...]
    blocks: int
    difficulty: float | None
    work: int = 0
    squares: int = 0
    expected_blocks: float = 0.0

    @classmethod
    def of(cls, sums: Sums) -> Weighed:
        runs = sums.runs
        difficulty = runs[-1][0] if runs else None
        weighed = cls(sums.first_ms, sums.last_ms, sums.last_share_ms, sums.counts, sums.blocks, difficulty)
        for difficulty, nbits, count in runs:
            work, square, expected = _weight(difficulty, nbits)
            weighed.work += work * count
            weighed.squares += square * count
            weighed.expected_blocks += expected * count
        return weighed

    @classmethod
    def together(cls, parts: Sequence[Weighed]) -> Weighed:
        """Sums of the same second as one; of those whose newest share is as new, the last one's difficulty holds."""
        newest = max(reversed(parts), key=lambda each: each.last_share_ms or 0)
        return cls(
            min([each.first_ms for each in parts]),
            max([each.last_ms for each in parts]),
            newest.last_share_ms,
            tuple(map(sum, zip(*[each.counts for each in parts], strict=True))),
            sum([each.blocks for each in parts]),
            newest.difficulty,
            sum([each.work for each in parts]),
            sum([each.squares for each in parts]),
            math.fsum([each.expected_blocks for each in parts]),
        )

    def onto(self, tally: Tally | None, second: int) -> Tally:
        """The tally with these sums added; a new one if there is none."""
        if tally is None:
            tally = Tally(self.first_ms, self.last_ms, Hashrate(second, second))
        return Tally(
            tally.first_ms,
            self.last_ms,
            tally.hashrate.add(second, self.work, self.squares) if self.work else tally.hashrate,
            self.last_share_ms or tally.last_share_ms,
            tuple(map(add, tally.counts, self.counts)),
            tally.work + self.work,
            tally.blocks + self.blocks,
            tally.expected_blocks + self.expected_blocks,
            tally.difficulty if self.last_share_ms is None else self.difficulty,
        )


class State(Struct, frozen=True):
    """All that a fold knows, so that another one can go on from there to the same end."""

    second: int
    workers: dict[str, Tally]
    accounts: dict[str, Tally]
    pool: Tally | None
    open: list[Sums]


NOTHING = State(0, {}, {}, None, [])


def login(account: str, worker: str) -> str:
    """The name a miner authorizes with."""
    return f"{account}.{worker}" if worker else account


class _Told(Struct, gc=False):
    """A worker's sums of the open second and the tally with them, as when they were last asked for."""

    sums: Sums
    weighed: Weighed
    tally: Tally


class Tallies:
    """The fold: records in the order of their journal in, tallies out."""

    def __init__(self, state: State = NOTHING) -> None:
        self._workers = dict(state.workers)
        self._accounts = dict(state.accounts)
        self._pool = state.pool
        self._open = native.SecondSums(state.second, [astuple(sums) for sums in state.open])
        self._told: dict[str, _Told] = {}
        self._day = state.second // _DAY_SECONDS
        self._changed: dict[str, str] = {}  # account by login
        self._forgotten: set[str] = set()

    def state(self) -> State:
        """Everything, as of the last record."""
        still_open = [Sums(*row) for row in self._open.rows()]
        return State(self._open.second, dict(self._workers), dict(self._accounts), self._pool, still_open)

    def fold(self, payload: bytes, count: int) -> None:
        """Count further records: `count` of them, as they are in a journal; those that are no shares are passed over.

        Raises ValueError if the payload is not wholly that; then nothing of it is counted.
        """
        first = self._open.add(payload, count, 0)
        while first < count:
            self._close()
            first = self._open.add(payload, count, first)
        if self._open.second // _DAY_SECONDS != self._day:
            self._day = self._open.second // _DAY_SECONDS
            self._forget(self._open.second)

    def snapshot(self) -> Snapshot:
        """All tallies as of the last record."""
        workers, accounts, pool = self._with_open()
        return Snapshot({**self._workers, **workers}, {**self._accounts, **accounts}, pool)

    def changes(self) -> Snapshot:
        """The tallies that changed since this was last asked, and the logins forgotten since."""
        workers, accounts, pool = self._with_open()
        logins = sorted(self._changed)
        forgotten = tuple(sorted(self._forgotten - self._workers.keys() - workers.keys()))
        known = {name: tally for name in logins if (tally := workers.get(name) or self._workers.get(name)) is not None}
        names = sorted(set(self._changed.values()))
        self._changed.clear()
        self._forgotten.clear()
        return Snapshot(known, {name: accounts.get(name) or self._accounts[name] for name in names}, pool, forgotten)

    def _close(self) -> None:
        """Take the sums of the second that is over into the tallies."""
        workers, accounts, self._pool = self._with_open()
        self._workers.update(workers)
        self._accounts.update(accounts)
        self._open.clear()
        self._told.clear()

    def _with_open(self) -> tuple[dict[str, Tally], dict[str, Tally], Tally | None]:
        """The tallies that the open second touches, as they are with it."""
        second = self._open.second
        by_account: dict[str, list[Weighed]] = {}
        for row in self._open.rows():
            sums = Sums(*row)
            name = login(sums.account, sums.worker)
            told = self._told.get(name)
            if told is None or told.sums != sums:
                weighed = Weighed.of(sums)
                told = self._told[name] = _Told(sums, weighed, weighed.onto(self._workers.get(name), second))
                self._changed[name] = sums.account
            by_account.setdefault(sums.account, []).append(told.weighed)
        if not by_account:
            return {}, {}, self._pool
        together = {name: Weighed.together(parts) for name, parts in by_account.items()}
        return (
            {name: told.tally for name, told in self._told.items()},
            {name: weighed.onto(self._accounts.get(name), second) for name, weighed in together.items()},
            Weighed.together([*together.values()]).onto(self._pool, second),
        )

    def _forget(self, second: int) -> None:
        oldest_ms = (second - FORGET_SECONDS) * 1000
        for name in [name for name, tally in self._workers.items() if tally.last_ms < oldest_ms]:
            del self._workers[name]
            self._told.pop(name, None)
            self._forgotten.add(name)


@lru_cache(maxsize=_WEIGHTS_CACHED)
def _weight(difficulty: float, nbits: int) -> tuple[int, int, float]:
    """What an accepted share adds: its work, the square of it, and the blocks it finds on average."""
    work = share_work(difficulty, nbits)
    return work, work * work, expected_blocks(work, nbits)
