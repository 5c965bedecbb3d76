"""The web role: the page and the API over Redis and the ledger."""

from __future__ import annotations

import asyncio
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from twisted.internet.threads import deferToThread

from payout.store.reports import SqlReports
from pool.config import Config
from pool.dashboard.app import Access, dashboard_sites
from pool.dashboard.books import LedgerBooks
from pool.dashboard.fleets import LedgerFleets
from pool.dashboard.live import RedisLive
from pool.dashboard.overview import About
from pool.dashboard.views import Sources
from pool.paths import Paths
from pool.roles.access import AccessBooks
from pool.roles.alerts import Alerts, AlertSources, configured_senders
from pool.roles.clock import SystemClock
from pool.roles.credentials import ThreadedCredentials
from pool.roles.database import reach_database
from pool.roles.doors import Doors, host_and_port
from pool.roles.explaining import SqlExplaining
from pool.roles.fleets import read_register
from pool.roles.garbage import GarbageCollection
from pool.roles.heartbeat import Heartbeat
from pool.roles.move_reports import SqlMoveReports
from pool.roles.orders import OfficeOrders
from pool.roles.redis_link import open_redis
from pool.roles.report_source import SqlReporting
from pool.roles.solvency import Solvency
from pool.roles.twisted_role import Role


class WebRole(Role):
    """What people see."""

    def __init__(self, config: Config, reactor: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._web = config.web
        clock = SystemClock()
        about = About(
            name="Steppe",
            version=version("steppe"),
            chain=config.pool.chain,
            stratum_port=host_and_port(config.stratum.listen[0])[1],
        )
        engine = reach_database(config)
        books = LedgerBooks(SqlReports(engine), deferToThread, clock, Solvency(config, engine).report)
        fleets = LedgerFleets(partial(read_register, engine), deferToThread)
        redis = open_redis(config)
        live = RedisLive(redis, deferToThread, clock)
        moves = SqlMoveReports(engine, deferToThread, clock, config.fleet.rack_rule)
        access = Access(
            ThreadedCredentials(AccessBooks(engine, clock), deferToThread),
            OfficeOrders(config, deferToThread),
            tuple(config.web.public),
            tuple(config.web.proxy_from),
            tuple(config.web.admin_hosts),
        )
        sources = Sources(
            live,
            books,
            fleets,
            moves,
            rack_rule=config.fleet.rack_rule,
            worker_series=config.web.worker_series,
            reporting=SqlReporting(engine, redis, deferToThread, clock, config.fleet.rack_rule),
            explaining=SqlExplaining(engine, Paths(Path(config.pool.data_dir)).journal, deferToThread, clock),
        )
        self._sites = dashboard_sites(sources, access, clock, reactor, about)
        # With a reading of its own: the page's may be kept from it by whoever reads much.
        store = open_redis(config)
        looked_at = AlertSources(RedisLive(store, deferToThread, clock), books, fleets, store)
        self._alerts = Alerts(config, reactor, clock, looked_at, configured_senders(config, clock))
        self._doors = Doors(reactor)
        self._heartbeat = Heartbeat(config, reactor, "web", "0", dict)
        self._garbage = GarbageCollection(reactor)

    async def start(self) -> None:
        self._garbage.start()
        await self._doors.open(self._web.listen, self._sites.public)
        await self._doors.open(self._web.admin_listen, self._sites.admin)
        self._heartbeat.start()
        self._alerts.start()

    async def stop(self) -> None:
        self._alerts.stop()
        self._heartbeat.stop()
        self._garbage.stop()
        await self._doors.close()
