"""How many shares were refused, how many of them because they came too late, and how surely that is known."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from math import isqrt

from msgspec import Struct

from pool.reports.facts import Counted, Span

STALE = "stale"
_BPS = 10_000


class Rate(Struct, frozen=True):
    """How many of all shares, in basis points, to the nearest. error_bps: one standard deviation of what the true rate
    may be after so many shares, rounded up."""

    shares: int
    bps: int
    error_bps: int


class Rejects(Struct, frozen=True):
    """Shares of a time. reasons: of the refused ones, the most frequent first. stale: of them those that came too late.
    The rates are None without a share."""

    accepted: int
    refused: int
    reasons: dict[str, int]
    refused_rate: Rate | None
    stale_rate: Rate | None


def rejects(counted: Iterable[Counted], slices: Collection[int], span: Span) -> Rejects:
    """Of some slices. What was counted together counts where that began."""
    accepted = 0
    reasons: dict[str, int] = {}
    for each in counted:
        if each.slice_id in slices and span.from_ms <= each.from_ms < span.to_ms:
            accepted += each.accepted
            for reason, shares in each.refused.items():
                reasons[reason] = reasons.get(reason, 0) + shares
    refused = sum(reasons.values())
    every = accepted + refused
    return Rejects(
        accepted,
        refused,
        dict(sorted(reasons.items(), key=lambda each: (-each[1], each[0]))),
        rate(refused, every),
        rate(reasons.get(STALE, 0), every),
    )


def rate(shares: int, every: int) -> Rate | None:
    """Some of all.

    The error is the standard deviation of Beta(k + 1, n - k + 1), which is never 0: that none of ten shares was refused
    says little. None of no shares.
    """
    if not every:
        return None
    square = (shares + 1) * (every - shares + 1) * _BPS**2
    whole = (every + 2) ** 2 * (every + 3)
    error_bps = isqrt(-(-square // whole) - 1) + 1
    return Rate(shares, (2 * shares * _BPS + every) // (2 * every), error_bps)
