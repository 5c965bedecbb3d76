"""Moves for the dashboard, read from SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine

from payout.ports import LedgerUnavailable
from payout.store.ledger import errors_of_ours
from pool.dashboard.moves import MoveDetail
from pool.dashboard.ports import SourceUnavailable
from pool.dashboard.threads import InThread
from pool.fleet.report import MoveReport
from pool.ports import Clock
from pool.roles.move_books import MoveBooks
from pool.store.sql import reading

T = TypeVar("T")


class SqlMoveReports:
    """Satisfies pool.dashboard.moves.Moves."""

    def __init__(self, engine: Engine, in_thread: InThread, clock: Clock, rack_rule: str) -> None:
        self._engine = engine
        self._in_thread = in_thread
        self._clock = clock
        self._rack_rule = rack_rule

    async def every(self) -> tuple[MoveReport, ...]:
        return await self._read(lambda books: tuple(books.every()))

    async def move(self, name: str) -> MoveDetail | None:
        def one(books: MoveBooks) -> MoveDetail | None:
            found = books.find(name)
            return None if found is None else MoveDetail(found[0], tuple(found[1]))

        return await self._read(one)

    async def _read(self, question: Callable[[MoveBooks], T]) -> T:
        def ask() -> T:
            with errors_of_ours(self._engine), reading(self._engine) as connection:
                return question(MoveBooks(connection, self._clock.time_ms(), self._rack_rule))

        try:
            return await self._in_thread(ask)
        except LedgerUnavailable as unavailable:
            raise SourceUnavailable(str(unavailable)) from unavailable
