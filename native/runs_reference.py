"""The accepted shares of batches as runs in plain Python: slow, readable, and the definition of `native.runs`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, Final

from native.records_reference import (
    ACCEPTED,
    ACCOUNT,
    AGENT,
    BLOCK_HASH,
    DIFFICULTY,
    HEIGHT,
    JOB,
    JOB_TIME_MS,
    NBITS,
    NEAR,
    NEAR_MAX,
    OUTCOME,
    SLICE_ID,
    TIME_MS,
    WORKER,
    records,
)

_WIDTHS: Final = (1, 2, 4)

Run = tuple[str, int, float, int, int, int, int, int, int, int, str, tuple[int, ...]]
"""Accepted shares that are worth the same to the same: account, slice_id (0 for none), difficulty, nBits, height,
period_ms, how many, time_ms of the first in the journal, of the oldest and of the newest, agent, and how many came so
near to a block: 0 for one, up to NEAR_MAX; empty for old records, which do not say."""

Block = tuple[int, int, int, int, str, str, int, bytes]
"""A share that met the network's target: number of its record, how many shares were accepted up to and with it,
time_ms, outcome, account, worker, height, block hash."""

Worker = tuple[int, int, str, str]
"""Who had a share of a slice accepted on a day (UTC): slice_id, when the day began in ms, account, worker."""

Refused = tuple[int, int, int]
"""Shares of a slice that were refused: slice_id, outcome, how many."""

Batch = tuple[list[int], list[int], bytes, list[tuple[int, int]], list[Block], list[Refused], int, int]
"""parts: the places of the runs that the shares are of, in the order of their first shares. counts: how many of each.
picks: of each accepted share in order the place of its part, in 1, 2 or 4 bytes, big endian, as many as the number of
parts needs. stretches: numbers of the records that are accepted shares, as (first, how many in a row). blocks, refused.
period_ms: the newest. time_ms: of the last record."""

_DAY_MS: Final = 86_400_000


def share_runs(
    batches: Iterable[tuple[bytes, int, int]], period_ms: int, period_length_ms: int, bounds_ms: Sequence[int]
) -> tuple[list[Run], list[Worker], list[Batch]]:
    """Read batches one after the other: the runs of all and their workers, in the order of their first shares, and each
    batch.

    batches: (payload, count, first). The payload is `count` records of a journal, shares and jobs, one msgpack array
    after the other; those before number `first` are passed over. period_ms: when the current period began; one that a
    record's time begins later takes its place from that record on. bounds_ms: rising times at which shares before and
    after may not stand in one run. Raises ValueError if a payload is not wholly what it should be.
    """
    found = _Found(period_ms, period_length_ms, bounds_ms)
    read = [found.read(records(payload, count), first) for payload, count, first in batches]
    return [tuple(run) for run in found.runs], list(found.workers), read


class _Found:
    """Runs, while they grow."""

    def __init__(self, period_ms: int, period_length_ms: int, bounds_ms: Sequence[int]) -> None:
        self.runs: list[list[Any]] = []
        self.workers: dict[Worker, None] = {}
        self._places: dict[tuple[Any, ...], int] = {}
        self._period_ms = period_ms
        self._period_length_ms = period_length_ms
        self._bounds_ms = bounds_ms

    def read(self, found: list[list[Any]], first: int) -> Batch:
        parts: dict[int, int] = {}  # its place by the run's
        picks: list[int] = []
        stretches: list[tuple[int, int]] = []
        blocks: list[Block] = []
        refused: dict[tuple[int, int], int] = {}
        time_ms = 0
        for number, record in enumerate(found):
            if number < first:
                continue
            time_ms = record[JOB_TIME_MS if record[0] == JOB else TIME_MS]
            self._period_ms = max(self._period_ms, time_ms - time_ms % self._period_length_ms)
            if record[0] == JOB:
                continue
            slice_id = record[SLICE_ID] or 0
            if record[OUTCOME] == ACCEPTED:
                if slice_id:
                    day_ms = time_ms - time_ms % _DAY_MS
                    self.workers[slice_id, day_ms, record[ACCOUNT], record[WORKER]] = None
                picks.append(parts.setdefault(self._run(record), len(parts)))
                begin, length = stretches[-1] if stretches else (0, 0)
                if stretches and begin + length == number:
                    stretches[-1] = begin, length + 1
                else:
                    stretches.append((number, 1))
            elif slice_id:
                key = slice_id, record[OUTCOME]
                refused[key] = refused.get(key, 0) + 1
            if record[BLOCK_HASH] is not None:
                names = record[ACCOUNT], record[WORKER]
                block = number, len(picks), time_ms, record[OUTCOME], *names, record[HEIGHT], record[BLOCK_HASH]
                blocks.append(block)
        width = next(width for width in _WIDTHS if len(parts) <= 1 << 8 * width)
        packed = b"".join(place.to_bytes(width, "big") for place in picks)
        counts = [0] * len(parts)
        for place in picks:
            counts[place] += 1
        counted = [(*key, count) for key, count in refused.items()]
        return list(parts), counts, packed, stretches, blocks, counted, self._period_ms, time_ms

    def _run(self, share: list[Any]) -> int:
        """The place of the run of an accepted share, which is counted."""
        time_ms = share[TIME_MS]
        agent = share[AGENT] if len(share) > AGENT else ""
        is_told = len(share) > NEAR
        near = share[NEAR] if is_told else None
        worth = share[ACCOUNT], share[SLICE_ID] or 0, share[DIFFICULTY], share[NBITS], share[HEIGHT], self._period_ms
        place = self._places.setdefault(
            (*worth, agent, is_told, bisect_right(self._bounds_ms, time_ms)), len(self.runs)
        )
        if place == len(self.runs):
            self.runs.append([*worth, 0, time_ms, time_ms, time_ms, agent, (0,) * (NEAR_MAX + 1 if is_told else 0)])
        run = self.runs[place]
        run[6:10] = run[6] + 1, run[7], min(run[8], time_ms), max(run[9], time_ms)
        if near is not None and near <= NEAR_MAX:
            run[11] = tuple(count + (number == near) for number, count in enumerate(run[11]))
        return place
