"""What the shares of a slice came to, each ten seconds, beside the line of score: how many were accepted, how many
refused and why, and the work of accounts on SOLO, whose shares are on no line.

A batch of records counts in the step of its last one: it is of a second or so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from msgspec import Struct

from payout.accounts import Scheme, Stake
from payout.scoring import work_of
from pool.work.runs import Read, Seen
from pool.work.share import Outcome

STEP_MS: Final = 10_000
_NONE = (0,) * len(Outcome)


class Activity(Struct, frozen=True):
    """Shares of a slice in a time. counts: by outcome, in the order of Outcome. solo_work: expected hashes of the
    accepted ones under SOLO; solo_squares: the sum of their squares, by which the error is known."""

    counts: tuple[int, ...] = _NONE
    solo_work: int = 0
    solo_squares: int = 0

    def plus(self, other: Activity) -> Activity:
        """Both."""
        return Activity(
            tuple(one + two for one, two in zip(self.counts, other.counts, strict=True)),
            self.solo_work + other.solo_work,
            self.solo_squares + other.solo_squares,
        )


class ActivityBooks(Protocol):
    """What is kept of it in the books."""

    def add(self, sums: Mapping[tuple[int, int], Activity]) -> None:
        """Count further shares, by slice and the beginning of the step."""

    def see(self, workers: Iterable[Seen]) -> None:
        """Keep who worked; who is known already comes to nothing."""


def activity_of(read: Read, stakes: Sequence[Stake]) -> dict[tuple[int, int], Activity]:
    """Of batches, by slice and the beginning of the step. stakes: of each run."""
    found: dict[tuple[int, int], Activity] = {}

    def count(slice_id: int, step_ms: int, outcome: int, shares: int, work: int = 0) -> None:
        counts = tuple(shares if each == outcome else 0 for each in range(len(Outcome)))
        more = Activity(counts, work * shares, work * work * shares)
        key = slice_id, step_ms
        found[key] = found[key].plus(more) if key in found else more

    works = [
        work_of(run).share if stake.slice_id and stake.scheme is Scheme.SOLO else 0
        for run, stake in zip(read.runs, stakes, strict=True)
    ]
    for batch in read.batches:
        step_ms = batch.time_ms - batch.time_ms % STEP_MS
        for place, shares in zip(batch.parts, batch.counts, strict=True):
            if slice_id := stakes[place].slice_id:
                count(slice_id, step_ms, Outcome.ACCEPTED, shares, works[place])
        for slice_id, outcome, shares in batch.refused:
            count(slice_id, step_ms, outcome, shares)
    return found
