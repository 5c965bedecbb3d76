"""Shares into the books: what batches of journal records mean, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate

from msgspec import Struct
from msgspec.structs import replace

from payout.accounts import Account, AccountRefused, Scheme, Stake, plan_at
from payout.ledger import PPS_RESERVE, LedgerError, Posting, available, posting
from payout.order import OrderedShares, Run
from payout.ports import Accrual, Batch, Books, FoundBlock
from payout.pps import settle
from payout.rewards import Startup
from payout.scoring import price_of, work_of
from pool.ports import ShareBatch
from pool.work.runs import ReadShares, read_shares
from pool.work.share import Outcome


class Rules(Struct, frozen=True):
    """How this pool pays.

    default: the plan of an account that is seen for the first time. settle_period_ms: pay per share moves into the
    ledger once per period. pool_scripts: what the pool's coinbases pay. subsidy_sat: of a height, on the pool's chain.
    """

    window_x: Fraction
    startup: Startup
    default_scheme: Scheme
    default_fee_bps: int
    settle_period_ms: int
    pool_scripts: frozenset[bytes]
    subsidy_sat: Callable[[int], int]


class Taken(Struct, frozen=True):
    """What became of a batch.

    high_water: the last record of its journal that is in the books. gap: records before the batch are missing, so it
    was not taken. records, accepted: how many were new. blocks: new candidates. settled: postings of pay per share,
    of all batches that were taken together, told with the last of them.
    """

    frontend: str
    high_water: int
    gap: bool = False
    records: int = 0
    accepted: int = 0
    blocks: tuple[FoundBlock, ...] = ()
    settled: int = 0


class _Fresh(Struct):
    """A batch with what is new of it. first: number of the first new record. began_ms: the period before that."""

    batch: ShareBatch
    first: int
    began_ms: int
    read: ReadShares


class _Meaning(Struct):
    """What a batch comes to, before it is written."""

    fresh: _Fresh
    stored: Batch
    blocks: list[FoundBlock]


def take(books: Books, batches: Sequence[ShareBatch], rules: Rules) -> list[Taken]:
    """Put into the books what is new of batches, as if one came after the other; what became of each.

    Records at or below the journal's high-water mark are skipped; a batch that begins above the next one is refused.
    Raises LedgerError for records that cannot be read or scored: nobody may guess what they were worth.
    """
    settled_until_ms = period_ms = books.accruals.period_ms()
    marks: dict[str, int] = {}
    taken: list[Taken] = []
    fresh: dict[int, _Fresh] = {}  # by the place of the batch
    for place, batch in enumerate(batches):
        mark = marks.get(batch.frontend)
        if mark is None:
            mark = books.shares.high_water(batch.frontend)
        gap = batch.first_seq > mark + 1
        if not gap and batch.last_seq > mark:
            fresh[place] = _read(batch, mark + 1 - batch.first_seq, period_ms, rules)
            period_ms = fresh[place].read.period_ms
            mark = batch.last_seq
        marks[batch.frontend] = mark
        taken.append(Taken(batch.frontend, mark, gap))
    if fresh:
        meanings = _write(books, list(fresh.values()), rules)
        settled = 0
        if period_ms > settled_until_ms:
            settled = _settle(books, period_ms, rules.settle_period_ms)
            books.accruals.open_period(period_ms)
        for place, meaning in zip(fresh, meanings, strict=True):
            taken[place] = _taken(books, meaning)
        taken[place] = replace(taken[place], settled=settled)
    return taken


def _write(books: Books, fresh: Sequence[_Fresh], rules: Rules) -> list[_Meaning]:
    """Everything but the blocks and what periods that are over come to."""
    accounts = _accounts(books, fresh, rules)
    earned_psat: dict[tuple[str, int], int] = {}
    meanings = list(_meanings(books.shares.end(), fresh, accounts, rules, earned_psat))
    books.shares.append([meaning.stored for meaning in meanings])
    books.accruals.add(earned_psat)
    for frontend, seq in {each.batch.frontend: each.batch.last_seq for each in fresh}.items():
        books.shares.advance(frontend, seq)
    return meanings


def _taken(books: Books, meaning: _Meaning) -> Taken:
    found = tuple(block for block in meaning.blocks if books.blocks.add(block))
    batch = meaning.fresh.batch
    records = batch.count - meaning.fresh.first
    return Taken(batch.frontend, batch.last_seq, False, records, meaning.stored.shares.count, found)


def _read(batch: ShareBatch, first: int, began_ms: int, rules: Rules, bounds_ms: Sequence[int] = ()) -> _Fresh:
    try:
        # Periods end by what the journals say, never by our clock, so that a replay settles the same. Jobs count too:
        # they come while no share does. A share that is late counts in the current period, as the others are settled.
        read = read_shares(batch.payload, batch.count, first, began_ms, rules.settle_period_ms, bounds_ms)
    except ValueError as error:
        raise LedgerError(
            f"records {batch.first_seq} to {batch.last_seq} of journal {batch.frontend} cannot be read: {error}"
        ) from error
    return _Fresh(batch, first, began_ms, read)


def _accounts(books: Books, fresh: Iterable[_Fresh], rules: Rules) -> Mapping[str, Account]:
    first_seen_ms: dict[str, int] = {}
    for each in fresh:
        for run in each.read.runs:
            first_seen_ms.setdefault(run.account, run.time_ms)
    try:
        return books.accounts.resolve(first_seen_ms, rules.default_scheme, rules.default_fee_bps)
    except AccountRefused as error:
        raise LedgerError(f"a share was accepted that nobody can be paid for: {error}") from error


def _meanings(
    end: int,
    fresh: Iterable[_Fresh],
    accounts: Mapping[str, Account],
    rules: Rules,
    earned_psat: dict[tuple[str, int], int],
) -> Iterator[_Meaning]:
    """What each batch means. end: of the line before the first. earned_psat: by account and period, is added to."""
    for each in fresh:
        each = _cut_by_plans(each, accounts, rules)
        runs = []
        for run in each.read.runs:
            plan = plan_at(accounts[run.account].plans, run.time_ms)
            work = work_of(run)
            runs.append(Run(Stake(run.account, run.slice_id, plan.scheme, plan.fee_bps), work.units, run.shares))
            if plan.scheme is Scheme.PPS:
                price_psat = price_of(work, rules.subsidy_sat(run.height), plan.fee_bps)
                place = run.account, run.period_ms
                earned_psat[place] = earned_psat.get(place, 0) + price_psat * run.shares
        batch, read = each.batch, each.read
        stretches = [(batch.first_seq + number, length) for number, length in read.stretches]
        shares = OrderedShares(runs, read.picks, stretches)
        stored = Batch(batch.frontend, batch.first_seq + each.first, batch.last_seq, read.time_ms, shares)
        yield _Meaning(each, stored, list(_found(each, shares, end, rules)))
        end += sum(run.units * run.shares for run in runs)


def _cut_by_plans(fresh: _Fresh, accounts: Mapping[str, Account], rules: Rules) -> _Fresh:
    """The same with runs that lie within one plan each: read again where one does not."""
    bounds_ms = {
        plan.valid_from_ms
        for run in fresh.read.runs
        for plan in accounts[run.account].plans[1:]
        if run.oldest_ms < plan.valid_from_ms <= run.newest_ms
    }
    return _read(fresh.batch, fresh.first, fresh.began_ms, rules, sorted(bounds_ms)) if bounds_ms else fresh


def _found(fresh: _Fresh, shares: OrderedShares[Stake], end: int, rules: Rules) -> Iterator[FoundBlock]:
    """The candidates. The window of each ends at its share's place in the order, also if that earns nothing."""
    if not fresh.read.blocks:
        return
    ends = list(accumulate((units for _, units in shares.in_order()), initial=end))
    for block in fresh.read.blocks:
        yield FoundBlock(
            block_hash=block.block_hash,
            height=block.height,
            found_ms=block.time_ms,
            finder=block.account,
            worker=block.worker,
            frontend=fresh.batch.frontend,
            seq=fresh.batch.first_seq + block.number,
            outcome=Outcome(block.outcome).name.lower(),
            end=ends[block.accepted],
            window_x=str(rules.window_x),
            startup=rules.startup.value,
        )


def _settle(books: Books, before_ms: int, period_ms: int) -> int:
    """Post what was earned per share in the periods that are over; how many postings that made."""
    carries_psat: dict[str, int] = {}
    settled: list[tuple[Accrual, int]] = []
    postings: list[Posting] = []
    for accrual in books.accruals.due(before_ms):
        carry_psat = carries_psat.get(accrual.account, accrual.carry_psat)
        paid_sat, rest_psat = settle(carry_psat + accrual.accrued_psat)
        carries_psat[accrual.account] = rest_psat
        settled.append((accrual, rest_psat))
        if paid_sat:
            postings.append(_pps_posting(accrual, paid_sat, accrual.period_ms + period_ms))
    books.accruals.settle(settled)
    return books.journal.post(postings)


def _pps_posting(accrual: Accrual, paid_sat: int, time_ms: int) -> Posting:
    """The reserve pays for the shares of a period. What it keeps of their price is the fee."""
    amounts_sat = {PPS_RESERVE: paid_sat, available(accrual.account): -paid_sat}
    return posting(f"pps:{accrual.account}:{accrual.period_ms}", "pps", accrual.account, time_ms, amounts_sat)
