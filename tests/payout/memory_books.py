"""The books in memory, as plainly as they can be: what those in SQL must agree with, and fast enough for a million."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from payout.accounts import Account, Plan, Scheme, Stake
from payout.activity import Activity
from payout.contracts import Contract
from payout.epochs import NetworkEpoch, changes
from payout.ledger import Book, LedgerError, Posting, Row
from payout.luck import Group, Tally
from payout.maturity import Life, State, is_final
from payout.order import clip
from payout.ports import Accrual, Basis, Batch, BookedBlock, FeeDay, FoundBlock, SliceEarning, Stop
from payout.watch_ports import Hold, Stray
from payout.withholding import Test
from pool.work.runs import Seen


class MemoryAccounts:
    """Satisfies payout.ports.Accounts."""

    def __init__(self) -> None:
        self.known: dict[str, Account] = {}

    def open(self, name: str, *plans: Plan) -> None:
        self.known[name] = Account(len(self.known) + 1, name, plans[0].valid_from_ms, plans)

    def find(self, names: Collection[str]) -> Mapping[str, Account]:
        return {name: self.known[name] for name in names if name in self.known}

    def resolve(self, first_seen_ms: Mapping[str, int], scheme: Scheme, fee_bps: int) -> Mapping[str, Account]:
        for name, time_ms in first_seen_ms.items():
            if name not in self.known:
                self.open(name, Plan(scheme, fee_bps, time_ms))
        return self.known


class MemoryShares:
    """Satisfies payout.ports.Shares."""

    def __init__(self) -> None:
        self.marks: dict[str, int] = {}
        self.line: list[tuple[Stake, int]] = []
        self._end = 0

    def high_water(self, frontend: str) -> int:
        return self.marks.get(frontend, 0)

    def advance(self, frontend: str, seq: int) -> None:
        self.marks[frontend] = seq

    def end(self) -> int:
        return self._end

    def append(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            self.line += batch.shares.in_order()
        self._end = sum(units for _, units in self.line)

    def window(self, low: int, high: int) -> dict[Stake, int]:
        return clip(self.line, 0, low, high)


class MemoryAccruals:
    """Satisfies payout.ports.Accruals. earned: by period and account."""

    def __init__(self) -> None:
        self.earned_psat: dict[tuple[int, str], int] = {}
        self.settled: set[tuple[int, str]] = set()
        self.carries_psat: dict[str, int] = {}
        self._period_ms = 0

    def period_ms(self) -> int:
        return self._period_ms

    def open_period(self, period_ms: int) -> None:
        self._period_ms = period_ms

    def add(self, earned_psat: Mapping[tuple[str, int], int]) -> None:
        for (account, period_ms), psat in earned_psat.items():
            self.earned_psat[period_ms, account] = self.earned_psat.get((period_ms, account), 0) + psat

    def due(self, before_ms: int) -> list[Accrual]:
        return [
            Accrual(account, period_ms, psat, self.carries_psat.get(account, 0))
            for (period_ms, account), psat in sorted(self.earned_psat.items())
            if period_ms < before_ms and (period_ms, account) not in self.settled
        ]

    def settle(self, settled: Sequence[tuple[Accrual, int]]) -> None:
        for accrual, carry_psat in settled:
            self.settled.add((accrual.period_ms, accrual.account))
            self.carries_psat[accrual.account] = carry_psat


class MemoryBlocks:
    """Satisfies payout.ports.Blocks."""

    def __init__(self) -> None:
        self.known: dict[bytes, BookedBlock] = {}
        self._height = 0

    def add(self, found: FoundBlock) -> bool:
        fresh = found.block_hash not in self.known
        if fresh:
            self.known[found.block_hash] = BookedBlock(found, Life(found.block_hash, found.height))
        return fresh

    def open(self, tip_height: int) -> list[Life]:
        lives = [block.life for block in self.every()]
        return [life for life in lives if life.state is not State.MATURE and not is_final(life, tip_height)]

    def get(self, block_hash: bytes) -> BookedBlock | None:
        return self.known.get(block_hash)

    def every(self) -> Iterator[BookedBlock]:
        yield from sorted(self.known.values(), key=lambda block: (block.life.height, block.life.block_hash))

    def book(self, block: BookedBlock) -> None:
        self.known[block.life.block_hash] = block

    def move(self, before: Life, after: Life) -> None:
        block = self.known[before.block_hash]
        if block.life != before:
            raise LedgerError(f"block {before.hash_hex} is not {before.state.value} any more")
        self.known[before.block_hash] = replace(block, life=after)

    def hold(self, hold: Hold) -> None:
        raise AssertionError("nobody holds a block here")

    def totals(self) -> tuple[tuple[str, int, int], ...]:
        raise AssertionError("nobody asks")

    def rewards_sat(self) -> Mapping[Life, int | None]:
        return {block.life: block.reward_sat for block in self.every()}

    def chain_height(self) -> int:
        return self._height

    def see_height(self, height: int) -> None:
        self._height = height


class MemoryFeeDays:
    """Satisfies payout.ports.FeeDays: nobody is on FPPS here, so no day has anything to settle."""

    def add(self, base_psat: Mapping[tuple[str, int, int], int]) -> None:
        assert not base_psat

    def due(self, before_ms: int) -> int | None:
        return None

    def bases(self, day_ms: int) -> Sequence[tuple[str, int, int]]:
        return ()

    def carries_psat(self) -> Mapping[str, int]:
        return {}

    def settle(self, day: FeeDay, carries_psat: Mapping[str, int]) -> None:
        raise AssertionError("no day is due")

    def settled(self) -> Iterator[FeeDay]:
        return iter(())

    def newest(self) -> FeeDay | None:
        return None


class MemoryReserve:
    """Satisfies payout.ports.Reserve."""

    def __init__(self, accounts: MemoryAccounts, accruals: MemoryAccruals) -> None:
        self._accounts = accounts
        self._accruals = accruals
        self._stops: list[Stop] = []
        self._height = 0

    def stops(self) -> Sequence[Stop]:
        return self._stops

    def stop(self, decided: Stop) -> None:
        self._stops.append(decided)

    def seen_height(self) -> int:
        return self._height

    def see_height(self, height: int) -> None:
        self._height = height

    def lowest_fee_bps(self, schemes: Iterable[Scheme], time_ms: int) -> int | None:
        plans = [plan for each in self._accounts.known.values() for plan in each.plans]
        return min((plan.fee_bps for plan in plans if plan.scheme in set(schemes)), default=None)

    def accrued_psat(self) -> int:
        return sum(
            psat for place, psat in self._accruals.earned_psat.items() if place not in self._accruals.settled
        ) + sum(self._accruals.carries_psat.values())


class MemorySlices:
    """Satisfies payout.ports.Slices: none here has a contract."""

    def __init__(self) -> None:
        self._earned_psat: dict[SliceEarning, int] = {}

    def contracts(self, slice_ids: Collection[int]) -> Mapping[int, Contract]:
        return {}

    def add(self, earned_psat: Mapping[SliceEarning, int]) -> None:
        for each, more_psat in earned_psat.items():
            self._earned_psat[each] = self._earned_psat.get(each, 0) + more_psat

    def earned(self, basis: Basis, account_name: str, at_ms: int) -> Sequence[tuple[SliceEarning, int]]:
        found = [
            (each, psat)
            for each, psat in self._earned_psat.items()
            if (each.basis, each.account, each.at_ms) == (basis, account_name, at_ms)
        ]
        return sorted(found, key=lambda pair: (pair[0].slice_id, pair[0].fee_bps))


class MemoryStrays:
    """Satisfies payout.watch_ports.Strays: the chain has none."""

    def open(self) -> Sequence[Stray]:
        return ()

    def add(self, stray: Stray) -> bool:
        raise AssertionError("there is none")

    def end(self, block_hash: bytes, time_ms: int, reason: str) -> bool:
        return False

    def scanned(self) -> tuple[int, int]:
        return 0, 0

    def scan(self, began: int, height: int) -> None:
        pass


class MemoryLuck:
    """Satisfies payout.watch_ports.LuckBooks."""

    def __init__(self) -> None:
        self.sums: dict[Group, Tally] = {}
        self._tested: dict[Group, int] = {}

    def add(self, sums: Mapping[Group, Tally]) -> None:
        for group, tally in sums.items():
            self.sums[group] = self.sums.get(group, Tally()).plus(tally)

    def tallies(self) -> Mapping[Group, Tally]:
        return self.sums

    def tested(self) -> Mapping[Group, int]:
        return self._tested

    def keep(self, test: Test, time_ms: int) -> None:
        self._tested[test.group] = test.checkpoint


class MemoryEpochs:
    """Satisfies payout.epochs.Epochs."""

    def __init__(self) -> None:
        self.known: list[NetworkEpoch] = []

    def see(self, risen: Sequence[NetworkEpoch]) -> None:
        self.known += changes(self.known[-1] if self.known else None, risen)


class MemoryActivity:
    """Satisfies payout.activity.ActivityBooks."""

    def __init__(self) -> None:
        self.minutes: dict[tuple[int, int], Activity] = {}
        self.workers: set[Seen] = set()

    def add(self, sums: Mapping[tuple[int, int], Activity]) -> None:
        for key, more in sums.items():
            self.minutes[key] = self.minutes.get(key, Activity()).plus(more)

    def see(self, workers: Iterable[Seen]) -> None:
        self.workers |= set(workers)


class MemoryJournal:
    """Satisfies payout.ports.Journal."""

    def __init__(self) -> None:
        self._book = Book()

    def post(self, postings: Sequence[Posting]) -> int:
        return sum(map(self._book.post, postings))

    def rows(self) -> Iterator[Row]:
        return iter(self._book.rows)

    def rows_after(self, row_id: int) -> Iterator[Row]:
        return (row for row in self.rows() if row.id > row_id)

    def balance_after(self, account: str, row_id: int) -> tuple[int, int]:
        rows = list(self.rows_after(row_id))
        moved_sat = sum(each.amount_sat for row in rows for each in row.posting.entries if each.account == account)
        return moved_sat, rows[-1].id if rows else row_id

    def balances_sat(self, accounts: Iterable[str] | None = None) -> dict[str, int]:
        balances = self._book.balances_sat()
        return balances if accounts is None else {name: balances[name] for name in accounts if name in balances}


class MemoryBooks:
    """Satisfies payout.ports.Books, and LedgerStore: nothing here fails halfway, so nothing is rolled back."""

    def __init__(self) -> None:
        self.accounts = MemoryAccounts()
        self.shares = MemoryShares()
        self.accruals = MemoryAccruals()
        self.fee_days = MemoryFeeDays()
        self.reserve = MemoryReserve(self.accounts, self.accruals)
        self.slices = MemorySlices()
        self.blocks = MemoryBlocks()
        self.strays = MemoryStrays()
        self.luck = MemoryLuck()
        self.epochs = MemoryEpochs()
        self.activity = MemoryActivity()
        self.journal = MemoryJournal()

    @contextmanager
    def write(self) -> Iterator[MemoryBooks]:
        yield self

    @contextmanager
    def read(self) -> Iterator[MemoryBooks]:
        yield self
