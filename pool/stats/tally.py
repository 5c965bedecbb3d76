"""Counts and hashrates per worker, account and pool, folded from the records of one journal.

The same records give the same tallies bit for bit, however they are cut into batches: shares are summed per worker
until a record of another second comes, then the estimates decay once. Time is that of the records, never a clock's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from operator import add

from msgspec import Struct, field
from msgspec.structs import replace

from pool.bitcoin.target import share_work
from pool.ports import Record
from pool.stats.hashrate import Estimate, Hashrate
from pool.stats.luck import expected_blocks
from pool.work.share import Outcome, Share

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


class Sums(Struct):
    """The shares of one worker, one account or the pool within one second, still growing."""

    first_ms: int
    last_ms: int
    last_share_ms: int | None = None
    counts: list[int] = field(default_factory=lambda: [0] * _OUTCOMES)
    work: int = 0
    squares: int = 0
    blocks: int = 0
    expected_blocks: float = 0.0
    difficulty: float | None = None

    def count(self, share: Share) -> None:
        """Take in one share."""
        self.counts[share.outcome] += 1
        self.last_ms = share.time_ms
        if share.block_hash is not None:
            self.blocks += 1
        if share.outcome is Outcome.ACCEPTED:
            work, square, expected = _weight(share.difficulty, share.nbits)
            self.work += work
            self.squares += square
            self.expected_blocks += expected
            self.last_share_ms = share.time_ms
            self.difficulty = share.difficulty

    def copy(self) -> Sums:
        """The same sums, to grow by themselves."""
        return replace(self, counts=list(self.counts))

    def merge(self, other: Sums) -> None:
        """Take in the shares of another one within the same second."""
        self.first_ms = min(self.first_ms, other.first_ms)
        self.last_ms = max(self.last_ms, other.last_ms)
        self.counts = list(map(add, self.counts, other.counts))
        self.work += other.work
        self.squares += other.squares
        self.blocks += other.blocks
        self.expected_blocks += other.expected_blocks
        if other.last_share_ms is not None and other.last_share_ms >= (self.last_share_ms or 0):
            self.last_share_ms, self.difficulty = other.last_share_ms, other.difficulty

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
    open: list[tuple[str, str, Sums]]


NOTHING = State(0, {}, {}, None, [])


def login(account: str, worker: str) -> str:
    """The name a miner authorizes with."""
    return f"{account}.{worker}" if worker else account


class Tallies:
    """The fold: records in the order of their journal in, tallies out."""

    def __init__(self, state: State = NOTHING) -> None:
        self._workers = dict(state.workers)
        self._accounts = dict(state.accounts)
        self._pool = state.pool
        self._open = {(account, worker): sums.copy() for account, worker, sums in state.open}
        self._second = state.second
        self._changed: set[tuple[str, str]] = set()
        self._forgotten: set[str] = set()

    def state(self) -> State:
        """Everything, as of the last record."""
        still_open = [(account, worker, sums.copy()) for (account, worker), sums in self._open.items()]
        return State(self._second, dict(self._workers), dict(self._accounts), self._pool, still_open)

    def fold(self, records: Iterable[Record]) -> None:
        """Count further records; those that are no shares are passed over."""
        for record in records:
            if not isinstance(record, Share):
                continue
            second = record.time_ms // 1000
            if second != self._second:
                self._close()
                if second // _DAY_SECONDS != self._second // _DAY_SECONDS:
                    self._forget(second)
                self._second = second
            key = (record.account, record.worker)
            sums = self._open.get(key)
            if sums is None:
                sums = self._open[key] = Sums(record.time_ms, record.time_ms)
            sums.count(record)
            self._changed.add(key)

    def snapshot(self) -> Snapshot:
        """All tallies as of the last record."""
        workers, accounts, pool = self._closed()
        return Snapshot({**self._workers, **workers}, {**self._accounts, **accounts}, pool)

    def changes(self) -> Snapshot:
        """The tallies that changed since this was last asked, and the logins forgotten since."""
        whole = self.snapshot()
        logins = {login(account, worker) for account, worker in self._changed}
        accounts = {account for account, _ in self._changed}
        forgotten = tuple(sorted(self._forgotten - whole.workers.keys()))
        self._changed.clear()
        self._forgotten.clear()
        return Snapshot(
            {name: whole.workers[name] for name in sorted(logins & whole.workers.keys())},
            {name: whole.accounts[name] for name in sorted(accounts)},
            whole.pool,
            forgotten,
        )

    def _close(self) -> None:
        """Take the sums of the second that is over into the tallies."""
        if self._open:
            workers, accounts, self._pool = self._closed()
            self._workers.update(workers)
            self._accounts.update(accounts)
            self._open.clear()

    def _closed(self) -> tuple[dict[str, Tally], dict[str, Tally], Tally | None]:
        """The tallies that the open second touches, as they are with it."""
        by_account: dict[str, Sums] = {}
        workers: dict[str, Tally] = {}
        whole: Sums | None = None
        for (account, worker), sums in self._open.items():
            name = login(account, worker)
            workers[name] = sums.onto(self._workers.get(name), self._second)
            if account in by_account:
                by_account[account].merge(sums)
            else:
                by_account[account] = sums.copy()
        for sums in by_account.values():
            if whole is None:
                whole = sums.copy()
            else:
                whole.merge(sums)
        accounts = {name: sums.onto(self._accounts.get(name), self._second) for name, sums in by_account.items()}
        return workers, accounts, whole.onto(self._pool, self._second) if whole is not None else self._pool

    def _forget(self, second: int) -> None:
        oldest_ms = (second - FORGET_SECONDS) * 1000
        for name in [name for name, tally in self._workers.items() if tally.last_ms < oldest_ms]:
            del self._workers[name]
            self._forgotten.add(name)


@lru_cache(maxsize=_WEIGHTS_CACHED)
def _weight(difficulty: float, nbits: int) -> tuple[int, int, float]:
    """What an accepted share adds: its work, the square of it, and the blocks it finds on average."""
    work = share_work(difficulty, nbits)
    return work, work * work, expected_blocks(work, nbits)
