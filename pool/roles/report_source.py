"""Reports for the dashboard, out of SQL and Redis."""

from __future__ import annotations

from sqlalchemy import Engine

from payout.ledger import LedgerError
from payout.ports import LedgerUnavailable
from pool.dashboard.ports import SourceUnavailable
from pool.dashboard.threads import InThread
from pool.ports import Clock, StoreUnavailable
from pool.reports.asked import Asked
from pool.reports.papers import Made
from pool.roles.reports import Reports
from pool.store.redis import RedisStore

_MINUTE_MS = 60_000


class SqlReporting:
    """Satisfies pool.dashboard.reports.Reporting."""

    def __init__(self, engine: Engine, redis: RedisStore, in_thread: InThread, clock: Clock, rack_rule: str) -> None:
        self._engine = engine
        self._redis = redis
        self._in_thread = in_thread
        self._clock = clock
        self._rack_rule = rack_rule

    async def make(self, asked: Asked) -> Made:
        """As of the last full minute. Raises SourceUnavailable, ReportRefused."""
        now_ms = self._clock.time_ms() // _MINUTE_MS * _MINUTE_MS
        reports = Reports(self._engine, now_ms, asked.known_ms)
        try:
            return await self._in_thread(
                lambda: reports.make(asked, lambda: self._redis.read_workers(now_ms), self._rack_rule)
            )
        except (LedgerUnavailable, LedgerError, StoreUnavailable) as error:
            raise SourceUnavailable(str(error)) from error
