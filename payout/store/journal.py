"""The ledger's rows in SQL. The database refuses to change them: see the triggers of the first migration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select

from payout.ledger import FIRST_PREV_HASH, Entry, LedgerError, Posting, Row, check_sides, row_hash
from payout.store.statements import chunks
from pool.store.sql import entry, journal

_ROWS_AT_ONCE = 1_000


class SqlJournal:
    """Satisfies payout.ports.Journal."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def post(self, postings: Sequence[Posting]) -> int:
        """Book what was not booked before and return how many that were."""
        fresh = self._fresh(postings)
        if not fresh:
            return 0
        last = self._connection.execute(
            select(journal.c.id, journal.c.hash).order_by(journal.c.id.desc()).limit(1)
        ).one_or_none()
        row_id, prev_hash = (0, FIRST_PREV_HASH) if last is None else (last.id, last.hash)
        rows: list[dict[str, Any]] = []
        entries: list[dict[str, Any]] = []
        for posted in fresh:
            row_id += 1
            own_hash = row_hash(prev_hash, posted)
            rows.append(
                {
                    "id": row_id,
                    "time_ms": posted.time_ms,
                    "key": posted.key,
                    "kind": posted.kind,
                    "ref": posted.ref,
                    "prev_hash": prev_hash,
                    "hash": own_hash,
                }
            )
            entries += (
                {"journal_id": row_id, "account": each.account, "amount_sat": each.amount_sat}
                for each in posted.entries
            )
            prev_hash = own_hash
        self._connection.execute(insert(journal), rows)
        self._connection.execute(insert(entry), entries)
        check_sides(self.balances_sat({name for posted in fresh for name in posted.sided_accounts}))
        return len(fresh)

    def count(self) -> int:
        """How many rows there are."""
        return int(self._connection.execute(select(func.count()).select_from(journal)).scalar_one())

    def rows(self) -> Iterator[Row]:
        """All rows, in order."""
        return self._rows(ROWS)

    def rows_after(self, row_id: int) -> Iterator[Row]:
        """The rows that followed one, in order."""
        return self._rows(ROWS.where(journal.c.id > row_id))

    def rows_of(self, ref: str) -> list[Row]:
        """The rows about one thing, in order."""
        return list(self._rows(ROWS.where(journal.c.ref == ref)))

    def balances_sat(self, accounts: Iterable[str] | None = None) -> dict[str, int]:
        """Balances of these accounts, or of all; those without entries are left out."""
        sums = select(entry.c.account, func.sum(entry.c.amount_sat)).group_by(entry.c.account)
        if accounts is None:
            return {name: int(total) for name, total in self._connection.execute(sums)}
        balances: dict[str, int] = {}
        for chunk in chunks(list(accounts)):
            rows = self._connection.execute(sums.where(entry.c.account.in_(chunk)))
            balances.update((name, int(total)) for name, total in rows)
        return balances

    def balance_after(self, account: str, row_id: int) -> tuple[int, int]:
        """What an account moved in the rows that followed one, and the newest row; so a look costs what is new."""
        newest_id = self._connection.execute(select(func.coalesce(func.max(journal.c.id), 0))).scalar_one()
        moved = select(func.coalesce(func.sum(entry.c.amount_sat), 0)).where(entry.c.account == account)
        if row_id:  # else it is all of them, and the index by account is the short way
            moved = moved.where(entry.c.journal_id > row_id)
        return int(self._connection.execute(moved).scalar_one()), int(newest_id)

    def _fresh(self, postings: Sequence[Posting]) -> list[Posting]:
        """The postings whose keys are new. Raises LedgerError for a key with other content."""
        by_key: dict[str, Posting] = {}
        for posted in postings:
            _check_same(by_key.setdefault(posted.key, posted), posted)
        for chunk in chunks(by_key):
            for row in self._rows(ROWS.where(journal.c.key.in_(chunk))):
                _check_same(row.posting, by_key.pop(row.posting.key))
        return list(by_key.values())

    def _rows(self, statement: Select[Any]) -> Iterator[Row]:
        found = self._connection.execute(statement, execution_options={"yield_per": _ROWS_AT_ONCE})
        with closing(found):
            for row_id, group in groupby(found, key=lambda line: line.id):
                lines = list(group)
                first = lines[0]
                # Sorted here: every database has an order of its own for text.
                entries = sorted(
                    (Entry(line.account, line.amount_sat) for line in lines), key=lambda each: each.account
                )
                posted = Posting(first.key, first.kind, first.ref, first.time_ms, tuple(entries))
                yield Row(row_id, posted, first.prev_hash, first.hash)


ROWS = (
    select(
        journal.c.id,
        journal.c.time_ms,
        journal.c.key,
        journal.c.kind,
        journal.c.ref,
        journal.c.prev_hash,
        journal.c.hash,
        entry.c.account,
        entry.c.amount_sat,
    )
    .join(entry, entry.c.journal_id == journal.c.id)
    .order_by(journal.c.id)
)
"""Every entry with its row, in order of the rows."""


def _check_same(before: Posting, again: Posting) -> None:
    if not before.says_the_same_as(again):
        raise LedgerError(f"{again.key} was booked before with other content")
