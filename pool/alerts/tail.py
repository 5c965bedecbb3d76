"""How likely so few, or so many, shares are."""

from __future__ import annotations

import math

_TERM_MIN = 1e-17
"""Of the first term: what is smaller changes nothing of the sum."""


def at_most(count: int, mean: float) -> float:
    """P(X <= count) for a Poisson variable, to a relative error of some 1e-9 where count < mean; else an upper bound,
    1, is good enough for who looks for the improbable."""
    if count >= mean:
        return 1.0
    if count < 0:
        return 0.0
    # From the largest term down: P(X = k - 1) = P(X = k) * k / mean.
    first = math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
    total = term = 1.0
    for number in range(count, 0, -1):
        term *= number / mean
        total += term
        if term < _TERM_MIN:
            break
    return min(1.0, first * total)


def at_least(count: int, mean: float) -> float:
    """P(X >= count), likewise; 1 where count <= mean."""
    if count <= mean:
        return 1.0
    first = math.exp(count * math.log(mean) - mean - math.lgamma(count + 1)) if mean > 0 else 0.0
    total, term, number = 1.0, 1.0, count
    while term > _TERM_MIN:
        number += 1
        term *= mean / number
        total += term
    return min(1.0, first * total)
