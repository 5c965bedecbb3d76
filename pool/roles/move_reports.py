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
from pool.fleet.move import MoveRefused
from pool.fleet.report import MoveReport, machines, report
from pool.ports import Clock
from pool.store.moves import SqlMoves
from pool.store.sql import reading

T = TypeVar("T")


class SqlMoveReports:
    """Satisfies pool.dashboard.moves.Moves."""

    def __init__(self, engine: Engine, in_thread: InThread, clock: Clock) -> None:
        self._engine = engine
        self._in_thread = in_thread
        self._clock = clock

    async def every(self) -> tuple[MoveReport, ...]:
        now_ms = self._clock.time_ms()
        return await self._read(
            lambda books: tuple(report(kept.move, books.travellers(kept.id), now_ms) for kept in books.every())
        )

    async def move(self, name: str) -> MoveDetail | None:
        now_ms = self._clock.time_ms()

        def one(books: SqlMoves) -> MoveDetail | None:
            try:
                kept = books.get(name)
            except MoveRefused:
                return None
            travellers = books.travellers(kept.id)
            return MoveDetail(report(kept.move, travellers, now_ms), tuple(machines(kept.move, travellers, now_ms)))

        return await self._read(one)

    async def _read(self, question: Callable[[SqlMoves], T]) -> T:
        def ask() -> T:
            with errors_of_ours(self._engine), reading(self._engine) as connection:
                return question(SqlMoves(connection))

        try:
            return await self._in_thread(ask)
        except LedgerUnavailable as unavailable:
            raise SourceUnavailable(str(unavailable)) from unavailable
