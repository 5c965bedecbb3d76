"""Empty books on every database that is supported."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

from sqlalchemy import Engine, event, select

from pool.store.sql import connect, metadata, reading
from pool.store.upgrade import upgrade
from tests.postgresql import Databases, memory

NAMES = ("sqlite", "postgresql")

_free: Final[list[tuple[Path, Engine]]] = []
"""Files of SQLite that nobody uses now. To compile the statements anew would be half of what a test takes, so that an
engine is used again and again; listeners on one have to be removed."""


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
    """A copy of an SQLite file of its own, for a test or an example of a property. The disk is not waited for."""
    path, engine = _free.pop() if _free else _made()
    path.write_bytes(file)
    try:
        yield engine
    finally:
        engine.dispose()
        for each in path.parent.iterdir():
            each.unlink()
        _free.append((path, engine))


def _made() -> tuple[Path, Engine]:
    folder = Path(mkdtemp(prefix="books-", dir=memory()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    engine = connect(sqlite_url(folder))
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF").close())
    return folder / "books.sqlite", engine


class PostgresqlBooks:
    """Makes empty books on PostgreSQL, for a block each; their engines are used again too."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._template_url = databases("")
        self._free: list[tuple[str, Engine]] = []
        engine = connect(self._template_url)
        upgrade(engine)
        engine.dispose()

    @contextmanager
    def __call__(self) -> Iterator[Engine]:
        url, engine = self._free.pop() if self._free else ("", None)
        url = self._databases(self._template_url, url)
        engine = engine or connect(url)
        try:
            yield engine
        finally:
            engine.dispose()
            self._free.append((url, engine))


def dump(engine: Engine) -> dict[str, list[Any]]:
    """Everything that is in the books."""
    with reading(engine) as connection:
        return {
            table.name: sorted(tuple(row) for row in connection.execute(select(table)))
            for table in metadata.sorted_tables
        }
