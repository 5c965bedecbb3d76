"""Sums over many batches of shares, so that a window over any number is read by a few; shares stored as runs."""

from __future__ import annotations

import zlib
from itertools import pairwise
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SUMMED = 64
_FORMAT = 2

_batch = sa.table(
    "share_batch",
    sa.column("id", sa.BigInteger),
    sa.column("sums", sa.LargeBinary),
    sa.column("shares", sa.LargeBinary),
)


def upgrade() -> None:
    op.create_table(
        "share_sum",
        sa.Column("height", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("sums", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("height", "number", name="pk_share_sum"),
    )
    sums = sa.table(
        "share_sum",
        sa.column("height", sa.SmallInteger),
        sa.column("number", sa.BigInteger),
        sa.column("sums", sa.LargeBinary),
    )
    connection = op.get_bind()
    waiting: list[list[dict[int, int]]] = [[]]
    made = [0]

    def add(height: int, units: dict[int, int]) -> None:
        waiting[height].append(units)
        if len(waiting[height]) < _SUMMED:
            return
        if len(waiting) == height + 1:
            waiting.append([])
            made.append(0)
        total: dict[int, int] = {}
        for each in waiting[height]:
            for stake, more in each.items():
                total[stake] = total.get(stake, 0) + more
        waiting[height] = []
        row = {"height": height + 1, "number": made[height], "sums": _packed(total)}
        connection.execute(sa.insert(sums), row)
        made[height] += 1
        add(height + 1, total)

    for (row_id,) in connection.execute(sa.select(_batch.c.id).order_by(_batch.c.id)).all():
        stored = connection.execute(sa.select(_batch).where(_batch.c.id == row_id)).one()
        changed = sa.update(_batch).where(_batch.c.id == row_id).values(shares=_as_runs(stored.shares))
        connection.execute(changed)
        add(0, {k: int.from_bytes(v, "big") for k, v in msgspec.msgpack.decode(stored.sums, type=_SUMS).items()})
    op.drop_column("share_batch", "sums")  # the shares say as much


_SUMS = dict[int, bytes]


def _packed(sums: dict[int, int]) -> bytes:
    return msgspec.msgpack.encode({stake: _short(units) for stake, units in sums.items()})


def _short(units: int) -> bytes:
    return units.to_bytes((units.bit_length() + 7) // 8, "big")


def _as_runs(blob: bytes) -> bytes:
    """From columns of stakes and scores, share by share, to parts (stake, score, how many) and picks of them."""
    columns: list[Any] = msgspec.msgpack.decode(zlib.decompress(blob))
    _, first_seq, gaps, stakes, scores, picks = columns
    runs: dict[tuple[int, int], int] = {}
    places = [runs.setdefault(worth, len(runs)) for worth in zip(stakes, picks, strict=True)]
    seqs = [first_seq]
    for gap in gaps:
        seqs.append(seqs[-1] + gap)
    breaks = [0, *(at for at, (one, two) in enumerate(pairwise(seqs), 1) if two != one + 1), len(seqs)]
    stretches: list[int] = []
    end = 0
    for start, stop in pairwise(breaks):
        stretches += seqs[start] - end, stop - start
        end = seqs[stop - 1] + 1
    width = 1 if len(runs) <= 1 << 8 else 2 if len(runs) <= 1 << 16 else 4
    counts = [0] * len(runs)
    for place in places:
        counts[place] += 1
    packed = [
        _FORMAT,
        [stake for stake, _ in runs],
        [pick for _, pick in runs],
        scores,
        counts,
        stretches,
        b"".join(place.to_bytes(width, "big") for place in places),
    ]
    return zlib.compress(msgspec.msgpack.encode(packed), 1)
