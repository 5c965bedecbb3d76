"""Shares into the books: what batches of journal records mean, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate

from msgspec import Struct
from msgspec.structs import replace

from payout.accounts import PER_SHARE, Account, AccountRefused, Plan, Scheme, Stake, is_name, plan_at
from payout.activity import Activity, activity_of
from payout.epochs import NetworkEpoch, risen
from payout.fee_days import DAY_MS, day_of
from payout.ledger import PPS_RESERVE, LedgerError, Posting, available, posting
from payout.luck import Group, Kind, Tally, add_to, firmware_of, tally_of
from payout.order import OrderedShares, Worths
from payout.ports import Accrual, Basis, Batch, Books, FoundBlock, SliceEarning, Slices, Stop
from payout.pps import settle
from payout.reserve import Policy, check_joining, scheme_of, standing
from payout.rewards import Startup
from payout.scoring import price_of, work_of
from payout.slices import divide_earned
from pool.ports import ShareBatch
from pool.work.runs import BlockShare, Payload, Read, RunOfShares, Seen, read_shares
from pool.work.share import Outcome


class Rules(Struct, frozen=True):
    """How this pool pays.

    default: the plan of an account that is seen for the first time. settle_period_ms: pay per share moves into the
    ledger once per period. pool_scripts: what the pool's coinbases pay. subsidy_sat: of a height, on the pool's chain.
    fee_hold_sat: a block with more fees is held back until a person has looked; 0: none is.
    """

    window_x: Fraction
    startup: Startup
    default_scheme: Scheme
    default_fee_bps: int
    settle_period_ms: int
    pool_scripts: frozenset[bytes]
    subsidy_sat: Callable[[int], int]
    fee_hold_sat: int = 0
    reserve: Policy = Policy()


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


class _Earned(Struct):
    """What shares earn when they are accepted.

    per_share_psat: by account and period. bases_psat: what FPPS adds fees to, before the pool's fee, by account, day
    and fee. slices_psat: the parts of both that slices have.
    """

    per_share_psat: dict[tuple[str, int], int]
    bases_psat: dict[tuple[str, int, int], int]
    slices_psat: dict[SliceEarning, int]


class _Meaning(Struct):
    """What fresh batches come to, before it is written. taken: what became of each. period_ms: after the last. height:
    of the highest job. epochs: what their shares say of the network. activity: by slice and minute. workers: of
    slices."""

    stored: list[Batch]
    taken: list[Taken]
    earned: _Earned
    luck: dict[Group, Tally]
    period_ms: int
    height: int
    epochs: list[NetworkEpoch]
    activity: dict[tuple[int, int], Activity]
    workers: Sequence[Seen]


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
    books.accruals.add(meaning.earned.per_share_psat)
    books.fee_days.add(meaning.earned.bases_psat)
    books.slices.add(meaning.earned.slices_psat)
    if meaning.height > books.reserve.seen_height():
        books.reserve.see_height(meaning.height)
    books.luck.add(meaning.luck)
    books.epochs.see(meaning.epochs)
    books.activity.add(meaning.activity)
    books.activity.see(meaning.workers)
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
    read = _read(fresh, began_ms, rules)
    accounts = _accounts(books, read, rules)
    if bounds_ms := _bounds(read.runs, accounts):
        read = _read(fresh, began_ms, rules, bounds_ms)
    runs = read.runs
    stops = books.reserve.stops()
    worths, earned = _weigh(runs, accounts, stops, rules)
    stored: list[Batch] = []
    taken: list[Taken] = []
    end = books.shares.end()
    blocks_found = any(found.blocks for found in read.batches)
    for each, found in zip(fresh, read.batches, strict=True):
        batch = each.batch
        stretches = [(batch.first_seq + number, length) for number, length in found.stretches]
        shares = OrderedShares(worths, found.parts, found.counts, found.picks, stretches)
        blocks = tuple(_found(batch, found.blocks, shares, end, rules, accounts))
        new_seq = batch.first_seq + each.first
        stored.append(Batch(batch.frontend, new_seq, batch.last_seq, found.time_ms, shares))
        records = batch.count - each.first
        taken.append(Taken(batch.frontend, batch.last_seq, False, records, shares.count, blocks))
        if blocks_found:  # else nobody asks where the line is
            end += shares.units()
    height = max((run.height for run in runs), default=0)
    epochs = list(risen(runs, books.reserve.seen_height(), rules.subsidy_sat))
    period_ms = read.batches[-1].period_ms
    activity = activity_of(read, worths.stakes)
    return _Meaning(stored, taken, earned, _luck_of(runs), period_ms, height, epochs, activity, read.workers)


def _read(fresh: Iterable[_Fresh], began_ms: int, rules: Rules, bounds_ms: Sequence[int] = ()) -> Read:
    payloads = [Payload(each.batch.payload, each.batch.count, each.first) for each in fresh]
    try:
        # Periods end by what the journals say, never by our clock, so that a replay settles the same. Jobs count too:
        # they come while no share does. A share that is late counts in the current period, as the others are settled.
        return read_shares(payloads, began_ms, rules.settle_period_ms, bounds_ms)
    except ValueError as error:
        named = [f"{each.batch.first_seq} to {each.batch.last_seq} of journal {each.batch.frontend}" for each in fresh]
        raise LedgerError(f"records {', '.join(named)} cannot be read: {error}") from error


def _accounts(books: Books, read: Read, rules: Rules) -> Mapping[str, Account]:
    """The accounts of accepted shares and of blocks, which count whatever their shares are."""
    first_seen_ms: dict[str, int] = {}
    for run in read.runs:
        first_seen_ms.setdefault(run.account, run.time_ms)
    for found in read.batches:
        for block in found.blocks:
            if block.outcome != Outcome.UNAUTHORIZED and is_name(block.account):
                first_seen_ms.setdefault(block.account, block.time_ms)
    try:
        scheme = _default_scheme(books, first_seen_ms, rules)
        return books.accounts.resolve(first_seen_ms, scheme, rules.default_fee_bps)
    except AccountRefused as error:
        raise LedgerError(f"a share was accepted that nobody can be paid for: {error}") from error


def _default_scheme(books: Books, first_seen_ms: Mapping[str, int], rules: Rules) -> Scheme:
    """The scheme of accounts that are new: PPLNS while the reserve takes no account more."""
    if rules.default_scheme not in PER_SHARE:
        return rules.default_scheme
    known = books.accounts.find(first_seen_ms)
    new = [time_ms for name, time_ms in first_seen_ms.items() if name not in known]
    if not new:
        return rules.default_scheme
    plan = Plan(rules.default_scheme, rules.default_fee_bps, max(new))
    try:
        found = standing(books, rules.reserve, rules.subsidy_sat, max(new), joining=plan)
        check_joining(plan, found, is_new=True)
    except AccountRefused:
        return Scheme.PPLNS
    return rules.default_scheme


def _bounds(runs: Iterable[RunOfShares], accounts: Mapping[str, Account]) -> list[int]:
    """The times at which runs must be cut, so that each lies within one plan, and under FPPS within one day."""
    bounds_ms: set[int] = set()
    for run in runs:
        plans = accounts[run.account].plans
        changes = (plan.valid_from_ms for plan in plans[1:])
        bounds_ms.update(change for change in changes if run.oldest_ms < change <= run.newest_ms)
        if any(plan.scheme is Scheme.FPPS for plan in plans):
            bounds_ms.update(range(day_of(run.oldest_ms) + DAY_MS, run.newest_ms + 1, DAY_MS))
    return sorted(bounds_ms)


def _weigh(
    runs: Iterable[RunOfShares], accounts: Mapping[str, Account], stops: Sequence[Stop], rules: Rules
) -> tuple[Worths[Stake], _Earned]:
    """What a share of each run is worth on the line, and what they earn at once."""
    stakes: list[Stake] = []
    units: list[int] = []
    earned = _Earned({}, {}, {})
    for run in runs:
        plan = plan_at(accounts[run.account].plans, run.time_ms)
        scheme = scheme_of(plan, stops, run.height)
        work = work_of(run)
        stakes.append(Stake(run.account, run.slice_id, scheme, plan.fee_bps))
        # Blocks of SOLO are no part of what the others' shares are paid by, so its shares may not push theirs out.
        units.append(0 if scheme is Scheme.SOLO else work.units)
        if scheme in PER_SHARE:
            price = price_of(work, rules.subsidy_sat(run.height), plan.fee_bps)
            place = run.account, run.period_ms
            earned.per_share_psat[place] = earned.per_share_psat.get(place, 0) + price.net_psat * run.shares
            if run.slice_id:
                of_slice = SliceEarning(Basis.SHARES, *place, run.slice_id)
                earned.slices_psat[of_slice] = earned.slices_psat.get(of_slice, 0) + price.net_psat * run.shares
            if scheme is Scheme.FPPS:
                # A late share counts in the current day, since the days before may be settled.
                day = run.account, day_of(max(run.time_ms, run.period_ms)), plan.fee_bps
                earned.bases_psat[day] = earned.bases_psat.get(day, 0) + price.gross_psat * run.shares
                if run.slice_id:
                    of_slice = SliceEarning(Basis.FEES, *day[:2], run.slice_id, plan.fee_bps)
                    earned.slices_psat[of_slice] = earned.slices_psat.get(of_slice, 0) + price.gross_psat * run.shares
    return Worths.of(stakes, units), earned


def _luck_of(runs: Iterable[RunOfShares]) -> dict[Group, Tally]:
    """What the groups of machines should have found, and what they have."""
    sums: dict[Group, Tally] = {}
    for run in runs:
        if not run.nears:  # recorded by an older version
            continue
        groups = Group(Kind.ACCOUNT, run.account), Group(Kind.FIRMWARE, firmware_of(run.agent))
        add_to(sums, groups, tally_of(work_of(run).units, run.shares, run.nears))
    return sums


def _found(
    batch: ShareBatch,
    blocks: Sequence[BlockShare],
    shares: OrderedShares[Stake],
    end: int,
    rules: Rules,
    accounts: Mapping[str, Account],
) -> Iterator[FoundBlock]:
    """The candidates. The window of each ends at its share's place in the order, also if that earns nothing."""
    if not blocks:
        return
    in_order = list(shares.in_order())
    ends = list(accumulate((units for _, units in in_order), initial=end))
    for block in blocks:
        finder: Stake | None = None
        if block.outcome == Outcome.ACCEPTED:
            finder = in_order[block.accepted - 1][0]
        elif block.outcome != Outcome.UNAUTHORIZED and block.account in accounts:
            plan = plan_at(accounts[block.account].plans, block.time_ms)
            finder = Stake(block.account, 0, plan.scheme, plan.fee_bps)
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
            subsidy_sat=rules.subsidy_sat(block.height),
            taker=finder if finder is not None and finder.scheme is Scheme.SOLO else None,
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
            postings.append(_pps_posting(books.slices, accrual, paid_sat, accrual.period_ms + period_ms))
    books.accruals.settle(settled)
    return books.journal.post(postings)


def _pps_posting(slices: Slices, accrual: Accrual, paid_sat: int, time_ms: int) -> Posting:
    """The reserve pays for the shares of a period. What it keeps of their price is the fee."""
    earned = slices.earned(Basis.SHARES, accrual.account, accrual.period_ms)
    weights = {each.slice_id: psat for each, psat in earned}
    amounts_sat = {PPS_RESERVE: paid_sat}
    parts_sat = divide_earned(slices, accrual.account, weights, accrual.accrued_psat, paid_sat)
    for party, part_sat in parts_sat.items():
        amounts_sat[available(party)] = -part_sat
    return posting(f"pps:{accrual.account}:{accrual.period_ms}", "pps", accrual.account, time_ms, amounts_sat)
