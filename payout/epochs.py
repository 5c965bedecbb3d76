"""What a hash was worth over time: the network's difficulty and the subsidy, as the shares' own jobs said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from msgspec import Struct

from pool.work.runs import RunOfShares


class NetworkEpoch(Struct, frozen=True):
    """From a height on. from_ms: the first share of it."""

    from_height: int
    from_ms: int
    nbits: int
    subsidy_sat: int


class Epochs(Protocol):
    """Those that are in the books."""

    def see(self, risen: Sequence[NetworkEpoch]) -> None:
        """Keep of heights that rise what differs from the one before."""


def risen(runs: Iterable[RunOfShares], height: int, subsidy_sat: Callable[[int], int]) -> Iterator[NetworkEpoch]:
    """What shares say of each height above all that were seen before: `height`, and those of earlier shares.

    So it depends on the order of the shares alone, and not on how they came in batches: a rebuild says the same.
    """
    for run in runs:
        if run.height > height:
            height = run.height
            yield NetworkEpoch(height, run.time_ms, run.nbits, subsidy_sat(height))


def changes(newest: NetworkEpoch | None, seen: Iterable[NetworkEpoch]) -> Iterator[NetworkEpoch]:
    """Those that differ from the one before."""
    for each in seen:
        if newest is None or (each.nbits, each.subsidy_sat) != (newest.nbits, newest.subsidy_sat):
            newest = each
            yield each
