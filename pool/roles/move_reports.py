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
from pool.roles.standing import Standing
from pool.store.sql import reading

T = TypeVar("T")


class SqlMoveReports:
    """Satisfies pool.dashboard.moves.Moves."""

    def __init__(self, engine: Engine, in_thread: InThread, clock: Clock) -> None:
        self._engine = engine
        self._in_thread = in_thread
        self._clock = clock

    async def every(self) -> tuple[MoveReport, ...]:
        return await self._read(lambda standing: tuple(standing.every()))

    async def move(self, name: str) -> MoveDetail | None:
        def one(standing: Standing) -> MoveDetail | None:
            found = standing.find(name)
            return None if found is None else MoveDetail(found[0], tuple(found[1]))

        return await self._read(one)

    async def _read(self, question: Callable[[Standing], T]) -> T:
        def ask() -> T:
            with errors_of_ours(self._engine), reading(self._engine) as connection:
                return question(Standing(connection, self._clock.time_ms()))

        try:
            return await self._in_thread(ask)
        except LedgerUnavailable as unavailable:
            raise SourceUnavailable(str(unavailable)) from unavailable
