"""The accepted shares of a batch as runs in plain Python: slow, readable, and the definition of `native.runs`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Final

from native.records_reference import (
    ACCEPTED,
    ACCOUNT,
    BLOCK_HASH,
    DIFFICULTY,
    HEIGHT,
    JOB,
    JOB_TIME_MS,
    NBITS,
    OUTCOME,
    SLICE_ID,
    TIME_MS,
    WORKER,
    records,
)

_WIDTHS: Final = (1, 2, 4)

Run = tuple[str, int, float, int, int, int, int, int, int, int]
"""Accepted shares that are worth the same to the same: account, slice_id (0 for none), difficulty, nBits, height,
period_ms, how many, time_ms of the first in the journal, of the oldest and of the newest."""

Block = tuple[int, int, int, int, str, str, int, bytes]
"""A share that met the network's target: number of its record, how many shares were accepted up to and with it,
time_ms, outcome, account, worker, height, block hash."""

Runs = tuple[list[Run], bytes, list[tuple[int, int]], list[Block], int, int]
"""runs: in the order of their first shares. picks: of each accepted share in order the place of its run, in 1, 2 or 4
bytes, big endian, as many as the number of runs needs. stretches: numbers of the records that are accepted shares, as
(first, how many in a row). blocks. period_ms: the newest. time_ms: of the last record."""


def share_runs(
    payload: bytes, count: int, first: int, period_ms: int, period_length_ms: int, bounds_ms: Sequence[int]
) -> Runs:
    """Read the records of a batch from number `first` on, which must be there.

    payload: `count` records of a journal, shares and jobs, one msgpack array after the other. period_ms: when the
    current period began; one that a record's time begins later takes its place from that record on. bounds_ms: rising
    times at which shares before and after may not stand in one run. Raises ValueError if the payload is not wholly what
    it should be.
    """
    found: dict[tuple[Any, ...], int] = {}
    runs: list[list[Any]] = []
    picks: list[int] = []
    stretches: list[tuple[int, int]] = []
    blocks: list[Block] = []
    time_ms = 0
    for number, record in enumerate(records(payload, count)):
        if number < first:
            continue
        time_ms = record[JOB_TIME_MS if record[0] == JOB else TIME_MS]
        period_ms = max(period_ms, time_ms - time_ms % period_length_ms)
        if record[0] == JOB:
            continue
        if record[OUTCOME] == ACCEPTED:
            worth = record[ACCOUNT], record[SLICE_ID] or 0, record[DIFFICULTY], record[NBITS], record[HEIGHT], period_ms
            place = found.setdefault((*worth, bisect_right(bounds_ms, time_ms)), len(runs))
            if place == len(runs):
                runs.append([*worth, 0, time_ms, time_ms, time_ms])
            run = runs[place]
            run[6:] = run[6] + 1, run[7], min(run[8], time_ms), max(run[9], time_ms)
            picks.append(place)
            begin, length = stretches[-1] if stretches else (0, 0)
            if stretches and begin + length == number:
                stretches[-1] = begin, length + 1
            else:
                stretches.append((number, 1))
        if record[BLOCK_HASH] is not None:
            blocks.append(
                (
                    number,
                    len(picks),
                    time_ms,
                    record[OUTCOME],
                    record[ACCOUNT],
                    record[WORKER],
                    record[HEIGHT],
                    record[BLOCK_HASH],
                )
            )
    width = next(width for width in _WIDTHS if len(runs) <= 1 << 8 * width)
    packed = b"".join(place.to_bytes(width, "big") for place in picks)
    return [tuple(run) for run in runs], packed, stretches, blocks, period_ms, time_ms
