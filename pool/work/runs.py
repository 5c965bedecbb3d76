"""The accepted shares of batches of journal records, read natively: runs of the same worth, and their order."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

import native
from pool.work.share import NEAR_MAX


class RunOfShares(Struct, frozen=True):
    """Accepted shares that are worth the same to the same account.

    slice_id: 0 for none. period_ms: when the period of pay per share began. time_ms: of the first of them in the
    journal; oldest_ms, newest_ms: the bounds of all. agent: what the miner says it is. nears: how many of them came so
    near to a block, from 0, which are blocks, up to `pool.work.share.NEAR_MAX`; empty for old records, which
    do not say.
    """

    account: str
    slice_id: int
    difficulty: float
    nbits: int
    height: int
    period_ms: int
    shares: int
    time_ms: int
    oldest_ms: int
    newest_ms: int
    agent: str = ""
    nears: tuple[int, ...] = (0,) * (NEAR_MAX + 1)


class BlockShare(Struct, frozen=True):
    """A share that met the network's target, whatever its outcome. number: of its record in the batch. accepted: how
    many shares were accepted up to and with it."""

    number: int
    accepted: int
    time_ms: int
    outcome: int
    account: str
    worker: str
    height: int
    block_hash: bytes


class Seen(Struct, frozen=True, order=True):
    """A worker that had a share of a slice accepted on a day, which began at day_ms."""

    slice_id: int
    day_ms: int
    account: str
    worker: str


class ReadBatch(Struct, frozen=True):
    """The accepted shares of a batch.

    parts: the places of the runs they are of. counts: how many of each. picks: of each in order the place of its part,
    in 1, 2 or 4 bytes, big endian. stretches: the numbers of their records, as (first, how many in a row). refused: the
    others of slices, as (slice_id, outcome, how many). period_ms: after the last record; time_ms: when that was.
    """

    parts: Sequence[int]
    counts: Sequence[int]
    picks: bytes
    stretches: Sequence[tuple[int, int]]
    blocks: Sequence[BlockShare]
    refused: Sequence[tuple[int, int, int]]
    period_ms: int
    time_ms: int


class Payload(Struct, frozen=True):
    """Records as they are in a journal: `count` of them, one after the other; those before number `first` are known."""

    data: bytes
    count: int
    first: int = 0


class Read(Struct, frozen=True):
    """Batches that were read one after the other: the runs of all, their workers at slices, and each batch."""

    runs: Sequence[RunOfShares]
    workers: Sequence[Seen]
    batches: Sequence[ReadBatch]


def read_shares(
    payloads: Sequence[Payload], period_ms: int, period_length_ms: int, bounds_ms: Sequence[int] = ()
) -> Read:
    """Read batches of records, one after the other.

    period_ms: the current period; it moves on by the records' times. No run reaches over one of bounds_ms, which rise.
    Raises ValueError if the records are not what they should be.
    """
    runs, workers, batches = native.share_runs(
        [(each.data, each.count, each.first) for each in payloads], period_ms, period_length_ms, bounds_ms
    )
    read = [
        ReadBatch(parts, counts, picks, stretches, [BlockShare(*block) for block in blocks], refused, ended_ms, time_ms)
        for parts, counts, picks, stretches, blocks, refused, ended_ms, time_ms in batches
    ]
    return Read([RunOfShares(*run) for run in runs], [Seen(*each) for each in workers], read)
