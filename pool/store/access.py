"""Credentials and the log of access in SQL. What writes belongs into a transaction of `pool.store.sql.writing`."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select

from pool.access import log
from pool.access.credential import Credential, Kind, Right, Wish
from pool.access.log import Entry
from pool.access.scope import AccessRefused, parse_scope
from pool.store.access_tables import access_credential, access_end, access_log

_ENTRY = ("time_ms", "who", "action", "target", "origin", "result")
_READ_AT_ONCE = 10_000


class SqlAccess:
    """Nothing in it is ever changed: a credential that is over has a row that says so."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def live(self, now_ms: int) -> list[Credential]:
        """Those that hold, by their numbers. Of a session whose maker has ended, only the session is among them."""
        rows = self._connection.execute(
            select(access_credential)
            .outerjoin(access_end, access_end.c.credential_id == access_credential.c.id)
            .where(access_end.c.credential_id.is_(None))
            .where(or_(access_credential.c.until_ms.is_(None), access_credential.c.until_ms > now_ms))
            .order_by(access_credential.c.id)
        )
        return [
            Credential(
                row.id,
                Kind(row.kind),
                row.name,
                parse_scope(row.scope),
                frozenset(map(Right, row.rights.split(","))),
                row.secret,
                row.parent_id,
                row.created_ms,
                row.until_ms,
                row.made_by,
            )
            for row in rows
        ]

    def add(self, wished: Wish, secret: str, made_by: str, now_ms: int) -> int:
        """Keep a new one; its number. secret: the hash. Raises AccessRefused when its name is taken."""
        if wished.kind in (Kind.LINK, Kind.KEY, Kind.TOKEN) and any(
            (row.kind, row.name) == (wished.kind, wished.name) for row in self.live(now_ms)
        ):
            raise AccessRefused(
                f"there is a {wished.kind} {wished.name} already: revoke it first, or take another name; "
                "`steppe access list` shows those that hold"
            )
        newest = self._connection.execute(select(func.max(access_credential.c.id))).scalar_one_or_none() or 0
        self._connection.execute(
            insert(access_credential).values(
                id=newest + 1,
                kind=wished.kind.value,
                name=wished.name,
                scope=str(wished.scope),
                rights=",".join(sorted(wished.rights)),
                secret=secret,
                parent_id=wished.parent,
                created_ms=now_ms,
                until_ms=wished.until_ms,
                made_by=made_by,
            )
        )
        return newest + 1

    def end(self, credential_id: int, ended_by: str, now_ms: int) -> Credential:
        """It holds no more. Raises AccessRefused when it does not hold now: of two who use it once, one is late."""
        row = next((row for row in self.live(now_ms) if row.id == credential_id), None)
        if row is None:
            raise AccessRefused(
                f"there is no credential {credential_id} that holds; `steppe access list` shows those that do"
            )
        self._connection.execute(
            insert(access_end).values(credential_id=credential_id, ended_ms=now_ms, ended_by=ended_by)
        )
        return row

    def record(self, said: Entry) -> None:
        """Keep what was done."""
        newest = self._connection.execute(
            select(access_log.c.id, access_log.c.hash).order_by(access_log.c.id.desc()).limit(1)
        ).one_or_none()
        number, previous = (1, log.FIRST) if newest is None else (newest.id + 1, newest.hash)
        values = {name: getattr(said, name) for name in _ENTRY}
        self._connection.execute(
            insert(access_log).values(id=number, hash=log.chained(previous, number, said), **values)
        )

    def entries(self, offset: int, count: int, sought: log.Sought) -> log.Excerpt:
        """Rows of the log from the newest on."""
        every = select(func.count()).select_from(access_log)
        conditions = _conditions(sought)
        kept = self._connection.execute(every).scalar_one()
        found = self._connection.execute(every.where(*conditions)).scalar_one() if conditions else kept
        rows = self._connection.execute(
            select(access_log).where(*conditions).order_by(access_log.c.id.desc()).offset(offset).limit(count)
        ).all()
        return log.Excerpt(tuple(_row(row) for row in rows), found, kept)

    def broken(self) -> int | None:
        """The first row of the log that is not what it was; None if all are."""
        return log.broken(self._every())

    def _every(self) -> Iterator[log.Row]:
        last = 0
        while True:
            rows = self._connection.execute(
                select(access_log).where(access_log.c.id > last).order_by(access_log.c.id).limit(_READ_AT_ONCE)
            ).all()
            if not rows:
                return
            for row in rows:
                yield _row(row)
            last = rows[-1].id


def _conditions(sought: log.Sought) -> list[ColumnElement[bool]]:
    texts = [access_log.c[name] for name in _ENTRY if name != "time_ms"]
    found = [or_(*(each.icontains(word, autoescape=True) for each in texts)) for word in sought.words]
    if sought.result == "refused":
        found.append(access_log.c.result.not_in([name for name in log.RESULTS if name != "refused"]))
    elif sought.result:
        found.append(access_log.c.result == sought.result)
    return found


def _row(row: object) -> log.Row:
    said = Entry(*(getattr(row, name) for name in _ENTRY))
    return log.Row(row.id, said, row.hash)  # type: ignore[attr-defined]
