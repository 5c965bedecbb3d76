"""Empty books on every database that is supported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine, select

from pool.store.sql import connect, metadata, reading
from pool.store.upgrade import upgrade

NAMES = ("sqlite", "postgresql")


def sqlite_url(folder: Path) -> str:
    """A file in a folder."""
    return f"sqlite:///{folder / 'books.sqlite'}"


def empty_sqlite(folder: Path) -> bytes:
    """The bytes of a file with the schema of this version: copying them is faster than making them again."""
    engine = connect(sqlite_url(folder))
    upgrade(engine)
    engine.dispose()
    return (folder / "books.sqlite").read_bytes()


@contextmanager
def fresh(file: bytes) -> Iterator[Engine]:
    """A copy of an SQLite file of its own, for each example of a property."""
    with TemporaryDirectory() as folder:
        Path(folder, "books.sqlite").write_bytes(file)
        engine = connect(sqlite_url(Path(folder)))
        try:
            yield engine
        finally:
            engine.dispose()


def dump(engine: Engine) -> dict[str, list[Any]]:
    """Everything that is in the books."""
    with reading(engine) as connection:
        return {
            table.name: sorted(tuple(row) for row in connection.execute(select(table)))
            for table in metadata.sorted_tables
        }
