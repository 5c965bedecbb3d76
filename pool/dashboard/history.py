"""The pool's hashrate over time as a chart needs it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from pool.dashboard.readings import Reading, unavailable
from pool.stats.history import Point, Rings, points

SPANS = {"1h": (60, 60), "24h": (300, 288), "7d": (1_800, 336), "30d": (7_200, 360)}
"""Seconds of a step and how many; no chart shows more than some 350 on a screen."""


class HistoryPoint(Struct, frozen=True):
    """One step. hps: hashes per second from its accepted shares. error: one standard deviation relative to hps; None
    without a share."""

    start_ms: int
    hps: float
    error: float | None
    accepted: int
    rejected: int


class History(Struct, frozen=True):
    """The answer of /api/v1/history: steps without a gap, the oldest first, from the first share on. Of the last one
    only what is over counts."""

    span: str
    step_seconds: int
    cells: tuple[HistoryPoint, ...]
    unavailable: Mapping[str, str]


def history_of(rings: Reading[Rings], span: str) -> History:
    """The steps of one of SPANS."""
    step_seconds, count = SPANS[span]
    found = points(rings.value, step_seconds, count) if rings.value is not None else ()
    return History(span, step_seconds, tuple(_point(each) for each in found), unavailable(redis=rings))


def _point(point: Point) -> HistoryPoint:
    return HistoryPoint(point.start_s * 1000, point.hps, point.error, point.accepted, point.rejected)
