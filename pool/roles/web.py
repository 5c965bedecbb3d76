"""The web role: the page and the API over Redis and the ledger."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Any

from twisted.internet.threads import deferToThread

from payout.store.reports import SqlReports
from pool.config import Config
from pool.dashboard.app import dashboard_site
from pool.dashboard.books import LedgerBooks
from pool.dashboard.live import RedisLive
from pool.dashboard.overview import About
from pool.roles.clock import SystemClock
from pool.roles.database import reach_database
from pool.roles.doors import Doors, host_and_port
from pool.roles.heartbeat import Heartbeat
from pool.roles.redis_link import open_redis
from pool.roles.twisted_role import Role


class WebRole(Role):
    """What people see."""

    def __init__(self, config: Config, reactor: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._listen = config.web.listen
        clock = SystemClock()
        about = About(
            name="Steppe",
            version=version("steppe"),
            chain=config.pool.chain,
            stratum_port=host_and_port(config.stratum.listen[0])[1],
        )
        books = LedgerBooks(SqlReports(reach_database(config)), deferToThread, clock)
        live = RedisLive(open_redis(config), deferToThread, clock)
        self._site = dashboard_site(live, books, clock, reactor, about)
        self._doors = Doors(reactor)
        self._heartbeat = Heartbeat(config, reactor, "web", "0", dict)

    async def start(self) -> None:
        await self._doors.open(self._listen, self._site)
        self._heartbeat.start()

    async def stop(self) -> None:
        self._heartbeat.stop()
        await self._doors.close()
