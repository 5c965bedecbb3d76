"""Shares into the books: what a batch of journal records means, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

from msgspec import Struct

from payout.accounts import Account, AccountRefused, Scheme, Stake, plan_at
from payout.ledger import PPS_RESERVE, LedgerError, Posting, available, posting
from payout.order import OrderedShare
from payout.ports import Accrual, Books, FoundBlock
from payout.pps import settle
from payout.rewards import Startup
from payout.scoring import price_of, records_of, work_of
from pool.ports import Record, ShareBatch
from pool.work.share import Outcome, Share


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
    was not taken. records, accepted: how many were new. blocks: new candidates. settled: postings of pay per share.
    """

    frontend: str
    high_water: int
    gap: bool = False
    records: int = 0
    accepted: int = 0
    blocks: tuple[FoundBlock, ...] = ()
    settled: int = 0


class _Meaning(Struct):
    """What a run of records comes to, before it is written."""

    end: int
    period_ms: int
    shares: list[OrderedShare[Stake]]
    earned_psat: dict[tuple[str, int], int]
    blocks: list[FoundBlock]


def take(books: Books, batch: ShareBatch, rules: Rules) -> Taken:
    """Put into the books what is new of a batch.

    Records at or below the journal's high-water mark are skipped; a batch that begins above the next one is refused.
    Raises LedgerError for records that cannot be read or scored: nobody may guess what they were worth.
    """
    known = books.shares.high_water(batch.frontend)
    if batch.first_seq > known + 1:
        return Taken(batch.frontend, known, gap=True)
    if batch.last_seq <= known:
        return Taken(batch.frontend, known)
    fresh = records_of(batch)[known + 1 - batch.first_seq :]
    settled_until_ms = books.accruals.period_ms()
    meaning = _Meaning(books.shares.end(), settled_until_ms, [], {}, [])
    _read(meaning, fresh, known + 1, batch.frontend, _accounts(books, fresh, rules), rules)

    if meaning.shares:
        books.shares.append(batch.frontend, fresh[-1].time_ms, meaning.shares)
    books.accruals.add(meaning.earned_psat)
    settled = 0
    if meaning.period_ms > settled_until_ms:
        settled = _settle(books, meaning.period_ms, rules.settle_period_ms)
        books.accruals.open_period(meaning.period_ms)
    found = tuple(block for block in meaning.blocks if books.blocks.add(block))
    books.shares.advance(batch.frontend, batch.last_seq)
    return Taken(batch.frontend, batch.last_seq, False, len(fresh), len(meaning.shares), found, settled)


def _accounts(books: Books, records: Iterable[Record], rules: Rules) -> Mapping[str, Account]:
    first_seen_ms: dict[str, int] = {}
    for record in records:
        if isinstance(record, Share) and record.outcome is Outcome.ACCEPTED:
            first_seen_ms.setdefault(record.account, record.time_ms)
    try:
        return books.accounts.resolve(first_seen_ms, rules.default_scheme, rules.default_fee_bps)
    except AccountRefused as error:
        raise LedgerError(f"a share was accepted that nobody can be paid for: {error}") from error


def _read(
    meaning: _Meaning,
    records: Sequence[Record],
    first_seq: int,
    frontend: str,
    accounts: Mapping[str, Account],
    rules: Rules,
) -> None:
    for seq, record in enumerate(records, first_seq):
        # Periods end by what the journals say, never by our clock, so that a replay settles the same. Jobs count too:
        # they come while no share does. A share that is late counts in the current period, as the others are settled.
        meaning.period_ms = max(meaning.period_ms, record.time_ms - record.time_ms % rules.settle_period_ms)
        if not isinstance(record, Share):
            continue
        if record.outcome is Outcome.ACCEPTED:
            _accept(meaning, record, seq, accounts[record.account], rules)
        if record.block_hash is not None:
            meaning.blocks.append(_found(record, record.block_hash, frontend, seq, meaning.end, rules))


def _accept(meaning: _Meaning, share: Share, seq: int, account: Account, rules: Rules) -> None:
    plan = plan_at(account.plans, share.time_ms)
    work = work_of(share)
    units = work.units
    stake = Stake(account.name, share.slice_id or 0, plan.scheme, plan.fee_bps)
    meaning.shares.append(OrderedShare(seq, stake, units))
    meaning.end += units
    if plan.scheme is Scheme.PPS:
        earned_psat = price_of(work, rules.subsidy_sat(share.height), plan.fee_bps)
        place = account.name, meaning.period_ms
        meaning.earned_psat[place] = meaning.earned_psat.get(place, 0) + earned_psat


def _found(share: Share, block_hash: bytes, frontend: str, seq: int, end: int, rules: Rules) -> FoundBlock:
    """A candidate. Its window ends at its share's place in the order, also if the share itself earns nothing."""
    return FoundBlock(
        block_hash=block_hash,
        height=share.height,
        found_ms=share.time_ms,
        finder=share.account,
        worker=share.worker,
        frontend=frontend,
        seq=seq,
        outcome=share.outcome.name.lower(),
        end=end,
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
