"""A credit of pay per share, step by step: what was earned in the period, what was carried, what was posted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from payout.accounts import Plan
from payout.explain.rows import ShownRow, booked_sat, lines, shown
from payout.instants import format_instant
from payout.ledger import Row
from payout.pps import PSAT, settle


class PerShareExplained(Struct, frozen=True, tag_field="of", tag="period"):
    """What an account earned per share in a period. Amounts in picosatoshi are text: they pass 2^53.

    carry_before_psat: left over of all periods before. plans: in force in it, as (from, scheme, fee in basis points).
    """

    account: str
    period_ms: int
    earned_psat: str
    carry_before_psat: str
    posted_sat: int
    carry_after_psat: str
    is_settled: bool
    plans: tuple[tuple[int, str, int], ...]
    ledger: tuple[ShownRow, ...]


def explain(
    account: str,
    period_ms: int,
    earned_psat: int,
    before_psat: int,
    is_settled: bool,
    plans: Sequence[Plan],
    rows: Sequence[Row],
) -> PerShareExplained:
    """The facts. before_psat: all that was earned in the periods before."""
    carry_psat = before_psat % PSAT
    posted_sat, left_psat = settle(carry_psat + earned_psat)
    return PerShareExplained(
        account,
        period_ms,
        str(earned_psat),
        str(carry_psat),
        posted_sat,
        str(left_psat),
        is_settled,
        tuple((plan.valid_from_ms, plan.scheme.value, plan.fee_bps) for plan in plans),
        shown(rows, account),
    )


def words(credit: PerShareExplained) -> Iterator[str]:
    """The same for people."""
    yield f"Pay per share of account {credit.account}, period from {format_instant(credit.period_ms)}"
    yield ""
    yield "1. Each accepted share earns subsidy * 10^12 * (its work) / (the work of a block) picosatoshi, less the fee:"
    for valid_from_ms, scheme, fee_bps in credit.plans:
        yield f"   scheme {scheme}, fee {fee_bps} basis points, in force from {format_instant(valid_from_ms)}"
    yield f"2. The shares of the period earned {_sat(credit.earned_psat)} sat (of 10^-12 sat each)."
    yield f"3. Carried from the periods before: {_sat(credit.carry_before_psat)} sat."
    if credit.is_settled:
        yield f"4. Whole satoshis, posted as available: {credit.posted_sat:,} sat."
        if others_sat := credit.posted_sat - booked_sat(credit.ledger, credit.account):
            yield f"   By the contracts of its slices others have {others_sat:,} sat of that."
        yield f"5. Carried into the next period: {_sat(credit.carry_after_psat)} sat. Nothing is rounded away."
    else:
        yield f"4. The period is not settled yet; as it is now {credit.posted_sat:,} sat would be posted."
    yield ""
    yield from lines(credit.ledger)


def _sat(psat_text: str) -> str:
    sat, psat = divmod(int(psat_text), PSAT)
    return f"{sat:,}.{psat:012}"
