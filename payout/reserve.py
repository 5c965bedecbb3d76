"""How much a pool must hold to pay per share."""

from __future__ import annotations

import decimal
from fractions import Fraction

from payout.rewards import BPS

_GUARD_DIGITS = 60  # docs/payouts.md 1.8 asks for 50; the result of a logarithm is irrational, so no rounding is a tie


def pps_reserve_sat(block_sat: int, margin_bps: int, ruin: Fraction) -> int:
    """The reserve at which pay per share fails with probability `ruin`: B ln(1/ruin) / (2 f), rounded up.

    margin_bps: the effective margin f, which is the fee less orphans, withheld blocks and unpaid credit. Raises
    ValueError for a margin of 0 or less: then ruin is certain whatever the reserve. Source: docs/payouts.md 1.8;
    Rosenfeld, arXiv:1112.4980, appendix C.
    """
    if block_sat < 0:
        raise ValueError(f"a block of {block_sat} satoshi")
    if margin_bps <= 0:
        raise ValueError(f"with a margin of {margin_bps} basis points ruin is certain, whatever the reserve")
    if not 0 < ruin <= 1:
        raise ValueError(f"{ruin} is no probability of ruin: it must be above 0 and at most 1")
    digits = _GUARD_DIGITS + len(str(block_sat)) + len(str(ruin.denominator))
    context = decimal.Context(prec=digits, rounding=decimal.ROUND_HALF_EVEN, Emax=decimal.MAX_EMAX)
    with decimal.localcontext(context):
        # ln(q/p) as a difference keeps every digit of p and q, whatever their size.
        log = decimal.Decimal(ruin.denominator).ln() - decimal.Decimal(ruin.numerator).ln()
        numerator, denominator = (log * block_sat * BPS).as_integer_ratio()
    return -(-numerator // (denominator * 2 * margin_bps))
