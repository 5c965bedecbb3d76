"""What the journal says afterwards: the work of each slice in each hour, folded from its records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from payout.scoring import work_of
from pool.journal.reader import Reader
from pool.scenario.bit_mining.case import BEGINS_MS, HOUR_MS
from pool.work.runs import Payload, RunOfShares, read_shares

_READ_BYTES = 8 << 20


class Hour(Struct, frozen=True):
    """The accepted shares of an account and slice in an hour. work: their expected hashes; units: their score."""

    account: str
    slice_id: int
    from_ms: int
    shares: int
    work: int
    units: int


def hours(folder: Path) -> list[Hour]:
    """All hours of a journal, in order."""
    sums: dict[tuple[int, str, int], tuple[int, int, int]] = {}
    for run in _runs(folder):
        place = run.period_ms, run.account, run.slice_id
        worth = work_of(run)
        shares, work, units = sums.get(place, (0, 0, 0))
        sums[place] = shares + run.shares, work + worth.share * run.shares, units + worth.units * run.shares
    return [Hour(place[1], place[2], place[0], *sums[place]) for place in sorted(sums)]


def _runs(folder: Path) -> Iterator[RunOfShares]:
    reader, period_ms = Reader(folder), BEGINS_MS
    while groups := reader.read(bytes_max=_READ_BYTES):
        read = read_shares([Payload(each.payload, each.count) for each in groups], period_ms, HOUR_MS)
        period_ms = read.batches[-1].period_ms
        yield from read.runs


def rates_hps(found: Sequence[Hour], step_ms: int, ends_ms: int) -> dict[tuple[str, int], list[float]]:
    """The hashrate of each account and slice, in steps from the beginning on; for pictures only."""
    count = (ends_ms - BEGINS_MS) // step_ms
    rates: dict[tuple[str, int], list[float]] = {}
    for hour in found:
        place = (hour.from_ms - BEGINS_MS) // step_ms
        if place < count:
            of_slice = rates.setdefault((hour.account, hour.slice_id), [0.0] * count)
            of_slice[place] += hour.work / (step_ms / 1000)
    return rates
