"""Credentials and the log of access in the configured database: for commands, and for the web role's threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine

from payout.store.ledger import errors_of_ours
from pool.access import credential, log
from pool.access.credential import Credential, Directory, Kind, Wish
from pool.access.log import Entry
from pool.access.password import hashed
from pool.access.scope import AccessRefused
from pool.config import Config
from pool.ports import Clock
from pool.roles.clock import SystemClock
from pool.roles.database import open_database
from pool.store.access import SqlAccess
from pool.store.sql import reading, writing

HERE = "this machine"


@contextmanager
def open_access(config: Config) -> Iterator[AccessBooks]:
    """The credentials for a moment."""
    Path(config.pool.data_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = open_database(config)
    try:
        yield AccessBooks(engine, SystemClock())
    finally:
        engine.dispose()


class AccessBooks:
    """Each method is one transaction, its entry in the log included. Raises LedgerUnavailable, AccessRefused."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def directory(self) -> Directory:
        """What holds now."""
        with errors_of_ours(self._engine), reading(self._engine) as connection:
            return Directory(SqlAccess(connection).live(self._clock.time_ms()))

    def record(self, who: str, action: str, target: str, origin: str, result: str) -> None:
        """Keep in the log what was done or tried."""
        with self._writing() as books:
            books.record(self._entry(who, action, target, origin, result))

    def set_password(self, name: str, password: str, who: str, origin: str) -> None:
        """An operator's password; the one before, and the sessions it made, are over."""
        now_ms = self._clock.time_ms()
        wished, kept = credential.operator(Kind.PASSWORD, name, None), hashed(password, name)
        with self._writing() as books:
            for row in books.live(now_ms):
                if (row.kind, row.name) == (Kind.PASSWORD, name) or _came_by_invitation(row, name):
                    books.end(row.id, who, now_ms)
            books.add(wished, kept, who, now_ms)
            books.record(self._entry(who, "operator.password", name, origin, "done"))

    def invite(self, name: str, who: str, origin: str) -> str:
        """The secret by which an operator comes in once, and soon."""
        secret = credential.new_secret(Kind.INVITE)
        now_ms = self._clock.time_ms()
        with self._writing() as books:
            wished = credential.operator(Kind.INVITE, name, now_ms + credential.INVITE_MS)
            books.add(wished, credential.digest(secret), who, now_ms)
            books.record(self._entry(who, "operator.link", name, origin, "done"))
        return secret

    def issue(self, wished: Wish, who: str, origin: str) -> tuple[int, str]:
        """Make a link, a key or a token: its number, and the secret, which is nowhere else."""
        secret = credential.new_secret(wished.kind)
        with self._writing() as books:
            number = books.add(wished, credential.digest(secret), who, self._clock.time_ms())
            target = f"{number} {wished.name} {wished.scope} {','.join(sorted(wished.rights))}"
            books.record(self._entry(who, f"{wished.kind}.made", target, origin, "done"))
        return number, secret

    def revoke(self, number: int, who: str, origin: str) -> Credential:
        """It, and the sessions it made, are over."""
        with self._writing() as books:
            row = books.end(number, who, self._clock.time_ms())
            books.record(self._entry(who, f"{row.kind}.revoked", f"{row.id} {row.name} {row.scope}", origin, "done"))
        return row

    def log_in(self, by: Credential, who: str, origin: str) -> str:
        """The secret of a session for who showed a credential; an invitation is over with it."""
        secret = credential.new_secret(Kind.SESSION)
        now_ms = self._clock.time_ms()
        with self._writing() as books:
            if not any(row.id == by.id for row in books.live(now_ms)):
                raise AccessRefused("this is over: it was revoked, has expired, or was used already")
            if by.kind is Kind.INVITE:
                books.end(by.id, who, now_ms)
            books.add(credential.session(by, now_ms), credential.digest(secret), who, now_ms)
            books.record(self._entry(who, "login", f"{by.id} {by.kind}", origin, "done"))
        return secret

    def entries(self, offset: int, count: int, sought: log.Sought | None = None) -> log.Excerpt:
        """Rows of the log from the newest on. sought: of all if it is not said."""
        with errors_of_ours(self._engine), reading(self._engine) as connection:
            return SqlAccess(connection).entries(offset, count, sought or log.Sought())

    def broken(self) -> int | None:
        """The first row of the log that is not what it was; None if all are."""
        with errors_of_ours(self._engine), reading(self._engine) as connection:
            return SqlAccess(connection).broken()

    @contextmanager
    def _writing(self) -> Iterator[SqlAccess]:
        connection: Connection
        with errors_of_ours(self._engine), writing(self._engine) as connection:
            yield SqlAccess(connection)

    def _entry(self, who: str, action: str, target: str, origin: str, result: str) -> Entry:
        return log.entry(self._clock.time_ms(), who, action, target, origin, result)


def _came_by_invitation(row: Credential, name: str) -> bool:
    """Its session has no maker whose end would be its own."""
    return row.kind is Kind.SESSION and row.is_operator and row.parent is None and row.name == name
