"""The ledger's database."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, select

from payout.ports import LedgerUnavailable
from payout.store.ledger import SqlLedger, errors_of_ours
from pool.config import Config
from pool.journal.retention import LedgerAway
from pool.paths import Paths
from pool.roles.clock import SystemClock
from pool.roles.processes import has_ended
from pool.store.sql import connect, lease
from pool.store.upgrade import BooksInUse, NewerBooks, upgrade


def reach_database(config: Config) -> Engine:
    """An engine for the configured database, as it is; it connects when it is first used."""
    return connect(config.database.url or f"sqlite:///{Paths(Path(config.pool.data_dir)).ledger}")


def open_database(config: Config) -> Engine:
    """The same, brought to this version's schema, unless a pool of an older version keeps the books. Raises
    LedgerUnavailable."""
    engine = reach_database(config)
    try:
        with errors_of_ours(engine):
            upgrade(engine, lambda connection: _keeper(connection, SystemClock().time_ms()))
    except (NewerBooks, BooksInUse) as error:
        engine.dispose()
        raise LedgerUnavailable(str(error)) from error
    return engine


def _keeper(connection: Connection, now_ms: int) -> str | None:
    """The process that has one of the leases, of which the accounting role has some as long as it runs."""
    if not inspect(connection).has_table(lease.name):  # books of before there were any
        return None
    holders = connection.execute(select(lease.c.holder).where(lease.c.expires_ms > now_ms)).scalars()
    return next((holder for holder in holders if not has_ended(holder)), None)


class CommittedMarks:
    """How far journals are in the ledger, by the ledger itself: what `pool.journal.retention` asks for."""

    def __init__(self, config: Config) -> None:
        self._file = None if config.database.url else Paths(Path(config.pool.data_dir)).ledger
        self._ledger = SqlLedger(reach_database(config))

    def of(self, frontend: str) -> int:
        """The last record of a journal in the ledger, 0 for none; for any thread. Raises LedgerAway."""
        if self._file is not None and not self._file.exists():
            raise LedgerAway(f"there are no books at {self._file}")  # to ask would make an empty file
        try:
            with self._ledger.read() as books:
                return books.shares.high_water(frontend)
        except LedgerUnavailable as unavailable:
            raise LedgerAway(str(unavailable)) from unavailable
