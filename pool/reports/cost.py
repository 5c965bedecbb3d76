"""What machines would have earned while they were dark: docs/payouts.md 4.6, and the vector P21."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import zip_longest

from msgspec import Struct

from pool.fleet.times import utc
from pool.reports.facts import Epoch, ReportRefused, Span

_GIGA = 10**9
_SECOND_MS = 1000


class Missing(Struct, frozen=True):
    """Hashrate that was not there for a time."""

    ghs: Fraction
    span: Span


def cost_sat(missing: Iterable[Missing], epochs: Sequence[Epoch]) -> int:
    """`nominal_hps * seconds * B // W`, of each difficulty and subsidy all at once.

    epochs: in their order. Raises ReportRefused for a time before the first, of which nobody knows what a hash was
    worth.
    """
    each = list(missing)
    earliest_ms = min((one.span.from_ms for one in each if one.span.ms), default=None)
    if earliest_ms is None:
        return 0
    if not epochs or epochs[0].from_ms > earliest_ms:
        since = f"only from {utc(epochs[0].from_ms)} on" if epochs else "for no time: no share is in them"
        raise ReportRefused(
            f"what a hash was worth at {utc(earliest_ms)} is not in the books, {since}; begin the report later"
        )
    total_sat = 0
    for epoch, after in zip_longest(epochs, epochs[1:]):
        ends_ms = None if after is None else after.from_ms
        hashes = sum((one.ghs * one.span.within(epoch.from_ms, ends_ms).ms for one in each), Fraction(0))
        hashes *= Fraction(_GIGA, _SECOND_MS)
        total_sat += hashes.numerator * epoch.block_sat // (hashes.denominator * epoch.net_work)
    return total_sat
