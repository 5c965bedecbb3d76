"""Shares into the books: what batches of journal records mean, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate

from msgspec import Struct
from msgspec.structs import replace

from payout.accounts import Account, AccountRefused, Scheme, Stake, plan_at
from payout.ledger import PPS_RESERVE, LedgerError, Posting, available, posting
from payout.order import OrderedShares, Worths
from payout.ports import Accrual, Batch, Books, FoundBlock
from payout.pps import settle
from payout.rewards import Startup
from payout.scoring import price_of, work_of
from pool.ports import ShareBatch
from pool.work.runs import BlockShare, Payload, ReadBatch, RunOfShares, read_shares
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
    """A batch of which something is new. first: number of the first new record."""

    batch: ShareBatch
    first: int


class _Meaning(Struct):
    """What fresh batches come to, before it is written. taken: what became of each. period_ms: after the last."""

    stored: list[Batch]
    taken: list[Taken]
    earned_psat: dict[tuple[str, int], int]
    period_ms: int


def take(books: Books, batches: Sequence[ShareBatch], rules: Rules) -> list[Taken]:
    """Put into the books what is new of batches, as if one came after the other; what became of each.

    Records at or below the journal's high-water mark are skipped; a batch that begins above the next one is refused.
    Raises LedgerError for records that cannot be read or scored: nobody may guess what they were worth.
    """
    marks: dict[str, int] = {}
    taken: list[Taken] = []
    fresh: dict[int, _Fresh] = {}  # by the place of the batch
    for place, batch in enumerate(batches):
        mark = marks.get(batch.frontend)
        if mark is None:
            mark = books.shares.high_water(batch.frontend)
        gap = batch.first_seq > mark + 1
        if not gap and batch.last_seq > mark:
            fresh[place] = _Fresh(batch, mark + 1 - batch.first_seq)
            mark = batch.last_seq
        marks[batch.frontend] = mark
        taken.append(Taken(batch.frontend, mark, gap))
    if fresh:
        meaning = _mean(books, list(fresh.values()), rules)
        for place, each in zip(fresh, _write(books, meaning, rules), strict=True):
            taken[place] = each
    return taken


def _write(books: Books, meaning: _Meaning, rules: Rules) -> list[Taken]:
    books.shares.append(meaning.stored)
    books.accruals.add(meaning.earned_psat)
    settled = 0
    if meaning.period_ms > books.accruals.period_ms():
        settled = _settle(books, meaning.period_ms, rules.settle_period_ms)
        books.accruals.open_period(meaning.period_ms)
    for frontend, seq in {each.frontend: each.last_seq for each in meaning.stored}.items():
        books.shares.advance(frontend, seq)
    taken = [replace(each, blocks=tuple(filter(books.blocks.add, each.blocks))) for each in meaning.taken]
    return [*taken[:-1], replace(taken[-1], settled=settled)]


def _mean(books: Books, fresh: Sequence[_Fresh], rules: Rules) -> _Meaning:
    began_ms = books.accruals.period_ms()
    runs, read = _read(fresh, began_ms, rules)
    accounts = _accounts(books, runs, rules)
    if bounds_ms := _changes_of_plan(runs, accounts):
        runs, read = _read(fresh, began_ms, rules, bounds_ms)
    worths, earned_psat = _weigh(runs, accounts, rules)
    stored: list[Batch] = []
    taken: list[Taken] = []
    end = books.shares.end()
    blocks_found = any(found.blocks for found in read)
    for each, found in zip(fresh, read, strict=True):
        batch = each.batch
        stretches = [(batch.first_seq + number, length) for number, length in found.stretches]
        shares = OrderedShares(worths, found.parts, found.counts, found.picks, stretches)
        blocks = tuple(_found(batch, found.blocks, shares, end, rules))
        new_seq = batch.first_seq + each.first
        stored.append(Batch(batch.frontend, new_seq, batch.last_seq, found.time_ms, shares))
        records = batch.count - each.first
        taken.append(Taken(batch.frontend, batch.last_seq, False, records, shares.count, blocks))
        if blocks_found:  # else nobody asks where the line is
            end += shares.units()
    return _Meaning(stored, taken, earned_psat, read[-1].period_ms)


def _read(
    fresh: Iterable[_Fresh], began_ms: int, rules: Rules, bounds_ms: Sequence[int] = ()
) -> tuple[list[RunOfShares], list[ReadBatch]]:
    payloads = [Payload(each.batch.payload, each.batch.count, each.first) for each in fresh]
    try:
        # Periods end by what the journals say, never by our clock, so that a replay settles the same. Jobs count too:
        # they come while no share does. A share that is late counts in the current period, as the others are settled.
        return read_shares(payloads, began_ms, rules.settle_period_ms, bounds_ms)
    except ValueError as error:
        named = [f"{each.batch.first_seq} to {each.batch.last_seq} of journal {each.batch.frontend}" for each in fresh]
        raise LedgerError(f"records {', '.join(named)} cannot be read: {error}") from error


def _accounts(books: Books, runs: Iterable[RunOfShares], rules: Rules) -> Mapping[str, Account]:
    first_seen_ms: dict[str, int] = {}
    for run in runs:
        first_seen_ms.setdefault(run.account, run.time_ms)
    try:
        return books.accounts.resolve(first_seen_ms, rules.default_scheme, rules.default_fee_bps)
    except AccountRefused as error:
        raise LedgerError(f"a share was accepted that nobody can be paid for: {error}") from error


def _changes_of_plan(runs: Iterable[RunOfShares], accounts: Mapping[str, Account]) -> list[int]:
    """The times at which runs must be cut, so that each lies within one plan."""
    bounds_ms = {
        plan.valid_from_ms
        for run in runs
        for plan in accounts[run.account].plans[1:]
        if run.oldest_ms < plan.valid_from_ms <= run.newest_ms
    }
    return sorted(bounds_ms)


def _weigh(
    runs: Iterable[RunOfShares], accounts: Mapping[str, Account], rules: Rules
) -> tuple[Worths[Stake], dict[tuple[str, int], int]]:
    """What a share of each run is worth, and what they earned per share by account and period."""
    stakes: list[Stake] = []
    units: list[int] = []
    earned_psat: dict[tuple[str, int], int] = {}
    for run in runs:
        plan = plan_at(accounts[run.account].plans, run.time_ms)
        work = work_of(run)
        stakes.append(Stake(run.account, run.slice_id, plan.scheme, plan.fee_bps))
        units.append(work.units)
        if plan.scheme is Scheme.PPS:
            price_psat = price_of(work, rules.subsidy_sat(run.height), plan.fee_bps)
            place = run.account, run.period_ms
            earned_psat[place] = earned_psat.get(place, 0) + price_psat * run.shares
    return Worths.of(stakes, units), earned_psat


def _found(
    batch: ShareBatch, blocks: Sequence[BlockShare], shares: OrderedShares[Stake], end: int, rules: Rules
) -> Iterator[FoundBlock]:
    """The candidates. The window of each ends at its share's place in the order, also if that earns nothing."""
    if not blocks:
        return
    ends = list(accumulate((units for _, units in shares.in_order()), initial=end))
    for block in blocks:
        yield FoundBlock(
            block_hash=block.block_hash,
            height=block.height,
            found_ms=block.time_ms,
            finder=block.account,
            worker=block.worker,
            frontend=batch.frontend,
            seq=batch.first_seq + block.number,
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
