"""The books at one moment, copied while they are written to, and put back where there are none.

SQLite by its own online backup, within one read transaction, so that it neither begins again at each commit nor sees
half of one; PostgreSQL by pg_dump on a snapshot that we hold.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Dialect, Engine, and_, delete, func, insert, inspect, select, text
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from pool.backup.chest import Moved
from pool.backup.manifest import BackupFailed, Books
from pool.store.sql import WRITER_LOCK, payout_switch, progress, reading

_PAGES_AT_ONCE: Final = 1024
_FACTS: Final = {
    "revision": "SELECT version_num FROM alembic_version",
    "high_water": "SELECT frontend, seq FROM high_water",
    "chain_height": "SELECT value FROM progress WHERE name = 'chain_height'",
    "rows": "SELECT count(*) FROM journal",
}
_RESTORED: Final = "payout_restored_height"  # as payout.store.payouts reads it
_DEBIAN_PROGRAMS: Final = "/usr/lib/postgresql"


def copy_books(engine: Engine, target: Path, moved: Moved) -> Books:
    """Write the books as they are now to a file, and say how far they are. Raises BackupFailed."""
    try:
        if engine.dialect.name == "sqlite":
            return _copy_sqlite(Path(str(engine.url.database)), target, moved)
        return _dump(engine, target, moved)
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise BackupFailed(f"the books cannot be read: {error}; see `steppe doctor`") from error


def _copy_sqlite(source: Path, target: Path, moved: Moved) -> Books:
    def told(_status: int, remaining: int, total: int) -> None:
        done = total - remaining
        moved((done - told_pages[0]) * page_bytes)
        told_pages[0] = done

    told_pages = [0]
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as live,
        closing(sqlite3.connect(target)) as copy,
    ):
        live.execute("BEGIN")
        facts = _facts("sqlite", lambda question: live.execute(question).fetchall())
        page_bytes = int(live.execute("PRAGMA page_size").fetchone()[0])
        live.backup(copy, pages=_PAGES_AT_ONCE, progress=told)
        live.execute("ROLLBACK")
        copy.execute("PRAGMA journal_mode = DELETE")  # all of it in one file
    return facts


def _dump(engine: Engine, target: Path, moved: Moved) -> Books:
    with reading(engine) as connection:
        snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        facts = _facts("postgresql", lambda question: [tuple(row) for row in connection.execute(text(question))])
        _run(
            engine.url,
            "pg_dump",
            f"--snapshot={snapshot}",
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--file={target}",
        )
    moved(target.stat().st_size)
    return facts


def _facts(database: str, ask: Any) -> Books:
    found = {name: ask(question) for name, question in _FACTS.items()}
    return Books(
        database=database,
        revision=found["revision"][0][0],
        high_water={frontend: int(seq) for frontend, seq in found["high_water"]},
        chain_height=int(found["chain_height"][0][0]) if found["chain_height"] else 0,
        rows=int(found["rows"][0][0]),
    )


def why_not_empty(engine: Engine) -> str | None:
    """What already is in the database that books are to be put into; None if nothing is. Raises BackupFailed."""
    if engine.dialect.name == "sqlite":
        file = Path(str(engine.url.database))
        return f"{file} is there already" if file.exists() else None
    try:
        with engine.connect() as connection:
            tables = inspect(connection).get_table_names()
    except SQLAlchemyError as error:
        raise BackupFailed(f"the database cannot be reached: {error}") from error
    where = engine.url.render_as_string(hide_password=True)
    return f"the database {where} has {len(tables)} tables already" if tables else None


def is_loading(engine: Engine) -> bool:
    """Whether a load of this database goes on: that of a command that was killed ends by itself. Raises
    BackupFailed."""
    if engine.dialect.name == "sqlite":
        return False
    try:
        with engine.begin() as connection:
            return not connection.execute(select(func.pg_try_advisory_xact_lock(WRITER_LOCK))).scalar_one()
    except SQLAlchemyError as error:
        raise BackupFailed(f"the database cannot be reached: {error}") from error


class Stop(Struct, frozen=True):
    """Payouts are stopped, until the wallet's history from that height on was compared with the books."""

    reason: str
    time_ms: int
    height: int

    def statements(self, dialect: Dialect) -> Iterator[str]:
        """As SQL with its values in it."""
        next_id = select(func.coalesce(func.max(payout_switch.c.id), 0) + 1).scalar_subquery()
        said: dict[str, Any] = {"time_ms": self.time_ms, "is_stopped": True, "reason": self.reason}
        for statement in (
            insert(payout_switch).values(id=next_id, **said),
            delete(progress).where(progress.c.name == _RESTORED),
            insert(progress).values(name=_RESTORED, value=max(self.height, 1)),
        ):
            yield str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def are_in_place(engine: Engine, stop: Stop) -> bool:
    """Whether the books in a database are those that were put there with this stop. Raises BackupFailed."""
    if why_not_empty(engine) is None:
        return False
    try:
        with reading(engine) as connection:
            if not inspect(connection).has_table(payout_switch.name):
                return False
            same = and_(payout_switch.c.time_ms == stop.time_ms, payout_switch.c.reason == stop.reason)
            return connection.execute(select(payout_switch.c.id).where(same)).first() is not None
    except SQLAlchemyError as error:
        raise BackupFailed(f"the books cannot be read: {error}") from error


def stop_payouts(file: Path, stop: Stop) -> None:
    """In a copy that is not in use yet, so that it never is without that."""
    with closing(sqlite3.connect(file)) as books, books:
        for statement in stop.statements(sqlite_dialect.dialect()):
            books.execute(statement)


def load_dump(engine: Engine, dump: Path, stop: Stop) -> None:
    """Put the books back into an empty database with payouts stopped: all in one transaction, or nothing.

    Raises BackupFailed.
    """
    script = dump.with_suffix(".sql")
    _run(None, "pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(dump))
    with script.open("a", encoding="utf-8") as file:
        file.write("\nSET search_path TO public;\n")  # pg_restore has emptied it
        for statement in stop.statements(engine.dialect):
            file.write(f"{statement};\n")
    _run(
        engine.url,
        "psql",
        "--single-transaction",
        "--set=ON_ERROR_STOP=1",
        "--quiet",
        "--no-psqlrc",
        f"--command=SELECT pg_advisory_xact_lock({WRITER_LOCK})",
        f"--file={script}",
    )
    script.unlink()


def _run(url: URL | None, program: str, *arguments: str) -> None:
    """One of PostgreSQL's programs; the password is not among its arguments, which every user can see."""
    environment = dict(os.environ)
    words = [_program(program), *arguments]
    if url is not None:
        plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
        words.append(f"--dbname={plain.render_as_string(hide_password=False)}")
        if url.password is not None:
            environment["PGPASSWORD"] = str(url.password)
    done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise BackupFailed(f"{program} ended with {done.returncode}: {'; '.join(said[:3]) or 'no word'}")


def _program(name: str) -> str:
    """On PATH, or where Debian hides those of each version; the newest one."""
    if found := shutil.which(name):
        return found
    versions = Path(_DEBIAN_PROGRAMS).glob(f"*/bin/{name}")
    newest = max(versions, key=lambda path: int(path.parent.parent.name), default=None)
    if newest is None:
        raise BackupFailed(f"there is no {name} on PATH: install the PostgreSQL client (apt install postgresql-client)")
    return str(newest)


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A folder of ours beside a target, gone afterwards."""
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
