"""Explanations for the dashboard, out of SQL and the journals of this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from twisted.internet.defer import DeferredSemaphore

from payout.explain.balance import BalanceExplained
from payout.explain.payment import PayoutExplained
from payout.ledger import LedgerError
from payout.ports import LedgerUnavailable
from payout.store.explained import Explained, Unknown
from pool.dashboard.explain import NotExplained
from pool.dashboard.ports import SourceUnavailable
from pool.dashboard.threads import InThread
from pool.explain.find import NotFound, by_id
from pool.explain.reject import RejectExplained, explained_of
from pool.explain.shares import SharesListed, shares_of
from pool.explain.words import CreditFigures
from pool.journal.lookup import journals_in
from pool.journal.records import RecordsUnreadable
from pool.journal.segments import JournalDamaged
from pool.ports import Clock

WAITING_MAX = 8
"""Segments of journals are read one at a time, and so many requests wait for that; whoever comes then comes again."""

T = TypeVar("T")


class SqlExplaining:
    """Satisfies pool.dashboard.explain.Explaining. journals: the folder that they are in."""

    def __init__(self, engine: Engine, journals: Path, in_thread: InThread, clock: Clock) -> None:
        self._explained = Explained(engine)
        self._journals = journals
        self._in_thread = in_thread
        self._clock = clock
        self._reading = DeferredSemaphore(1)

    async def credit(self, credit_id: str) -> CreditFigures:
        return await self._ask(lambda: self._explained.credit(credit_id))

    async def payout(self, number: int, account: str | None) -> PayoutExplained:
        return await self._ask(lambda: self._explained.payout(number, account))

    async def balance(self, account: str) -> BalanceExplained:
        return await self._ask(lambda: self._explained.balance(account, self._clock.time_ms()))

    async def share(self, share_id: str) -> RejectExplained:
        def explain() -> RejectExplained:
            journals = journals_in([self._journals])
            return explained_of(journals, by_id(journals, share_id))

        return await self._read(explain)

    async def shares(self, login: str, from_ms: int, to_ms: int) -> SharesListed:
        return await self._read(lambda: shares_of(journals_in([self._journals]), login, from_ms, to_ms))

    async def _read(self, work: Callable[[], T]) -> T:
        if len(self._reading.waiting) >= WAITING_MAX:
            raise SourceUnavailable("too many shares are explained at once")
        await self._reading.acquire()
        try:
            return await self._ask(work)
        finally:
            self._reading.release()

    async def _ask(self, work: Callable[[], T]) -> T:
        try:
            return await self._in_thread(work)
        except (Unknown, NotFound) as error:
            raise NotExplained(str(error)) from error
        except (LedgerError, LedgerUnavailable, JournalDamaged, RecordsUnreadable, OSError) as error:
            raise SourceUnavailable(str(error)) from error
