"""The ledger store on SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, ProgrammingError

from payout.ledger import LedgerError
from payout.ports import LedgerUnavailable
from payout.store.accounts import SqlAccounts
from payout.store.accruals import SqlAccruals
from payout.store.activity import SqlActivity
from payout.store.blocks import SqlBlocks
from payout.store.epochs import SqlEpochs
from payout.store.fee_days import SqlFeeDays
from payout.store.journal import SqlJournal
from payout.store.leases import SqlLeases
from payout.store.luck import SqlLuck
from payout.store.payees import SqlPayees
from payout.store.payouts import SqlPayouts
from payout.store.reserve import SqlReserve
from payout.store.shares import SqlShares
from payout.store.slices import SqlSlices
from payout.store.strays import SqlGuards, SqlStrays
from pool import failpoints
from pool.store.sql import reading, writing


class SqlBooks:
    """Everything that one transaction reads and writes. Satisfies payout.ports.Books."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.accounts = SqlAccounts(connection)
        self.shares = SqlShares(connection)
        self.accruals = SqlAccruals(connection)
        self.fee_days = SqlFeeDays(connection)
        self.reserve = SqlReserve(connection)
        self.slices = SqlSlices(connection)
        self.blocks = SqlBlocks(connection)
        self.journal = SqlJournal(connection)
        self.payouts = SqlPayouts(connection)
        self.payees = SqlPayees(connection)
        self.leases = SqlLeases(connection)
        self.strays = SqlStrays(connection)
        self.luck = SqlLuck(connection)
        self.epochs = SqlEpochs(connection)
        self.activity = SqlActivity(connection)
        self.guards = SqlGuards(connection)


class SqlLedger:
    """The books on disk. Satisfies payout.ports.LedgerStore."""

    def __init__(self, engine: Engine) -> None:
        """engine: of `pool.store.sql.connect`, with the schema of this version."""
        self._engine = engine

    @contextmanager
    def write(self) -> Iterator[SqlBooks]:
        """A transaction: all of it is durable when the block ends, or none of it if it raises."""
        with errors_of_ours(self._engine), writing(self._engine) as connection:
            yield SqlBooks(connection)
            failpoints.hit("books-written")
        failpoints.hit("books-committed")

    @contextmanager
    def read(self) -> Iterator[SqlBooks]:
        """The books as they were at one moment."""
        with errors_of_ours(self._engine), reading(self._engine) as connection:
            yield SqlBooks(connection)


@contextmanager
def errors_of_ours(engine: Engine) -> Iterator[None]:
    """Turn the database's errors into LedgerUnavailable and LedgerError."""
    try:
        yield
    except IntegrityError as error:
        # One writer at a time never breaks a constraint, so the books are not what this process takes them for.
        raise LedgerError(f"the database refused a row of the books: {error.orig}") from error
    except (OperationalError, InterfaceError, ProgrammingError) as error:
        raise LedgerUnavailable(_unavailable(engine, error)) from error


def _unavailable(engine: Engine, error: DBAPIError) -> str:
    where = engine.url.render_as_string(hide_password=True)
    what = " ".join(str(error.orig).split())
    if "no such table" in what or isinstance(error, ProgrammingError):
        # The accounting role makes and upgrades the tables when it starts.
        return f"the database {where} is not of this version: {what}; start the accounting role, which upgrades it"
    if engine.dialect.name == "sqlite":
        mend = "check that its folder exists, is writable and has room, and that no other program keeps it locked"
    else:
        mend = "check that the server runs, knows this user and has room"
    return f"the database {where} cannot be used: {what}; {mend}"
