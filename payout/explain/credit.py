"""A credit of a block, step by step: which block, its window, the account's units, the exact part, rounding and fee."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from msgspec import Struct

from payout.accounts import Scheme, Stake
from payout.contracts import Contract
from payout.crediting import is_bought, window_of
from payout.explain.rows import ShownRow, lines, shown
from payout.instants import format_instant
from payout.ledger import Row
from payout.maturity import SPENDABLE_CONFIRMATIONS, State
from payout.ports import BookedBlock
from payout.rewards import BPS, Credit, Startup, window_capacity
from payout.slices import divide_slice
from pool.bitcoin.amount import format_btc

SCHEMES = {
    Scheme.PPLNS: "PPLNS: shares are paid by the blocks of the window they are in",
    Scheme.PPS: "PPS: the reserve paid for these shares when they came, so their part of the block is the reserve's",
    Scheme.FPPS: "FPPS: the reserve paid for these shares when they came, so their part of the block is the reserve's",
    Scheme.PPS_PLUS: "PPS+: the reserve paid the subsidy of these shares when they came and has that part of the block;"
    " the transaction fees are the account's",
    Scheme.SOLO: "SOLO: the finder takes the whole block less the fee",
}


class Edge(Struct, frozen=True):
    """A share at an end of the window. counted: how many of its units are in it."""

    share: str
    units: str
    counted: str


class Part(Struct, frozen=True):
    """What one stake has of the block. Numbers beyond 2^53 are text.

    exact: its part of what is shared, as a fraction. floor_sat: rounded down. rest: the remainder, of all_units; rank:
    its place among all remainders, from 1; extra_sat: what it got of the satoshis that rounding left over; others_sat:
    what the contract of its slice gives others.
    """

    slice_id: int
    scheme: str
    fee_bps: int
    units: str
    exact: str
    floor_sat: int
    rest: str
    rank: int
    extra_sat: int
    gross_sat: int
    fee_sat: int
    bought_sat: int
    others_sat: int
    own_sat: int


class Given(Struct, frozen=True):
    """What the contract of a slice of another account gives this one."""

    slice_id: int
    own_sat: int


class CreditExplained(Struct, frozen=True, tag_field="of", tag="block"):
    """An account's credit of a block. capacity, all_units: of the window, in 2^-96 block. shared_sat: what is split by
    units; missing_sat: what rounding down leaves over of it."""

    account: str
    block_hash: str
    height: int
    state: str
    confirmations: int
    found_ms: int
    finder: str
    share: str
    outcome: str
    reward_sat: int
    is_solo: bool
    window_blocks: str
    startup: str
    capacity: str
    all_units: str
    oldest: Edge | None
    newest: Edge | None
    shared_sat: int
    reserve_sat: int
    missing_sat: int
    stakes: int
    parts: tuple[Part, ...]
    given: tuple[Given, ...]
    own_sat: int
    ledger: tuple[ShownRow, ...]


def explain(
    booked: BookedBlock,
    account: str,
    edges: tuple[Edge, Edge] | None,
    confirmations: int,
    contracts: Mapping[int, Contract],
    rows: Sequence[Row],
) -> CreditExplained:
    """The facts of a credit. booked: with a reward. contracts: of its slices. rows: of the ledger, about the block."""
    found, credits = booked.found, booked.credits
    reward_sat = booked.reward_sat or 0
    shared_sat = sum(each.gross_sat for each in credits)
    whole = sum(each.weight for each in credits)
    ranked = sorted(credits, key=lambda each: (-(shared_sat * each.weight % whole), each.key))
    own_sat = [
        divide_slice(each.net_sat, each.key.account, contracts.get(each.key.slice_id)).get(account, 0)
        for each in credits
    ]
    parts = tuple(
        _part(each, shared_sat, whole, ranked.index(each) + 1, sat)
        for each, sat in zip(credits, own_sat, strict=True)
        if each.key.account == account
    )
    given = tuple(
        Given(each.key.slice_id, sat)
        for each, sat in zip(credits, own_sat, strict=True)
        if sat and each.key.account != account
    )
    finder = f"{found.finder}.{found.worker}" if found.worker else found.finder
    return CreditExplained(
        account=account,
        block_hash=booked.life.hash_hex,
        height=found.height,
        state=booked.life.state.value,
        confirmations=confirmations,
        found_ms=found.found_ms,
        finder=finder,
        share=f"{found.frontend}:{found.seq}",
        outcome=found.outcome,
        reward_sat=reward_sat,
        is_solo=found.taker is not None,
        window_blocks=found.window_x,
        startup=found.startup,
        capacity=str(window_capacity(Fraction(found.window_x))),
        all_units=str(whole),
        oldest=edges[0] if edges else None,
        newest=edges[1] if edges else None,
        shared_sat=shared_sat,
        reserve_sat=booked.reserve_sat,
        missing_sat=shared_sat - sum(shared_sat * each.weight // whole for each in credits),
        stakes=len(credits),
        parts=parts,
        given=given,
        own_sat=sum(own_sat),
        ledger=shown(rows, account),
    )


def words(credit: CreditExplained) -> Iterator[str]:
    """The same for people."""
    yield f"Credit of account {credit.account} from block {credit.height}"
    yield ""
    yield f"1. The block: {credit.block_hash}"
    yield f"   found {format_instant(credit.found_ms)} by {credit.finder}, share {credit.share} ({credit.outcome})"
    yield f"   {_state(credit)}"
    yield f"   Its coinbase pays the pool {credit.reward_sat:,} sat = {format_btc(credit.reward_sat)} BTC."
    yield from _window(credit)
    number = 3
    for part in credit.parts:
        yield from _part_words(credit, part, number)
        number += 1
    for each in credit.given:
        yield f"{number}. By the contract of slice {each.slice_id}, which is another account's: {each.own_sat:,} sat."
        number += 1
    if not credit.parts and not credit.given:
        why = "it did not find it" if credit.is_solo else "no share of it is in the window"
        yield f"{number}. {credit.account} has no part of this block: {why}."
        number += 1
    yield f"{number}. Together {credit.own_sat:,} sat for {credit.account}."
    yield ""
    yield from lines(credit.ledger)
    yield ""
    yield f"All shares of the window, to reckon it again: steppe export block {credit.block_hash} --out DIR"


def _part(each: Credit[Stake], shared_sat: int, whole: int, rank: int, own_sat: int) -> Part:
    floor_sat, rest = divmod(shared_sat * each.weight, whole)
    return Part(
        each.key.slice_id,
        each.key.scheme.value,
        each.key.fee_bps,
        str(each.weight),
        f"{shared_sat * each.weight}/{whole}",
        floor_sat,
        str(rest),
        rank,
        each.gross_sat - floor_sat,
        each.gross_sat,
        each.fee_sat,
        each.bought_sat,
        each.net_sat - own_sat,
        own_sat,
    )


def _state(credit: CreditExplained) -> str:
    match State(credit.state):
        case State.IMMATURE:
            left = SPENDABLE_CONFIRMATIONS - credit.confirmations
            return (
                f"It is immature, with {credit.confirmations} confirmations: in {left} blocks, with "
                f"{SPENDABLE_CONFIRMATIONS}, the credit becomes available; should the block go, so does the credit."
            )
        case State.MATURE:
            return f"It is mature ({credit.confirmations} confirmations): the credit is available or was paid out."
        case State.ORPHANED:
            return (
                "It was reversed: another block is in the chain at its height, 6 deep. The shares stay in the window."
            )
        case other:
            return f"It is {other.value}: it was not in the chain."


def _window(credit: CreditExplained) -> Iterator[str]:
    if credit.is_solo:
        yield f"2. Its finder, {credit.finder}, is on SOLO: the whole block is the finder's, and no window is split."
        return
    size = f"{int(credit.capacity):,} units (2^96 a block)"
    yield f"2. The window: {credit.window_blocks} blocks' worth of shares = {size}."
    if credit.oldest is None or credit.newest is None:
        yield "   It holds no share."
    else:
        partly = credit.oldest.counted != credit.oldest.units
        cut = f", of which {int(credit.oldest.counted):,} units count" if partly else ""
        yield f"   From share {credit.oldest.share} ({int(credit.oldest.units):,} units{cut})"
        yield f"   to share {credit.newest.share} ({int(credit.newest.units):,} units)."
    yield f"   All in it: {int(credit.all_units):,} units of {credit.stakes} stakes (account, slice, scheme and fee)."
    if int(credit.all_units) < int(credit.capacity):
        kept = (
            f"the rest, {credit.reserve_sat:,} sat, is kept (equity:pplns_startup)"
            if credit.startup == Startup.RESERVE.value
            else "the whole reward is shared among those there are"
        )
        yield f"   It is not full yet; by the policy {credit.startup!r} {kept}."
    yield f"   Shared by units: {credit.shared_sat:,} sat."


def _part_words(credit: CreditExplained, part: Part, number: int) -> Iterator[str]:
    slice_ = f", slice {part.slice_id}" if part.slice_id else ""
    units, whole = int(part.units), int(credit.all_units)
    yield f"{number}. The part of {credit.account}{slice_}; fee {_percent(part.fee_bps)}"
    yield f"   {SCHEMES[Scheme(part.scheme)]}"
    yield f"   units {units:,} of {whole:,} = {_decimal(units, whole, 12)}"
    yield f"   exactly {credit.shared_sat} * {units} / {whole}"
    yield f"   = {_decimal(credit.shared_sat * units, whole, 6)} sat; rounded down {part.floor_sat:,} sat"
    yield (
        f"   Rounding down leaves {credit.missing_sat} sat over, one each for the largest remainders. This is number "
        f"{part.rank} of {credit.stakes}: {'one more' if part.extra_sat else 'none'}. Gross {part.gross_sat:,} sat."
    )
    if part.bought_sat:
        yield f"   To the reserve, which has bought the shares: {part.bought_sat:,} sat."
    elif not is_bought_scheme(part.scheme):
        exact = _decimal(part.gross_sat * part.fee_bps, BPS, 4)
        yield f"   Fee {part.gross_sat:,} * {part.fee_bps} / {BPS} = {exact}, rounded down {part.fee_sat:,} sat."
    if part.others_sat:
        yield f"   By the contract of slice {part.slice_id} others have {part.others_sat:,} sat of that."
    yield f"   The account's own: {part.own_sat:,} sat."


def is_bought_scheme(scheme: str) -> bool:
    """Whether the reserve pays for shares under a scheme."""
    return is_bought(Stake("", 0, Scheme(scheme), 0))


def edge(frontend: str, seq: int, units: int, counted: int) -> Edge:
    """A share at an end of a window."""
    return Edge(f"{frontend}:{seq}", str(units), str(counted))


def stretch_of(booked: BookedBlock) -> tuple[int, int]:
    """The stretch of the line of score that a block pays."""
    return window_of(booked.found)


def _decimal(numerator: int, denominator: int, digits: int) -> str:
    """A fraction in decimals, cut off and marked so where it goes on."""
    if not denominator:
        return "0"
    whole, rest = divmod(numerator, denominator)
    shifted, left = divmod(rest * int("1" + "0" * digits), denominator)
    return f"{whole:,}.{shifted:0{digits}}{'...' if left else ''}"


def _percent(bps: int) -> str:
    return f"{bps // 100}.{bps % 100:02} %"
