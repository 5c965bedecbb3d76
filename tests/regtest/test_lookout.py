"""The lookout through real SQL and a real Redis: pool/roles/lookout.py and the stores below it."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from payout.accounts import Scheme
from payout.store.ledger import SqlLedger
from pool.fleet.facts import Fact
from pool.fleet.kinds import Assignment, Capacity, EventKind, Fleet, Site, SiteEvent
from pool.fleet.move import Place, Plan, Step
from pool.fleet.pace import Pace
from pool.fleet.racks import RACK_RULE
from pool.fleet.register import Entry
from pool.fleet.travel import Leg, Traveller
from pool.roles.dispatch import Dispatch
from pool.roles.lookout import LEASE_MS, Lookout
from pool.stats.tally import Tallies
from pool.store.darkness import SqlDarkness
from pool.store.fleets import SqlFleets
from pool.store.moves import SqlMoves
from pool.store.redis_moves import RedisMoves
from pool.store.sql import reading, writing
from tests.fakes import FakeClock
from tests.pool.journal.samples import fold, share
from tests.regtest.looking import START_MS, engine, server
from tests.regtest.redis_child import RedisChild
from tests.stratum.scene import logged

__all__ = ["engine", "server"]

LOGINS = [f"acme.sc-r{rack}-{number}" for rack in (1, 2) for number in range(1, 5)]
DARK_S = 600


class Scene:
    """Eight machines of two racks at ganzi, as Redis shows them, and a lookout, on a clock that is turned by hand."""

    def __init__(self, server: RedisChild, engine: Engine) -> None:
        server.client.flushall()
        self.server, self.engine = server, engine
        self.redis = server.store
        self.clock = FakeClock(START_MS - 60_000)
        with SqlLedger(engine).write() as books:
            books.accounts.add("acme", Scheme.PPLNS, 0, None, START_MS - 60_000)
        since: dict[str, Any] = {"valid_from_ms": START_MS - 60_000}
        self.enter(
            Site(name="ganzi", country="CN", time_zone="Asia/Shanghai", region="sichuan", **since),
            Capacity(site="ganzi", capacity_w=9_000_000, **since),
            Fleet(name="acme/f", **since),
            Assignment(account="acme", pattern="sc-*", fleet="acme/f", site="ganzi", valid_from_ms=START_MS),
        )
        self.clock.now_ms = START_MS
        self.tallies = Tallies()
        self.lookout = self.another("one:1:1")
        self.share(*LOGINS)

    def another(self, holder: str) -> Lookout:
        return Lookout(self.engine, self.redis, self.clock, DARK_S * 1000, RACK_RULE, holder)

    def enter(self, *told: Fact) -> None:
        with writing(self.engine) as connection:
            SqlFleets(connection).record([Entry("scene", each) for each in told], self.clock.time_ms())

    def share(self, *logins: str) -> None:
        """Each has a share accepted now, and is connected."""
        for login in logins:
            account, worker = login.split(".", 1)
            fold(self.tallies, [share(1, account=account, worker=worker, time_ms=self.clock.time_ms())])
        self.redis.publish_tallies("a" * 16, self.tallies.snapshot(), 1, previous=None)
        presence = [(*login.split(".", 1), "10.0.0.1", "cgminer/4.12", 1.0, START_MS) for login in logins]
        self.redis.publish_role("stratum", "0", {"sessions": 1, "presence": presence}, 60)

    def pass_time(self, seconds: int, *hashing: str) -> list[dict[str, Any]]:
        """What the log says of a look some time later, when these have sent a share just before."""
        self.clock.advance(seconds)
        self.share(*hashing)
        with logged() as said:
            self.lookout.tick()
        return [each for each in said if each["event"] in ("fleet_dark", "fleet_lit", "bug")]

    def darks(self) -> list[tuple[str, int, int | None]]:
        with reading(self.engine) as connection:
            return SqlDarkness(connection).between(0, None)


@pytest.fixture
def scene(server: RedisChild, engine: Engine) -> Scene:
    return Scene(server, engine)


class TestAlarms:
    def test_a_site_that_goes_dark_is_told_once_and_once_when_it_is_back(self, scene: Scene) -> None:
        assert scene.pass_time(DARK_S - 1) == []
        (dark,) = scene.pass_time(1)
        assert (dark["event"], dark["kind"], dark["name"], dark["dark"]) == ("fleet_dark", "site", "ganzi", 8)
        assert scene.pass_time(10) == []
        assert [each["name"] for each in scene.lookout.sign()] == ["ganzi"]
        (lit,) = scene.pass_time(10, *LOGINS)
        assert (lit["event"], lit["kind"]) == ("fleet_lit", "site")
        assert scene.lookout.sign() == []

    def test_a_rack_is_told_by_its_name(self, scene: Scene) -> None:
        (dark,) = scene.pass_time(DARK_S, *LOGINS[4:])
        assert (dark["kind"], dark["name"], dark["parts"]) == ("racks", "ganzi", ["sc-r1"])

    def test_an_announced_suspension_is_silent(self, scene: Scene) -> None:
        scene.enter(
            SiteEvent(site="ganzi", kind=EventKind.SUSPENSION, announced_ms=START_MS, valid_from_ms=START_MS + 1000)
        )
        assert scene.pass_time(2 * DARK_S) == []
        assert len(scene.darks()) == 8

    def test_machines_in_transit_are_silent_and_those_that_stayed_behind_are_not(self, scene: Scene) -> None:
        origin, target = Place("ganzi", "sichuan", "a", 1), Place("kz", "kz", "b", 1)
        due_ms = START_MS + 9 * DARK_S * 1000
        plan = Plan("acme", "sc-*", origin, target, Pace(1, 1), due_ms, due_ms, 0)
        with writing(scene.engine) as connection:
            books = SqlMoves(connection)
            kept = books.add("out", plan, LOGINS[:6], "ann", START_MS)
        with closing(RedisMoves(scene.server.url)) as moves:
            Dispatch(scene.engine, scene.redis, moves, scene.clock, RACK_RULE).step("out", Step.START, "ann", "")
        with writing(scene.engine) as connection:
            gone = Leg(START_MS, 1, START_MS, START_MS)
            SqlMoves(connection).save(kept.id, [Traveller(login, gone) for login in LOGINS[:6]])
        (dark,) = scene.pass_time(DARK_S)
        assert (dark["kind"], dark["parts"]) == ("machines", LOGINS[6:])

    def test_of_two_sites_of_one_pattern_a_machine_stands_where_its_region_is(self, scene: Scene) -> None:
        since: dict[str, Any] = {"valid_from_ms": START_MS}
        scene.enter(
            Site(name="almaty", country="KZ", time_zone="Asia/Almaty", region="kz", **since),
            Capacity(site="almaty", capacity_w=9_000_000, **since),
        )
        begins_ms = START_MS + 20_000
        scene.enter(Assignment(account="acme", pattern="sc-*", fleet="acme/f", site="almaty", valid_from_ms=begins_ms))
        with writing(scene.engine) as connection:
            SqlMoves(connection).settle([(login, "kz") for login in LOGINS[4:]], START_MS)
        assert [each["name"] for each in scene.pass_time(DARK_S)] == ["almaty", "ganzi"]


class TestBooks:
    def test_darkness_begins_with_the_last_share_and_ends_with_the_next(self, scene: Scene) -> None:
        scene.pass_time(DARK_S, *LOGINS[1:])
        assert scene.darks() == [(LOGINS[0], START_MS, None)]
        scene.pass_time(60, *LOGINS)
        assert scene.darks() == [(LOGINS[0], START_MS, START_MS + (DARK_S + 60) * 1000)]

    def test_a_lookout_that_starts_anew_knows_who_was_dark(self, scene: Scene) -> None:
        scene.pass_time(DARK_S, *LOGINS[1:])
        scene.clock.advance(LEASE_MS / 1000)
        scene.lookout = scene.another("two:2:2")
        (dark,) = scene.pass_time(1, *LOGINS[1:])
        assert dark["parts"] == [LOGINS[0]]
        assert len(scene.darks()) == 1

    def test_what_nobody_could_send_while_the_pool_was_away_is_no_darkness(self, scene: Scene) -> None:
        scene.clock.advance(5 * DARK_S)
        scene.lookout = scene.another("two:2:2")
        assert scene.pass_time(DARK_S - 1) == []
        assert scene.darks() == []

    def test_another_process_keeps_and_tells_nothing_until_the_first_one_is_gone(self, scene: Scene) -> None:
        other = scene.another("two:2:2")
        assert scene.pass_time(DARK_S - 10, *LOGINS[1:]) == []
        scene.clock.advance(20)
        scene.share(*LOGINS[1:])
        other.tick()
        assert (scene.darks(), other.sign()) == ([], [])
        scene.clock.advance(LEASE_MS / 1000)
        scene.share(*LOGINS[1:])
        other.tick()
        assert [login for login, _, _ in scene.darks()] == [LOGINS[0]]
        assert len(other.sign()) == 1

    def test_who_is_assigned_to_nothing_any_more_is_missed_by_nobody(self, scene: Scene) -> None:
        scene.pass_time(DARK_S, *LOGINS[1:])
        with writing(scene.engine) as connection:
            fleets = SqlFleets(connection)
            (assigned,) = fleets.assignments()
            end_ms = scene.clock.time_ms() + 20_000
            fleets.record(
                [Entry("end", replace(assigned, valid_to_ms=end_ms, replaces=assigned.row_id))], scene.clock.time_ms()
            )
        scene.pass_time(30, *LOGINS[1:])
        assert [until for _, _, until in scene.darks()] == [scene.clock.time_ms()]
        assert scene.lookout.sign() == []
