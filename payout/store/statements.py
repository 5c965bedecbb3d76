"""Small statements that several parts of the books need."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, Table, func, insert, select, update

from pool.store.sql import account, progress

T = TypeVar("T")

_VALUES_MAX = 5_000  # one statement takes 32 766 values in SQLite and 65 535 in PostgreSQL


def chunks(values: Collection[T]) -> Iterator[Sequence[T]]:
    """The values in pieces that fit into the IN (...) of a statement."""
    rest = iter(values)
    while chunk := list(islice(rest, _VALUES_MAX)):
        yield chunk


def next_id(connection: Connection, table: Table) -> int:
    """The id of the next row. Ours and not the database's, so that ids have no gaps and a second writer collides."""
    return int(connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()) + 1


def account_ids(connection: Connection, names: Collection[str]) -> dict[str, int]:
    """The ids of the accounts that exist."""
    found: dict[str, int] = {}
    for chunk in chunks(names):
        rows = connection.execute(select(account.c.name, account.c.id).where(account.c.name.in_(chunk)))
        found.update((name, account_id) for name, account_id in rows)
    return found


def read_progress(connection: Connection, name: str) -> int:
    """A single number; 0 if it was never written."""
    value = connection.execute(select(progress.c.value).where(progress.c.name == name)).scalar_one_or_none()
    return value or 0


def write_progress(connection: Connection, name: str, value: int) -> None:
    """Keep a single number."""
    put(connection, progress, {"name": name}, {"value": value})


def put(connection: Connection, table: Table, key: Mapping[str, str | int], values: Mapping[str, int]) -> None:
    """Update the row of a key, or insert it. Only under the writer's lock is that safe."""
    of_key = [table.c[name] == value for name, value in key.items()]
    if not connection.execute(update(table).where(*of_key).values(**values)).rowcount:
        connection.execute(insert(table).values(**key, **values))
