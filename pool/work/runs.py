"""The accepted shares of a batch of journal records, read natively: runs of the same worth, and their order."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

import native


class RunOfShares(Struct, frozen=True):
    """Accepted shares that are worth the same to the same account.

    slice_id: 0 for none. period_ms: when the period of pay per share began. time_ms: of the first of them in the
    journal; oldest_ms, newest_ms: the bounds of all.
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


class ReadShares(Struct, frozen=True):
    """The accepted shares of a batch.

    picks: of each in order the place of its run, in 1, 2 or 4 bytes, big endian. stretches: the numbers of their
    records, as (first, how many in a row). period_ms: after the last record; time_ms: when that was.
    """

    runs: Sequence[RunOfShares]
    picks: bytes
    stretches: Sequence[tuple[int, int]]
    blocks: Sequence[BlockShare]
    period_ms: int
    time_ms: int


def read_shares(
    payload: bytes, count: int, first: int, period_ms: int, period_length_ms: int, bounds_ms: Sequence[int] = ()
) -> ReadShares:
    """Read the records of a batch from number `first` on.

    payload: `count` msgpack records, one after the other. period_ms: the current period; it moves on by the records'
    times. No run reaches over one of bounds_ms, which rise. Raises ValueError if the records are not what they should
    be.
    """
    runs, picks, stretches, blocks, ended_ms, time_ms = native.share_runs(
        payload, count, first, period_ms, period_length_ms, bounds_ms
    )
    made = [RunOfShares(*run) for run in runs]
    return ReadShares(made, picks, stretches, [BlockShare(*block) for block in blocks], ended_ms, time_ms)
