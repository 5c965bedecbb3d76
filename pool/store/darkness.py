"""Workers in the dark, in SQL. Methods that write belong into a transaction of `pool.store.sql.writing`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from pool.store.report_tables import worker_dark


class SqlDarkness:
    """When each worker sent nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, since_ms: Mapping[str, int]) -> None:
        """These workers are dark since then. One of which that is known already stays as it is."""
        known = {(login, since) for login, since, _ in self.between(min(since_ms.values(), default=0), None)}
        rows = [{"login": login, "since_ms": since} for login, since in since_ms.items() if (login, since) not in known]
        if rows:
            self._connection.execute(insert(worker_dark), rows)

    def end(self, until_ms: Mapping[str, int]) -> None:
        """These workers are back."""
        rows = [{"of_login": login, "to_ms": ms} for login, ms in until_ms.items()]
        if rows:
            self._connection.execute(_END, rows)

    def open(self) -> dict[str, int]:
        """Who is dark, and since when."""
        rows = self._connection.execute(select(worker_dark).where(worker_dark.c.until_ms.is_(None)))
        return {row.login: row.since_ms for row in rows}

    def between(
        self, from_ms: int, to_ms: int | None, accounts: Collection[str] | None = None
    ) -> list[tuple[str, int, int | None]]:
        """Every darkness with a part in a time, as login, since and until, by login and time; of these accounts or of
        all."""
        query = select(worker_dark).where(or_(worker_dark.c.until_ms.is_(None), worker_dark.c.until_ms > from_ms))
        if to_ms is not None:
            query = query.where(worker_dark.c.since_ms < to_ms)
        rows = self._connection.execute(query.order_by(worker_dark.c.login, worker_dark.c.since_ms))
        return [
            (row.login, row.since_ms, row.until_ms)
            for row in rows
            if accounts is None or row.login.partition(".")[0] in accounts
        ]


_END = (
    update(worker_dark)
    .where(worker_dark.c.login == bindparam("of_login"), worker_dark.c.until_ms.is_(None))
    .values(until_ms=bindparam("to_ms"))
)
