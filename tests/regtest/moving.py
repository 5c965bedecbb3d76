"""Two regions, a dispatch and a mover on real SQL and a real Redis, for tests of moves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from pool.fleet.kinds import EventKind, Site, SiteEvent
from pool.fleet.move import Step
from pool.fleet.planning import Asked
from pool.fleet.racks import RACK_RULE
from pool.fleet.register import Entry
from pool.roles.dispatch import Dispatch
from pool.roles.mover import Mover
from pool.stats.tally import Tallies
from pool.store.fleets import SqlFleets
from pool.store.redis_moves import RedisMoves
from pool.store.sql import writing
from tests.fakes import FakeClock
from tests.pool.journal.samples import fold, share
from tests.regtest.looking import START_MS, engine, server
from tests.regtest.redis_child import RedisChild

__all__ = ["engine", "server"]

HERE, THERE = "a" * 16, "b" * 16
LOGINS = [f"acme.sc-r{rack}-{number}" for rack in (1, 2) for number in range(1, 4)]


class Scene:
    """Two regions as Redis shows them, a dispatch and a mover, on a clock that is turned by hand."""

    def __init__(self, server: RedisChild, engine: Engine) -> None:
        server.client.flushall()
        self.redis = server.store
        self.regions = RedisMoves(server.url)
        self.engine = engine
        self.clock = FakeClock(START_MS)
        self.dispatch = Dispatch(engine, self.redis, self.regions, self.clock, RACK_RULE)
        self.mover = self.another_mover("one:1:1")
        self.at = {"sichuan": set(LOGINS), "kazakhstan": set[str]()}
        self._shares = {HERE: Tallies(), THERE: Tallies()}
        self._told: dict[str, tuple[int, int]] = {}
        self.beat()

    def another_mover(self, holder: str) -> Mover:
        return Mover(self.engine, self.redis, self.regions, self.clock, holder)

    def beat(self) -> None:
        for number, (region, frontend) in enumerate((("sichuan", HERE), ("kazakhstan", THERE))):
            presence = [(*login.split(".", 1), "10.0.0.1", "x", 1.0, START_MS - 1000) for login in self.at[region]]
            data: dict[str, Any] = {
                "sessions": len(presence),
                "presence": presence,
                "region": region,
                "endpoint": f"{region}.pool.example:3333",
                "frontend": frontend,
            }
            self.redis.publish_role("stratum", str(number), data, 60)

    def share(self, login: str, frontend: str) -> None:
        """An accepted share in a region, now."""
        account, worker = login.split(".", 1)
        tallies = self._shares[frontend]
        fold(tallies, [share(1, account=account, worker=worker, time_ms=self.clock.time_ms())])
        self.redis.publish_tallies(frontend, tallies.snapshot(), 1, previous=None)

    def pass_seconds(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1)
            self.mover.tick()

    def plan(self, **changes: Any) -> None:
        self.dispatch.plan(asked(**changes), "ann", keep=True)

    def know(self, *told: SiteEvent) -> None:
        """What is said of a site, after both are known."""
        since: dict[str, Any] = {"valid_from_ms": START_MS - 1}
        sites = (
            Site(name="ganzi", country="CN", time_zone="Asia/Shanghai", region="sichuan", **since),
            Site(name="ekibastuz", country="KZ", time_zone="Asia/Almaty", region="kazakhstan", **since),
        )
        with writing(self.engine) as connection:
            SqlFleets(connection).record([Entry("line", each) for each in (*sites, *told)], START_MS)

    def orders(self, region: str = "sichuan") -> list[str]:
        return sorted(each.login for each in self.regions.orders(region))

    def go(self, *logins: str) -> None:
        """They follow, and find a share at the other end."""
        self.at["sichuan"] -= set(logins)
        self.at["kazakhstan"] |= set(logins)
        self.beat()
        for login in logins:
            self.share(login, THERE)

    def counts(self) -> dict[str, int]:
        return {what: count for what, count in self.dispatch.show("out")[0].counts.items() if count}


def notice(source: str, dark_ms: int) -> SiteEvent:
    return SiteEvent(
        site="ganzi",
        kind=EventKind.SUSPENSION,
        announced_ms=START_MS,
        wording="power off",
        time_zone="Asia/Shanghai",
        source=source,
        valid_from_ms=dark_ms,
    )


def asked(**changes: Any) -> Asked:
    fields: dict[str, Any] = {
        "name": "out",
        "account": "acme",
        "pattern": "sc-*",
        "origin": "sichuan",
        "target": "kazakhstan",
        "origin_endpoint": "",
        "target_endpoint": "",
        "pace": "30/min",
        "deadline_ms": START_MS + 3_600_000,
        "planned_on_ms": None,
        "tolerance_ms": 60_000,
        "start_ms": None,
        "wait_seconds": 0,
        "grace_seconds": 5,
        "words": "power off at nine, Beijing",
    }
    return Asked(**{**fields, **changes})


@pytest.fixture
def scene(server: RedisChild, engine: Engine) -> Iterator[Scene]:
    made = Scene(server, engine)
    yield made
    made.regions.close()


def running(scene: Scene) -> Scene:
    scene.plan()
    scene.dispatch.step("out", Step.START, "ann", "the notice")
    return scene
