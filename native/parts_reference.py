"""The shares of a batch by their worth, added up and written down, in plain Python: slow, readable, and the definition
of `native.parts`.

A batch's shares are `counts[i]` of the worth at place `parts[i]` of columns that it has in common with other batches.
All numbers are unsigned ones of 64 bits.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

_encode = msgspec.msgpack.Encoder().encode


def pack_parts(
    stakes: Sequence[int], score_of: Sequence[int], parts: Sequence[int], counts: Sequence[int]
) -> tuple[bytes, bytes, bytes, list[int], list[int]]:
    """The columns of a batch as msgpack arrays: of each part its stake, its score, and how many; then the scores, and
    how many shares are of each.

    score_of: which score a worth has. The batch numbers its scores anew, in the order of their first parts. Raises
    IndexError for a part that has no place in the columns.
    """
    of_batch: dict[int, int] = {}
    scores = [of_batch.setdefault(score_of[part], len(of_batch)) for part in parts]
    shares = [0] * len(of_batch)
    for score, count in zip(scores, counts, strict=True):
        shares[score] += count
    return _encode([stakes[part] for part in parts]), _encode(scores), _encode(counts), list(of_batch), shares


def add_counts(sums: list[int], parts: Sequence[int], counts: Sequence[int]) -> None:
    """Add up how many shares are of each worth. sums: by place. Raises IndexError for a part that has none."""
    for part, count in zip(parts, counts, strict=True):
        sums[part] += count
