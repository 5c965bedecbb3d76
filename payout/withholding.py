"""Do blocks go missing? The Poisson test for withheld blocks and broken machines."""

from __future__ import annotations

import decimal
from fractions import Fraction

from msgspec import Struct

_DIGITS = 60


class Suspicion(Struct, frozen=True):
    """How likely at most so many blocks are by luck alone, and whether that calls for a person."""

    probability: decimal.Decimal
    flagged: bool


def judge_luck(expected_blocks: Fraction, found: int, alpha: Fraction, groups: int = 1) -> Suspicion:
    """The probability of at most `found` blocks where `expected_blocks` were to be expected.

    The sum of e^-L L^i / i! for i up to `found`; flagged below alpha / groups (Bonferroni), groups being how many are
    tested. Testing again and again inflates false alarms: test at fixed expectations. Source: docs/payouts.md 5.1.
    """
    if expected_blocks < 0 or found < 0 or groups < 1 or not 0 < alpha <= 1:
        raise ValueError(f"no test for {found} blocks of {expected_blocks} at {alpha} over {groups} groups")
    with decimal.localcontext(decimal.Context(prec=_DIGITS, Emin=decimal.MIN_EMIN, Emax=decimal.MAX_EMAX)) as context:
        mean = context.divide(decimal.Decimal(expected_blocks.numerator), decimal.Decimal(expected_blocks.denominator))
        term = total = (-mean).exp()
        for blocks in range(1, found + 1):
            term = context.divide(term * mean, decimal.Decimal(blocks))
            total += term
        bound = context.divide(decimal.Decimal(alpha.numerator), decimal.Decimal(alpha.denominator * groups))
        return Suspicion(min(total, decimal.Decimal(1)), total < bound)
