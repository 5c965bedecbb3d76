"""The books computed again from the journals, into empty ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from payout import intake
from payout.activity import ActivityBooks
from payout.crediting import credit, reward_of, window_of
from payout.epochs import Epochs
from payout.fee_days import bonuses
from payout.intake import Rules
from payout.ledger import LedgerError, Posting
from payout.maturity import Life, State, enter
from payout.order import SUMMED
from payout.ports import Accounts, Accruals, BookedBlock, FeeDays, FoundBlock, Reserve, Shares, Slices
from payout.store.blocks import SqlBlocks
from payout.store.ledger import SqlBooks, SqlLedger
from payout.watch_ports import LuckBooks, Strays
from pool.ports import ShareBatch
from pool.rebuild.comparison import Check
from pool.rebuild.journals import RebuildImpossible
from pool.rebuild.payments import KIND, Payments
from pool.rebuild.recorded import Recorded
from pool.rebuild.rows import LiveRow, told

# One transaction: names and stakes are looked up once for all of it. It ends where a sum of batches does, so that these
# need not be read again for the sum.
_RECORDS_AT_ONCE = 2_000_000
_ROWS_AT_ONCE = 1_000

_STATES = {"block.immature": State.IMMATURE, "block.mature": State.MATURE, "block.orphaned": State.ORPHANED}


class LedgerRebuild:
    """One rebuild: `take` what the journals hold, then `follow` what the live ledger says of chain and people."""

    def __init__(self, recorded: Recorded, empty: SqlLedger, rules: Rules) -> None:
        """empty: books without a row."""
        self._recorded = recorded
        self._ledger = empty
        self._rules = rules
        self._settled: dict[str, Posting] = {}

    def take(self, batches: Iterable[ShareBatch]) -> int:
        """All batches of the journals, in the order of the live ledger; returns how many records these were."""
        records = 0
        for chunk in _chunks(batches):
            with self._ledger.write() as books:
                taken = intake.take(_Books(books, self._recorded, self._settled), chunk, self._rules)
            records += sum(each.records for each in taken)
            for each in taken:
                if each.gap or not each.records:
                    raise RebuildImpossible(f"the live ledger took records of journal {each.frontend} out of order")
        return records

    def follow(self, rows: Iterable[LiveRow], chain_height: int) -> list[Check]:
        """Credits, then every posting in the order of the live ones, the states of blocks, and payments."""
        check = Check("postings of the ledger", "their order is the ledger's")
        self._credit()
        self._settle_days()
        with self._ledger.write() as books:
            blocks = _Blocks(books, self._recorded)
            payments = Payments(books.payouts, check)
            for chunk in _rows_at_once(rows):
                _post(books, [posted for row in chunk if (posted := self._again(row, blocks, payments, check))], check)
            extra = [*self._settled.values(), *blocks.finish(), *payments.finish()]
            _post(books, extra, check)
            for posted in extra:
                check.pair(posted.key, None, _told(posted))
            if chain_height:
                books.blocks.see_height(chain_height)
            return [check, payments.compare()]

    def _credit(self) -> None:
        """What blocks pay, by the shares of the journals and the reward of the chain."""
        with self._ledger.write() as books:
            for block in list(books.blocks.every()):
                known = self._recorded.blocks.get(block.found.block_hash)
                if known is not None and known.reward_sat is not None:
                    weights = books.shares.window(*window_of(block.found))
                    books.blocks.book(credit(block, known.reward_sat, weights))

    def _settle_days(self) -> None:
        """What FPPS adds to the shares of each day, by the fees that the live ledger says the day had."""
        with self._ledger.write() as books:
            for day in books.fee_days.settled():
                postings, carries_psat = bonuses(books, day)
                books.fee_days.carry(carries_psat)
                self._settled.update((posted.key, posted) for posted in postings)

    def _again(self, row: LiveRow, blocks: _Blocks, payments: Payments, check: Check) -> Posting | None:
        """The posting of a live row as journals and payments give it; None if they do not."""
        if row.fault is not None:
            check.differs(f"row {row.id}: {row.fault}")
        if row.kind in ("pps", "fpps"):
            posted = self._settled.pop(row.key, None)
        elif row.kind in _STATES:
            posted = blocks.enter(row.ref, _STATES[row.kind], row.time_ms)
        elif row.kind.startswith(KIND):
            posted = payments.again(row)
        else:
            posted = row.posting
        check.pair(f"row {row.id}", str(row), _told(posted))
        return posted


def _post(books: SqlBooks, postings: Sequence[Posting], check: Check) -> None:
    try:
        books.journal.post(postings)
    except LedgerError as error:  # something that came before is missing
        check.differs(f"the rebuilt ledger cannot book what follows: {error}")


def _told(posted: Posting | None) -> str | None:
    return None if posted is None else told(posted.key, posted.time_ms, posted.entries)


class _Books:
    """The rebuilt books while shares come in. Satisfies payout.ports.Books."""

    def __init__(self, books: SqlBooks, recorded: Recorded, settled: dict[str, Posting]) -> None:
        self.accounts: Accounts = books.accounts
        self.shares: Shares = books.shares
        self.accruals: Accruals = books.accruals
        self.fee_days: FeeDays = books.fee_days
        self.reserve: Reserve = books.reserve
        self.slices: Slices = books.slices
        self.blocks = _FoundBlocks(books, recorded)
        self.strays: Strays = books.strays
        self.luck: LuckBooks = books.luck
        self.epochs: Epochs = books.epochs
        self.activity: ActivityBooks = books.activity
        self.journal = _Settled(books, settled)


class _FoundBlocks(SqlBlocks):
    """Blocks under the rules of their moment."""

    def __init__(self, books: SqlBooks, recorded: Recorded) -> None:
        super().__init__(books.connection)
        self._recorded = recorded

    def add(self, found: FoundBlock) -> bool:
        return super().add(self._recorded.as_found(found))


class _Settled:
    """Keeps what pay per share comes to until it is its turn among the rows."""

    def __init__(self, books: SqlBooks, settled: dict[str, Posting]) -> None:
        self.rows = books.journal.rows
        self.rows_after = books.journal.rows_after
        self.balance_after = books.journal.balance_after
        self.balances_sat = books.journal.balances_sat
        self._settled = settled

    def post(self, postings: Sequence[Posting]) -> int:
        self._settled.update((posted.key, posted) for posted in postings)
        return len(postings)


class _Blocks:
    """The rebuilt blocks on their way through the states that the live ones went through."""

    def __init__(self, books: SqlBooks, recorded: Recorded) -> None:
        self._books = books
        self._recorded = recorded
        self._blocks: dict[str, BookedBlock] = {block.life.hash_hex: block for block in books.blocks.every()}
        self._lives: dict[str, Life] = {name: block.life for name, block in self._blocks.items()}

    def enter(self, name: str, state: State, time_ms: int) -> Posting | None:
        """The posting of a step; None if the block cannot take it."""
        block = self._blocks.get(name)
        if block is None or block.reward_sat is None:
            return None
        return self._enter(block, state, time_ms)

    def finish(self) -> Iterator[Posting]:
        """Steps that leave no row: to death, and of a block that pays nothing. Gives rows that should be there."""
        for name, block in self._blocks.items():
            known = self._recorded.blocks.get(block.found.block_hash)
            for state in () if known is None else _way(self._lives[name], known.life):
                if (posted := self._enter(block, state, 0)) is not None:
                    yield posted

    def _enter(self, block: BookedBlock, state: State, time_ms: int) -> Posting | None:
        before = self._lives[block.life.hash_hex]
        try:
            after, postings = enter(
                before, state, None if state is State.DEAD else reward_of(block, self._books.slices), time_ms
            )
        except LedgerError:
            return None
        self._books.blocks.move(before, after)
        self._lives[block.life.hash_hex] = after
        return postings[0] if postings else None


def _way(here: Life, there: Life) -> Iterator[State]:
    """The steps from one state to another, by way of as many returns into the chain."""
    state = here.state
    for _ in range(there.flips - here.flips):
        if state is not State.ORPHANED:
            yield from _last_steps(state, State.ORPHANED)
        yield State.IMMATURE
        state = State.IMMATURE
    yield from _last_steps(state, there.state)


def _last_steps(here: State, there: State) -> tuple[State, ...]:
    if here is there:
        return ()
    return (there,) if there in (State.DEAD, State.IMMATURE) or here is State.IMMATURE else (State.IMMATURE, there)


def _chunks(batches: Iterable[ShareBatch]) -> Iterator[list[ShareBatch]]:
    chunk: list[ShareBatch] = []
    records = 0
    for batch in batches:
        chunk.append(batch)
        records += batch.count
        if records >= _RECORDS_AT_ONCE and len(chunk) % SUMMED == 0:
            yield chunk
            chunk, records = [], 0
    if chunk:
        yield chunk


def _rows_at_once(rows: Iterable[LiveRow]) -> Iterator[list[LiveRow]]:
    chunk: list[LiveRow] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _ROWS_AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
