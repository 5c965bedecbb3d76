"""The order of the accepted shares as a line of running score, and how a stretch of it is stored.

Every accepted share has a stretch (before, after] on the line, as long as its units; the end of the line is the running
total of the pool. A block's window is the stretch (end - capacity, end] with its finder's share at the end, so it is
found by the totals alone and never needs a count or a full scan. Source: docs/payouts.md 1.2.

The shares of a batch are stored with how many of them are of what worth, so that their sums are at hand too. Above them
stand the sums of 64 batches, of 64 times 64, and so on: the units of each stake. A window needs the shares of the two
batches at its edges and, of what lies between, fewer than 128 sums of each height, however long it is and however much
came before.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

import native
from payout.ledger import LedgerError

T = TypeVar("T")

SUMMED = 64
"""How many sums make one of the next height."""

_FORMAT = 2
# Columns of numbers hardly repeat themselves: to look for more than runs of a byte takes twice as long for more bytes.
_FASTEST = 1
_BITS = 15
_MEMORY = 8
_PICKS = {1: "B", 2: "H", 4: "I"}


class Worths(Struct, Generic[T], frozen=True):
    """What shares may be worth, by place: what each counts for, and its units. Columns, as there are many.

    scores: the units that occur, a few. score_of: by place, which of them.
    """

    stakes: Sequence[T]
    scores: Sequence[int]
    score_of: Sequence[int]

    @classmethod
    def of(cls, stakes: Sequence[T], units: Iterable[int]) -> Worths[T]:
        """Of each place its stake and units."""
        scores: dict[int, int] = {}
        score_of = [scores.setdefault(each, len(scores)) for each in units]
        return cls(stakes, list(scores), score_of)


class OrderedShares(Struct, Generic[T], frozen=True):
    """The accepted shares of a batch in their order.

    worths: those of this batch and others. parts, counts, picks, stretches: see `pool.work.runs.ReadBatch`; parts are
    places in worths, and the numbers are those in the journal.
    """

    worths: Worths[T]
    parts: Sequence[int]
    counts: Sequence[int]
    picks: bytes
    stretches: Sequence[tuple[int, int]]

    @property
    def count(self) -> int:
        return sum(self.counts)

    def units(self) -> int:
        """Of all of them."""
        counted = [0] * len(self.worths.scores)
        for score, count in zip(map(self.worths.score_of.__getitem__, self.parts), self.counts, strict=True):
            counted[score] += count
        return sum(score * count for score, count in zip(self.worths.scores, counted, strict=True))

    def in_order(self) -> Iterator[tuple[T, int]]:
        """Each share as its stake and units."""
        stakes, scores, score_of = self.worths.stakes, self.worths.scores, self.worths.score_of
        pairs = [(stakes[place], scores[score_of[place]]) for place in self.parts]
        return (pairs[pick] for pick in self._picked())

    def seqs(self) -> Iterator[int]:
        """The number of each share."""
        return chain.from_iterable(range(first, first + length) for first, length in self.stretches)

    def _picked(self) -> Sequence[int]:
        count = self.count
        return struct.unpack(f">{count}{_PICKS[len(self.picks) // count]}", self.picks) if count else ()


class _Packed(Struct, array_like=True):
    """Columns. stakes, score_of, counts: of each part; scores: units as few bytes. stretches: gap to the one before and
    length, one after the other."""

    format: int
    stakes: list[int]
    score_of: list[int]
    scores: list[bytes]
    counts: list[int]
    stretches: list[int]
    picks: bytes


_encode = msgspec.msgpack.Encoder().encode
_packed_decoder = msgspec.msgpack.Decoder(_Packed)
_sums_decoder = msgspec.msgpack.Decoder(dict[int, bytes])


class _Packing(Struct, array_like=True):
    """_Packed, of columns that are packed already."""

    format: int
    stakes: msgspec.Raw
    score_of: msgspec.Raw
    scores: list[bytes]
    counts: msgspec.Raw
    stretches: list[int]
    picks: bytes


def pack(shares: OrderedShares[int]) -> tuple[bytes, int]:
    """The shares of a batch in order, and the units of all; a stake is a number here."""
    stretches: list[int] = []
    end = 0
    for first, length in shares.stretches:
        stretches += first - end, length
        end = first + length
    worths = shares.worths
    stakes, score_of, counts, scores, counted = native.pack_parts(
        worths.stakes, worths.score_of, shares.parts, shares.counts
    )
    units = [worths.scores[score] for score in scores]
    columns = _Packing(
        _FORMAT,
        msgspec.Raw(stakes),
        msgspec.Raw(score_of),
        [_short(each) for each in units],
        msgspec.Raw(counts),
        stretches,
        shares.picks,
    )
    packing = zlib.compressobj(_FASTEST, zlib.DEFLATED, _BITS, _MEMORY, zlib.Z_RLE)
    blob = packing.compress(_encode(columns)) + packing.flush()
    return blob, sum(each * count for each, count in zip(units, counted, strict=True))


def unpack(blob: bytes) -> OrderedShares[int]:
    """The reverse of pack. Raises LedgerError on anything that pack did not make."""
    try:
        columns = _packed_decoder.decode(zlib.decompress(blob))
        if columns.format != _FORMAT:
            raise LedgerError(f"stored shares of the unknown format {columns.format}")
        scores = [int.from_bytes(score, "big") for score in columns.scores]
        worths = Worths(columns.stakes, scores, columns.score_of)
        if len(columns.stakes) != len(columns.score_of) or max(columns.score_of, default=-1) >= len(scores):
            raise LedgerError("stored shares have columns that do not fit")
        lengths = columns.stretches[1::2]
        stretches = []
        end = 0
        for gap, length in zip(columns.stretches[::2], lengths, strict=True):
            stretches.append((end + gap, length))
            end += gap + length
        shares = OrderedShares(worths, range(len(worths.stakes)), columns.counts, columns.picks, stretches)
        counted = [0] * len(worths.stakes)
        for pick in shares._picked():
            counted[pick] += 1
        if counted != columns.counts or sum(lengths) != shares.count:
            raise LedgerError("stored shares are not as many as they say")
    except (zlib.error, msgspec.DecodeError, ValueError, IndexError, KeyError, struct.error) as error:
        raise LedgerError(f"stored shares cannot be read: {error}") from error
    return shares


def pack_sums(sums: Mapping[int, int]) -> bytes:
    """The units of each stake of many batches."""
    return msgspec.msgpack.encode({stake: _short(units) for stake, units in sums.items()})


def unpack_sums(blob: bytes) -> dict[int, int]:
    """The reverse of pack_sums. Raises LedgerError on anything that it did not make."""
    try:
        return {stake: int.from_bytes(units, "big") for stake, units in _sums_decoder.decode(blob).items()}
    except msgspec.DecodeError as error:
        raise LedgerError(f"stored sums cannot be read: {error}") from error


def add_up(parts: Iterable[Mapping[T, int] | OrderedShares[T]]) -> dict[T, int]:
    """Sums, and shares, as one sum."""
    total: dict[T, int] = {}
    worths: Worths[T] | None = None
    counted: list[int] = []
    for part in parts:
        if not isinstance(part, OrderedShares):
            _add(total, part.items())
            continue
        if part.worths is not worths:  # batches in a row often have theirs in common: each is multiplied once
            _add_counted(total, worths, counted)
            worths, counted = part.worths, [0] * len(part.worths.stakes)
        native.add_counts(counted, part.parts, part.counts)
    _add_counted(total, worths, counted)
    return total


def _add_counted(total: dict[T, int], worths: Worths[T] | None, counted: Sequence[int]) -> None:
    if worths is not None:
        scores = worths.scores
        shares = zip(worths.stakes, worths.score_of, counted, strict=True)
        _add(total, ((stake, scores[score] * count) for stake, score, count in shares if count))


def _add(total: dict[T, int], more: Iterable[tuple[T, int]]) -> None:
    for stake, units in more:
        total[stake] = total.get(stake, 0) + units


def pieces(start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """The sums that make up the batches from number `start` (the first of all is 0) up to before `stop`.

    Each as (height, from, up to before): sum N of a height is over the batches N * SUMMED ** height and those behind
    it. Fewer than 2 * SUMMED of each height; those of height 0 are the batches themselves.
    """
    height = 0
    while start < stop:
        aligned = min(stop, -(-start // SUMMED) * SUMMED)
        rest = max(aligned, stop // SUMMED * SUMMED)
        yield from ((height, *each) for each in ((start, aligned), (rest, stop)) if each[0] < each[1])
        start, stop, height = aligned // SUMMED, rest // SUMMED, height + 1


def clip(shares: Iterable[tuple[T, int]], start: int, low: int, high: int) -> dict[T, int]:
    """What lies in (low, high] of the shares (stake, units) that begin at `start` on the line, by stake."""
    weights: dict[T, int] = {}
    for stake, units in shares:
        end = start + units
        weight = min(end, high) - max(start, low)
        if weight > 0:
            weights[stake] = weights.get(stake, 0) + weight
        start = end
    return weights


def _short(units: int) -> bytes:
    return units.to_bytes((units.bit_length() + 7) // 8, "big")
