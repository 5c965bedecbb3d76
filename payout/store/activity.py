"""What slices did, and who worked under them, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from payout.activity import STEP_MS, Activity
from payout.store.statements import chunks
from pool.store.report_tables import slice_minute, slice_worker
from pool.work.runs import Seen
from pool.work.share import Outcome

_MINUTE_MS = 60_000
"""A row has the steps of so long: a fleet that sends all the time would have six times as many rows else."""


class _Step(Struct, frozen=True, array_like=True):
    """A step in its row. number: of its minute, from 0. counts: without the zeros at their end. solo_work,
    solo_squares: as few bytes as hold them, big endian."""

    number: int
    counts: tuple[int, ...]
    solo_work: bytes = b""
    solo_squares: bytes = b""


_steps = msgspec.msgpack.Decoder(tuple[_Step, ...])
_Steps = dict[int, Activity]
"""Of a row: by the beginning of each, in Unix milliseconds."""


class Counted(Struct, frozen=True):
    """A slice in the step that began at from_ms."""

    slice_id: int
    from_ms: int
    activity: Activity


class SqlActivity:
    """Satisfies payout.activity.ActivityBooks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, sums: Mapping[tuple[int, int], Activity]) -> None:
        """Count further shares, by slice and the beginning of the step."""
        fresh: dict[tuple[int, int], _Steps] = {}
        for (slice_id, step_ms), more in sums.items():
            fresh.setdefault((slice_id, step_ms - step_ms % _MINUTE_MS), {})[step_ms] = more
        before = self._of(fresh)
        inserts: list[dict[str, Any]] = []
        updates: list[dict[str, Any]] = []
        for key, steps in fresh.items():
            after = dict(before.get(key, {}))
            for step_ms, more in steps.items():
                after[step_ms] = after.get(step_ms, Activity()).plus(more)
            row = {"of_slice": key[0], "of_minute": key[1], "new_steps": _packed(after)}
            (updates if key in before else inserts).append(row)
        if inserts:
            self._connection.execute(_INSERT, inserts)
        if updates:
            self._connection.execute(_UPDATE, updates)

    def see(self, workers: Iterable[Seen]) -> None:
        """Keep who worked; who is known already comes to nothing."""
        rows = [
            {
                "slice_id": each.slice_id,
                "day_ms": each.day_ms,
                "login": f"{each.account}.{each.worker}" if each.worker else each.account,
            }
            for each in workers
        ]
        if rows:
            dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
            self._connection.execute(dialect.insert(slice_worker).on_conflict_do_nothing(), rows)

    def between(self, from_ms: int, to_ms: int) -> Iterator[Counted]:
        """The steps that began in a time, in their order."""
        began = slice_minute.c.minute_ms
        rows = select(slice_minute).where(began > from_ms - _MINUTE_MS, began < to_ms)
        rows = rows.order_by(began, slice_minute.c.slice_id)
        for _, of_minute in groupby(self._connection.execute(rows), key=lambda row: row.minute_ms):
            steps = [
                Counted(row.slice_id, step_ms, activity)
                for row in of_minute
                for step_ms, activity in _unpacked(row).items()
                if from_ms <= step_ms < to_ms
            ]
            yield from sorted(steps, key=lambda step: (step.from_ms, step.slice_id))

    def first_ms(self) -> int | None:
        """Since when it is kept; None while nothing is."""
        first_ms: int | None = self._connection.execute(select(func.min(slice_minute.c.minute_ms))).scalar_one()
        return first_ms

    def workers(self, from_ms: int, to_ms: int) -> list[tuple[int, int, str]]:
        """Who worked on days that began in a time: slice, day and login, in their order."""
        began = slice_worker.c.day_ms
        rows = select(slice_worker).where(began >= from_ms, began < to_ms)
        rows = rows.order_by(slice_worker.c.slice_id, began, slice_worker.c.login)
        return [tuple(row) for row in self._connection.execute(rows)]

    def _of(self, keys: Collection[tuple[int, int]]) -> dict[tuple[int, int], _Steps]:
        found = {}
        of_minute: dict[int, list[int]] = {}
        for slice_id, minute_ms in keys:
            of_minute.setdefault(minute_ms, []).append(slice_id)
        for minute_ms, slices in of_minute.items():
            for chunk in chunks(slices):
                rows = select(slice_minute).where(
                    slice_minute.c.minute_ms == minute_ms, slice_minute.c.slice_id.in_(chunk)
                )
                found.update({(row.slice_id, minute_ms): _unpacked(row) for row in self._connection.execute(rows)})
        return found


_INSERT = insert(slice_minute).values(
    slice_id=bindparam("of_slice"), minute_ms=bindparam("of_minute"), steps=bindparam("new_steps")
)
_UPDATE = (
    update(slice_minute)
    .where(slice_minute.c.slice_id == bindparam("of_slice"), slice_minute.c.minute_ms == bindparam("of_minute"))
    .values(steps=bindparam("new_steps"))
)


def _packed(steps: _Steps) -> bytes:
    packed = []
    for step_ms, each in sorted(steps.items()):
        number = step_ms % _MINUTE_MS // STEP_MS
        packed.append(_Step(number, _short(each.counts), _bytes(each.solo_work), _bytes(each.solo_squares)))
    return msgspec.msgpack.encode(packed)


def _unpacked(row: Any) -> _Steps:
    return {
        row.minute_ms + each.number * STEP_MS: Activity(
            each.counts + (0,) * (len(Outcome) - len(each.counts)),
            int.from_bytes(each.solo_work, "big"),
            int.from_bytes(each.solo_squares, "big"),
        )
        for each in _steps.decode(row.steps)
    }


def _short(counts: tuple[int, ...]) -> tuple[int, ...]:
    return counts[: max((place for place, count in enumerate(counts, 1) if count), default=0)]


def _bytes(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
