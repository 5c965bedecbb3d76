"""Drafts of moves in SQL. Methods that write belong into a transaction of `pool.store.sql.writing`."""

from __future__ import annotations

from itertools import groupby

from sqlalchemy import Connection, Row, Select, insert, select

from pool.fleet.draft import Draft
from pool.fleet.move import Event, Step
from pool.store.move_tables import move, move_draft


class SqlDrafts:
    """Rows are only added: what happened to a draft is never changed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def every(self) -> list[Draft]:
        """All that there ever were, also those that are planned, by name."""
        return self._read(select(move_draft))

    def unplanned(self) -> list[Draft]:
        """Those that no move has come of, the newest first: open ones, and those that were dropped."""
        found = self._read(select(move_draft).where(move_draft.c.name.not_in(select(move.c.name))))
        return sorted(found, key=lambda each: each.events[0].time_ms, reverse=True)

    def get(self, name: str) -> Draft | None:
        """One that no move has come of; None if there is none of that name."""
        found = self._read(
            select(move_draft).where(move_draft.c.name == name, move_draft.c.name.not_in(select(move.c.name)))
        )
        return found[0] if found else None

    def keep(self, draft: Draft) -> None:
        """What happened last to a draft."""
        event = draft.events[-1]
        self._connection.execute(
            insert(move_draft).values(
                name=draft.name,
                number=len(draft.events),
                site=draft.site,
                account=draft.account,
                pattern=draft.pattern,
                deadline_ms=draft.deadline_ms,
                step=event.step.value,
                time_ms=event.time_ms,
                actor=event.actor,
                reason=event.reason,
            )
        )

    def _read(self, query: Select[tuple[object, ...]]) -> list[Draft]:
        rows = self._connection.execute(query.order_by(move_draft.c.name, move_draft.c.number))
        return [_draft(list(of_one)) for _, of_one in groupby(rows, key=lambda row: row.name)]


def _draft(rows: list[Row[tuple[object, ...]]]) -> Draft:
    newest = rows[-1]
    events = tuple(
        Event(f"{row.step} {row.number}", Step(row.step), row.time_ms, row.actor, row.reason) for row in rows
    )
    return Draft(newest.name, newest.site, newest.account, newest.pattern, newest.deadline_ms, events)
