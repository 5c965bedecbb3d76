"""What accounting does each second of a move: one look of `pool.roles.mover` after another, on SQLite and a real Redis.

The clock is turned by hand and the machines are names, so what is measured is the processor's time for a look alone:
who is told at one look is gone at the next, and has a share at the other end at the one after.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

from pool.fleet.move import Event, Place, Plan, Step
from pool.fleet.pace import parse_pace
from pool.roles.mover import Mover
from pool.stats.tally import Tallies
from pool.store.moves import SqlMoves
from pool.store.redis_moves import RedisMoves
from pool.store.sql import connect, writing
from pool.store.upgrade import upgrade
from tests.databases import sqlite_url
from tests.fakes import FakeClock
from tests.pool.journal.samples import fold, share
from tests.regtest.redis_child import RedisChild, redis_child

START_MS: Final = 1_800_000_000_000
RACK: Final = 16
HERE, THERE = Place("ganzi", "sichuan", "a.example", 3333), Place("ekibastuz", "kazakhstan", "b.example", 3333)
FRONTENDS: Final = {HERE.region: "a" * 16, THERE.region: "b" * 16}


class _Regions:
    """Two regions as Redis shows them."""

    def __init__(self, server: RedisChild, logins: list[str]) -> None:
        self._store = server.store
        self._at = {HERE.region: set(logins), THERE.region: set[str]()}
        self._tallies = Tallies()
        self._number = 0

    def leave(self, logins: list[str]) -> None:
        """These are in transit."""
        self._at[HERE.region] -= set(logins)

    def arrive(self, logins: list[str], now_ms: int) -> None:
        """These have a share at the other end."""
        self._at[THERE.region] |= set(logins)
        for login in logins:
            account, worker = login.split(".", 1)
            self._number += 1
            fold(self._tallies, [share(self._number, account=account, worker=worker, time_ms=now_ms)])
        self._store.publish_tallies(FRONTENDS[THERE.region], self._tallies.snapshot(), self._number, previous=None)

    def beat(self) -> None:
        """A sign of life of each."""
        for name, (region, there) in enumerate(self._at.items()):
            presence = [(*login.split(".", 1), "10.0.0.1", "cgminer/4.12", 1.0, START_MS) for login in sorted(there)]
            sign = {
                "sessions": len(presence),
                "presence": presence,
                "region": region,
                "endpoint": f"{region}.example:1",
            }
            self._store.publish_role("stratum", str(name), {**sign, "frontend": FRONTENDS[region]}, 600)


def measure_looks(machines: int, pace: str) -> dict[str, Any]:
    """Processor seconds of a look: before the move starts, while machines are told, and when all have arrived."""
    logins = [f"bit.sc-r{number // RACK + 1:02}-{number % RACK + 1:02}" for number in range(machines)]
    clock = FakeClock(START_MS)
    waves = parse_pace(pace, machines)
    day_ms = START_MS + 86_400_000
    plan = Plan("bit", "sc-*", HERE, THERE, waves, day_ms, day_ms, 0)
    with tempfile.TemporaryDirectory(prefix="steppe-bench-") as folder, redis_child() as server:
        engine = connect(sqlite_url(Path(folder)))
        upgrade(engine)
        with writing(engine) as connection:
            SqlMoves(connection).add("out", plan, logins, "bench", START_MS)
        orders = RedisMoves(server.url)
        mover = Mover(engine, server.store, orders, clock, "bench:1:1")
        regions = _Regions(server, logins)
        before, during, after = (_Looks(mover, clock, regions, orders) for _ in range(3))
        before.take(3)
        with writing(engine) as connection:
            SqlMoves(connection).take("out", Event("start", Step.START, clock.time_ms(), "bench"))
        during.take(waves.lasts_ms(machines) // 1000 + 4)
        after.take(3)
        told = len(during.told)
        orders.close()
        engine.dispose()
    return {
        "machines": machines,
        "pace": pace,
        "told": told,
        "arrived": len(after.arrived | during.arrived),
        "cpu_seconds_of_a_look": {
            "before": round(median(before.seconds), 3),
            "while_told": round(median(during.seconds), 3),
            "while_told_max": round(max(during.seconds), 3),
            "after": round(median(after.seconds), 3),
        },
    }


class _Looks:
    """Looks of a mover, one each second of the clock."""

    def __init__(self, mover: Mover, clock: FakeClock, regions: _Regions, orders: RedisMoves) -> None:
        self._mover, self._clock, self._regions, self._orders = mover, clock, regions, orders
        self.seconds: list[float] = []
        self.told: set[str] = set()
        self.arrived: set[str] = set()

    def take(self, count: int) -> None:
        gone: list[str] = []
        for _ in range(count):
            self._clock.advance(1)
            fresh = [each.login for each in self._orders.orders(HERE.region) if each.login not in self.told]
            self._regions.leave(fresh)
            self._regions.arrive(gone, self._clock.time_ms())
            self._regions.beat()
            began = time.process_time()
            self._mover.tick()
            self.seconds.append(time.process_time() - began)
            self.told |= set(fresh)
            self.arrived |= set(gone)
            gone = fresh
