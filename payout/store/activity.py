"""What slices did, and who worked under them, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from payout.activity import Activity
from payout.store.statements import chunks
from pool.store.report_tables import slice_minute, slice_worker
from pool.work.runs import Seen

_counts = msgspec.msgpack.Decoder(tuple[int, ...])


class Minute(Struct, frozen=True):
    """A slice in a minute."""

    slice_id: int
    minute_ms: int
    activity: Activity


class SqlActivity:
    """Satisfies payout.activity.ActivityBooks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, sums: Mapping[tuple[int, int], Activity]) -> None:
        """Count further shares, by slice and the beginning of the minute."""
        if not sums:
            return
        before = self._of(sums)
        inserts: list[dict[str, Any]] = []
        updates: list[dict[str, Any]] = []
        for key, more in sums.items():
            after = before[key].plus(more) if key in before else more
            row = {
                "of_slice": key[0],
                "of_minute": key[1],
                "new_counts": msgspec.msgpack.encode(after.counts),
                "new_work": after.solo_work or None,
                "new_squares": after.solo_squares or None,
            }
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

    def between(self, from_ms: int, to_ms: int) -> Iterator[Minute]:
        """The minutes that began in a time, in their order."""
        began = slice_minute.c.minute_ms
        rows = select(slice_minute).where(began >= from_ms, began < to_ms).order_by(began, slice_minute.c.slice_id)
        return (Minute(row.slice_id, row.minute_ms, _activity(row)) for row in self._connection.execute(rows))

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

    def _of(self, keys: Collection[tuple[int, int]]) -> dict[tuple[int, int], Activity]:
        found = {}
        of_minute: dict[int, list[int]] = {}
        for slice_id, minute_ms in keys:
            of_minute.setdefault(minute_ms, []).append(slice_id)
        for minute_ms, slices in of_minute.items():
            for chunk in chunks(slices):
                rows = select(slice_minute).where(
                    slice_minute.c.minute_ms == minute_ms, slice_minute.c.slice_id.in_(chunk)
                )
                found.update({(row.slice_id, minute_ms): _activity(row) for row in self._connection.execute(rows)})
        return found


_INSERT = insert(slice_minute).values(
    slice_id=bindparam("of_slice"),
    minute_ms=bindparam("of_minute"),
    counts=bindparam("new_counts"),
    solo_work=bindparam("new_work"),
    solo_squares=bindparam("new_squares"),
)
_UPDATE = (
    update(slice_minute)
    .where(slice_minute.c.slice_id == bindparam("of_slice"), slice_minute.c.minute_ms == bindparam("of_minute"))
    .values(counts=bindparam("new_counts"), solo_work=bindparam("new_work"), solo_squares=bindparam("new_squares"))
)


def _activity(row: Any) -> Activity:
    return Activity(_counts.decode(row.counts), row.solo_work or 0, row.solo_squares or 0)
