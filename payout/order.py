"""The order of the accepted shares as a line of running score, and how a stretch of it is stored.

Every accepted share has a stretch (before, after] on the line, as long as its units; the end of the line is the running
total of the pool. A block's window is the stretch (end - capacity, end] with its finder's share at the end, so it is
found by the totals alone and never needs a count or a full scan. Source: docs/payouts.md 1.2.

A batch of shares is stored in two forms: the units of each stake as a sum, and the shares one by one. A window needs
the sums of the batches inside it and the shares of the two batches at its edges. To make it cheap over a window of any
length, store at every nth batch the running total of each stake: then a window is two of those totals subtracted, plus
the sums of fewer than 2n batches.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from payout.ledger import LedgerError

T = TypeVar("T")

_FORMAT = 1
_FASTEST = 1  # level 6 takes five times as long and saves a tenth of the bytes


class OrderedShare(Struct, Generic[T], frozen=True):
    """An accepted share: its number in the journal of its frontend, what it counts for, its units."""

    seq: int
    stake: T
    units: int


class _Packed(Struct, array_like=True):
    """Columns; most shares of a batch have one of a few scores, so those stand in a list of their own."""

    format: int
    first_seq: int
    gaps: list[int]
    stakes: list[int]
    scores: list[bytes]
    picks: list[int]


_packed_decoder = msgspec.msgpack.Decoder(_Packed)
_sums_decoder = msgspec.msgpack.Decoder(dict[int, bytes])


def pack(shares: Sequence[OrderedShare[int]]) -> bytes:
    """The shares of a batch in order, at least one; a stake is a number here."""
    scores: dict[int, int] = {}
    picks = [scores.setdefault(share.units, len(scores)) for share in shares]
    seqs = [share.seq for share in shares]
    gaps = [after - before for before, after in pairwise(seqs)]
    stakes = [share.stake for share in shares]
    columns = _Packed(_FORMAT, seqs[0], gaps, stakes, [_short(units) for units in scores], picks)
    return zlib.compress(msgspec.msgpack.encode(columns), _FASTEST)


def unpack(blob: bytes) -> list[OrderedShare[int]]:
    """The reverse of pack. Raises LedgerError on anything that pack did not make."""
    try:
        columns = _packed_decoder.decode(zlib.decompress(blob))
        if columns.format != _FORMAT:
            raise LedgerError(f"stored shares of the unknown format {columns.format}")
        scores = [int.from_bytes(score, "big") for score in columns.scores]
        shares = []
        seq = columns.first_seq
        for gap, stake, pick in zip([0, *columns.gaps], columns.stakes, columns.picks, strict=True):
            seq += gap
            shares.append(OrderedShare(seq, stake, scores[pick]))
    except (zlib.error, msgspec.DecodeError, ValueError, IndexError) as error:
        raise LedgerError(f"stored shares cannot be read: {error}") from error
    return shares


def pack_sums(sums: Mapping[int, int]) -> bytes:
    """The units of each stake of a batch."""
    return msgspec.msgpack.encode({stake: _short(units) for stake, units in sums.items()})


def unpack_sums(blob: bytes) -> dict[int, int]:
    """The reverse of pack_sums. Raises LedgerError on anything that it did not make."""
    try:
        return {stake: int.from_bytes(units, "big") for stake, units in _sums_decoder.decode(blob).items()}
    except msgspec.DecodeError as error:
        raise LedgerError(f"stored sums cannot be read: {error}") from error


def sum_units(shares: Iterable[OrderedShare[T]]) -> dict[T, int]:
    """The units of each stake."""
    sums: dict[T, int] = {}
    for share in shares:
        sums[share.stake] = sums.get(share.stake, 0) + share.units
    return sums


def clip(shares: Iterable[OrderedShare[T]], start: int, low: int, high: int) -> dict[T, int]:
    """What lies in (low, high] of the shares that begin at `start` on the line, by stake."""
    weights: dict[T, int] = {}
    for share in shares:
        end = start + share.units
        weight = min(end, high) - max(start, low)
        if weight > 0:
            weights[share.stake] = weights.get(share.stake, 0) + weight
        start = end
    return weights


def _short(units: int) -> bytes:
    return units.to_bytes((units.bit_length() + 7) // 8, "big")
