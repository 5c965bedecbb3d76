"""What FPPS added for a day, step by step: the network's blocks, their rate, the account's base, the carry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from payout.explain.rows import ShownRow, booked_sat, lines, shown
from payout.ledger import Row
from payout.ports import FeeDay
from payout.pps import PSAT, TRIM, fee_rate_of, less_fee, settle


class Base(Struct, frozen=True):
    """What shares of the day earned before the pool's fee, and what the fees of the network add, less the pool's fee.
    In picosatoshi, as text."""

    fee_bps: int
    base_psat: str
    bonus_psat: str


class FeeDayExplained(Struct, frozen=True, tag_field="of", tag="day"):
    """A day of an account under FPPS. blocks, used: of the network, and those that count. fees_sat, subsidy_sat: of
    these, together."""

    account: str
    day: str
    blocks: int
    used: int
    fees_sat: int
    subsidy_sat: int
    bases: tuple[Base, ...]
    carry_before_psat: str
    posted_sat: int
    carry_after_psat: str
    ledger: tuple[ShownRow, ...]


def bonus_psat(day: FeeDay, bases: Sequence[tuple[int, int]]) -> int:
    """What a day adds to bases of (fee in basis points, picosatoshi)."""
    return sum(int(each.bonus_psat) for each in _bases(day, bases))


def explain(
    account: str, name: str, day: FeeDay, bases: Sequence[tuple[int, int]], before_psat: int, rows: Sequence[Row]
) -> FeeDayExplained:
    """The facts. name: of the day; bases: as (fee in basis points, picosatoshi); before_psat: what all days before it
    added."""
    rate = fee_rate_of(day.blocks)
    carry_psat = before_psat % PSAT
    posted_sat, left_psat = settle(carry_psat + bonus_psat(day, bases))
    return FeeDayExplained(
        account,
        name,
        len(day.blocks),
        len(rate.heights),
        rate.fees_sat,
        rate.subsidy_sat,
        _bases(day, bases),
        str(carry_psat),
        posted_sat,
        str(left_psat),
        shown(rows, account),
    )


def words(found: FeeDayExplained) -> Iterator[str]:
    """The same for people."""
    yield f"Transaction fees of {found.day} (UTC) for account {found.account}, under FPPS"
    yield ""
    yield f"1. Of the network's {found.blocks} blocks of the day {found.used} count ({TRIM} at each end do not):"
    yield f"   their fees are {found.fees_sat:,} sat, their subsidies {found.subsidy_sat:,} sat."
    yield "2. On what shares of the day earned before the fee comes (that) * fees / subsidies, less the fee:"
    for base in found.bases:
        yield f"   {_sat(base.base_psat)} sat, fee {base.fee_bps} basis points: adds {_sat(base.bonus_psat)} sat"
    yield f"3. Carried from the days before: {_sat(found.carry_before_psat)} sat."
    yield f"4. Whole satoshis, posted as available: {found.posted_sat:,} sat."
    if others_sat := found.posted_sat - booked_sat(found.ledger, found.account):
        yield f"   By the contracts of its slices others have {others_sat:,} sat of that."
    yield f"5. Carried on: {_sat(found.carry_after_psat)} sat."
    yield ""
    yield from lines(found.ledger)


def _bases(day: FeeDay, bases: Sequence[tuple[int, int]]) -> tuple[Base, ...]:
    rate = fee_rate_of(day.blocks)
    return tuple(
        Base(fee_bps, str(base_psat), str(less_fee(rate.bonus_psat(base_psat), fee_bps)))
        for fee_bps, base_psat in bases
    )


def _sat(psat_text: str) -> str:
    sat, psat = divmod(int(psat_text), PSAT)
    return f"{sat:,}.{psat:012}"
