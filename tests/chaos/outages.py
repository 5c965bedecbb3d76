"""How long the miners were without the pool, by what was done to it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from tests.chaos.memory import Absence


class Injected(Struct, frozen=True):
    """A fault that was injected: from the first blow until what does not mend itself was mended. Monotonic seconds."""

    name: str
    began: float
    ended: float


class Outage(Struct, frozen=True):
    """Of one kind of fault. silent_seconds: for how long no miner at all heard `true`; the median and the longest.
    away_seconds: the longest time that a single miner had no session; away: how many lost theirs, of all its faults."""

    name: str
    count: int
    silent_seconds: float
    silent_seconds_max: float
    away: int
    away_seconds_max: float


def outages(
    injected: Sequence[Injected], acknowledged_at: Sequence[float], absences: Sequence[Absence], end: float
) -> list[Outage]:
    """One for each kind, by name. What happened is laid to the fault before it, until the next one."""
    silences: dict[str, list[float]] = {}
    absent: dict[str, list[float]] = {}
    for number, fault in enumerate(injected):
        until = injected[number + 1].began if number + 1 < len(injected) else end
        silences.setdefault(fault.name, []).append(_silence(fault.began, until, acknowledged_at))
        absent.setdefault(fault.name, []).extend(
            absence.until - absence.since for absence in absences if fault.began <= absence.since < until
        )
    return [
        Outage(
            name=name,
            count=len(found),
            silent_seconds=sorted(found)[len(found) // 2],
            silent_seconds_max=max(found),
            away=len(absent[name]),
            away_seconds_max=max(absent[name], default=0.0),
        )
        for name, found in sorted(silences.items())
    ]


def _silence(since: float, until: float, acknowledged_at: Sequence[float]) -> float:
    """The longest time without an answer in this stretch."""
    inside = acknowledged_at[bisect_left(acknowledged_at, since) : bisect_right(acknowledged_at, until)]
    return max(later - earlier for earlier, later in pairwise([since, *inside, until]))
