"""Moves through real SQL and a real Redis: pool/roles/mover.py, pool/roles/dispatch.py and the stores below them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from payout.accounts import Scheme
from payout.store.ledger import SqlLedger
from pool.fleet.kinds import Assignment, Capacity, EventKind, Fleet, Site, SiteEvent
from pool.fleet.move import MoveRefused, State, Step
from pool.fleet.planning import Asked
from pool.fleet.racks import RACK_RULE
from pool.fleet.register import Entry
from pool.roles.dispatch import Dispatch
from pool.roles.mover import LEASE_MS, Mover
from pool.stats.tally import Tallies
from pool.store.fleets import SqlFleets
from pool.store.redis_moves import RedisMoves
from pool.store.sql import reading, writing
from tests.fakes import FakeClock
from tests.pool.journal.samples import fold, share
from tests.regtest.looking import START_MS, engine, server
from tests.regtest.redis_child import RedisChild
from tests.stratum.scene import logged

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
def scene(server: RedisChild, engine: Engine) -> Scene:
    return Scene(server, engine)


def running(scene: Scene) -> Scene:
    scene.plan()
    scene.dispatch.step("out", Step.START, "ann", "the notice")
    return scene


class TestPlan:
    def test_a_dry_run_lists_everyone_and_keeps_nothing(self, scene: Scene) -> None:
        planned = scene.dispatch.plan(asked(), "ann", keep=False)
        assert [(each.login, each.at_ms) for each in planned.due] == [
            (login, START_MS + at * 2000) for at, login in enumerate(LOGINS)
        ]
        assert (planned.plan.target.host, planned.plan.target.port) == ("kazakhstan.pool.example", 3333)
        assert scene.dispatch.every() == []

    def test_who_is_not_connected_but_had_shares_there_belongs_to_it(self, scene: Scene) -> None:
        scene.share("acme.sc-r9-1", HERE)
        planned = scene.dispatch.plan(asked(), "ann", keep=False)
        assert "acme.sc-r9-1" in [each.login for each in planned.due]

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            (
                {"target": "texas"},
                "there is no site texas, and no region of that name gives a sign of life; there are: kazakhstan, si",
            ),
            ({"target_endpoint": "nowhere"}, "is no endpoint: write HOST:PORT"),
            ({"target_endpoint": "nowhere:99999"}, "is no endpoint: write HOST:PORT"),
            ({"deadline_ms": START_MS - 1}, "the deadline is in the past"),
            ({"pattern": "tx-*"}, "nothing would move"),
        ],
    )
    def test_what_cannot_be_is_refused_and_nothing_is_kept(
        self, scene: Scene, changes: dict[str, Any], says: str
    ) -> None:
        with pytest.raises(MoveRefused, match=says):
            scene.plan(**changes)
        assert scene.dispatch.every() == []

    def test_sites_are_known_by_name_and_a_notice_gives_the_deadline(self, scene: Scene) -> None:
        dark_ms = START_MS + 7_200_000
        told = [
            Site(name="ganzi", country="CN", time_zone="Asia/Shanghai", region="sichuan", valid_from_ms=START_MS - 1),
            Site(
                name="ekibastuz", country="KZ", time_zone="Asia/Almaty", region="kazakhstan", valid_from_ms=START_MS - 1
            ),
            notice("State Grid", dark_ms),
            notice("press", dark_ms + 43_200_000),
        ]
        with writing(scene.engine) as connection:
            SqlFleets(connection).record([Entry(f"line {at}", each) for at, each in enumerate(told)], START_MS)
        plan = scene.dispatch.plan(
            asked(origin="ganzi", target="ekibastuz", deadline_ms=None, words=""), "ann", keep=True
        ).plan
        assert (plan.origin.region, plan.target.host) == ("sichuan", "kazakhstan.pool.example")
        assert (plan.deadline_ms, plan.words) == (dark_ms, "power off, Asia/Shanghai, State Grid")

    def test_a_plan_notes_who_would_go_on_paying_the_site_that_it_leaves(self, scene: Scene) -> None:
        since: dict[str, Any] = {"valid_from_ms": START_MS - 60_000}
        soon: dict[str, Any] = {"account": "acme", "fleet": "acme/f", "valid_from_ms": START_MS - 10_000}
        ganzi = [
            Fleet(name="acme/f", **since),
            Site(name="ganzi", country="CN", time_zone="Asia/Shanghai", region="sichuan", **since),
            Site(name="ekibastuz", country="KZ", time_zone="Asia/Almaty", region="kazakhstan", **since),
            *(Capacity(site=site, capacity_w=1, **since) for site in ("ganzi", "ekibastuz")),
            Assignment(pattern="sc-*", site="ganzi", **soon),
        ]
        there = Assignment(pattern="sc-*", site="ekibastuz", **soon)
        with SqlLedger(scene.engine).write() as books:
            books.accounts.add("acme", Scheme.PPLNS, 0, None, START_MS)
        notes = []
        for told in (ganzi, [there]):
            with writing(scene.engine) as connection:
                SqlFleets(connection).record([Entry("line", each) for each in told], START_MS - 30_000)
            found = scene.dispatch.plan(asked(origin="ganzi", target="ekibastuz"), "ann", keep=False)
            notes.append(found.note)
        assert notes[0].startswith(f"6 of 6 machines, {LOGINS[0]} first, are assigned to no site of region kazakhstan")
        assert notes[1] == ""

    def test_without_a_notice_there_must_be_a_deadline(self, scene: Scene) -> None:
        with pytest.raises(MoveRefused, match="no suspension or closure of sichuan is announced"):
            scene.plan(deadline_ms=None)

    def test_a_name_is_used_once_and_a_machine_is_on_one_move(self, scene: Scene) -> None:
        scene.plan()
        with pytest.raises(MoveRefused, match="belong to move out, which is open"):
            scene.plan(name="again")
        scene.dispatch.step("out", Step.ROLL_BACK, "ann", "")
        with pytest.raises(MoveRefused, match="there is a move out already"):
            scene.plan()

    def test_of_a_move_that_is_not_there_nothing_is_said(self, scene: Scene) -> None:
        with pytest.raises(MoveRefused, match="there is no move nothing"):
            scene.dispatch.show("nothing")


class TestCarryingOut:
    def test_nobody_is_told_before_it_starts(self, scene: Scene) -> None:
        scene.plan()
        scene.pass_seconds(5)
        assert scene.orders() == []

    def test_machines_get_orders_one_by_one_and_arrive_with_their_first_share(self, scene: Scene) -> None:
        running(scene).pass_seconds(1)
        assert scene.orders() == LOGINS[:1]
        scene.go(LOGINS[0])
        scene.pass_seconds(2)
        assert scene.counts() == {"pending": 4, "told": 1, "arrived": 1}

    def test_a_machine_that_comes_on_after_the_plan_was_made_goes_with_it(self, scene: Scene) -> None:
        running(scene).pass_seconds(1)
        scene.at["sichuan"] |= {"acme.sc-r2-9", "acme.tx-1", "other.sc-r2-9"}
        scene.beat()
        with logged() as said:
            scene.pass_seconds(2)
        assert scene.counts() == {"pending": 5, "told": 2}
        assert [(each["machines"], each["first"]) for each in said if each["event"] == "move_joined"] == [
            (1, "acme.sc-r2-9")
        ]
        scene.pass_seconds(12)
        assert scene.orders() == [*LOGINS, "acme.sc-r2-9"]

    def test_one_that_has_come_to_the_other_end_by_itself_is_no_machine_of_it(self, scene: Scene) -> None:
        scene.at["kazakhstan"].add("acme.sc-r2-9")
        scene.beat()
        running(scene).pass_seconds(2)
        assert sum(scene.counts().values()) == len(LOGINS)

    def test_one_of_another_open_move_stays_with_that(self, scene: Scene) -> None:
        scene.plan(pattern="sc-r1-*")
        scene.plan(name="narrow", pattern="*-r2-*")
        scene.at["sichuan"].add("acme.sc-r1-r2-9")  # both patterns mean it
        scene.beat()
        scene.pass_seconds(2)
        assert [len(scene.dispatch.show(name)[1]) for name in ("out", "narrow")] == [4, 3]

    def test_while_it_goes_back_nobody_joins(self, scene: Scene) -> None:
        running(scene).pass_seconds(1)
        scene.dispatch.step("out", Step.ROLL_BACK, "ann", "")
        scene.at["sichuan"].add("acme.sc-r2-9")
        scene.at["kazakhstan"].add("acme.sc-r2-8")
        scene.beat()
        scene.pass_seconds(2)
        assert sum(scene.counts().values()) == len(LOGINS)

    def test_it_starts_by_itself_at_its_time(self, scene: Scene) -> None:
        scene.plan(start_ms=START_MS + 3000)
        scene.pass_seconds(2)
        assert scene.orders() == []
        scene.pass_seconds(2)
        assert scene.orders() == LOGINS[:1]

    def test_what_a_stratum_process_reports_is_kept(self, scene: Scene) -> None:
        running(scene).pass_seconds(1)
        [order] = scene.regions.orders("sichuan")
        scene.regions.report_told("sichuan", {order.login: (order.asked_ms, START_MS + 77)})
        scene.pass_seconds(1)
        assert scene.dispatch.show("out")[1][0].told_ms == START_MS + 77

    def test_a_pause_takes_the_orders_back(self, scene: Scene) -> None:
        running(scene).pass_seconds(1)
        scene.dispatch.step("out", Step.PAUSE, "ann", "wait")
        scene.pass_seconds(1)
        assert scene.orders() == []
        scene.dispatch.step("out", Step.RESUME, "ann", "")
        scene.pass_seconds(1)
        assert scene.orders() == LOGINS[1:2]

    def test_stragglers_are_listed_by_rack(self, scene: Scene) -> None:
        running(scene).pass_seconds(12)
        scene.go(*(each for each in LOGINS if each != LOGINS[4]))
        scene.pass_seconds(60)
        report, _ = scene.dispatch.show("out")
        assert {rack.rack: rack.stragglers for rack in report.racks} == {"sc-r1": (), "sc-r2": (LOGINS[4],)}

    def test_a_redis_that_forgot_everything_is_told_again(self, scene: Scene, server: RedisChild) -> None:
        running(scene).pass_seconds(1)
        server.client.flushall()
        scene.beat()
        scene.pass_seconds(1)
        assert scene.orders() == LOGINS[:2]

    def test_the_next_process_goes_on_where_the_last_one_died(self, scene: Scene) -> None:
        running(scene).pass_seconds(3)
        scene.clock.advance(LEASE_MS / 1000 + 1)
        scene.mover = scene.another_mover("other:2:2")
        scene.pass_seconds(10)
        assert "pending" not in scene.counts()
        assert scene.dispatch.show("out")[1][0].tries == 1

    def test_two_never_run_one_move(self, scene: Scene) -> None:
        running(scene).pass_seconds(1)
        second = scene.another_mover("other:2:2")
        scene.clock.advance(4)
        second.tick()
        assert scene.counts() == {"pending": 5, "told": 1}

    def test_the_same_key_is_one_order(self, scene: Scene) -> None:
        scene.plan()
        for _ in range(2):
            scene.dispatch.step("out", Step.START, "ann", "", key="ticket 7")
        assert len(scene.dispatch.show("out")[0].events) == 1


class TestRollback:
    def test_who_went_is_sent_back_and_it_ends_when_all_are_there(self, scene: Scene) -> None:
        running(scene).pass_seconds(2)
        scene.go(*LOGINS[:2])
        scene.pass_seconds(1)
        assert scene.counts() == {"pending": 4, "arrived": 2}
        scene.dispatch.step("out", Step.ROLL_BACK, "ann", "the container has no network")
        scene.pass_seconds(3)
        assert (scene.orders(), scene.orders("kazakhstan")) == ([], LOGINS[:2])
        scene.at["sichuan"] |= set(LOGINS[:2])
        scene.at["kazakhstan"].clear()
        scene.beat()
        scene.clock.advance(1)
        for login in LOGINS[:2]:
            scene.share(login, HERE)
        scene.pass_seconds(2)
        report, _ = scene.dispatch.show("out")
        assert (report.state, scene.counts()) == (State.ROLLED_BACK.value, {"arrived": 2, "stayed": 4})
        assert [(each.step, each.actor) for each in report.events][-1] == (Step.CLOSE, "the plan")


class TestClose:
    def test_with_machines_on_the_way_it_wants_a_person_to_insist(self, scene: Scene) -> None:
        running(scene).pass_seconds(1)
        with pytest.raises(MoveRefused, match=f"6 of 6 machines have not arrived, {LOGINS[0]} first"):
            scene.dispatch.step("out", Step.CLOSE, "ann", "")
        assert scene.dispatch.step("out", Step.CLOSE, "ann", "enough", force=True).state is State.CLOSED

    def test_closed_it_leaves_no_order_behind(self, scene: Scene) -> None:
        running(scene).pass_seconds(1)
        scene.dispatch.step("out", Step.CLOSE, "ann", "enough", force=True)
        scene.pass_seconds(1)
        assert scene.regions.orders("sichuan") == ()


class TestAlarms:
    def test_machines_on_the_way_are_silent_and_late_ones_are_not(self, scene: Scene) -> None:
        running(scene).pass_seconds(12)
        scene.go(*LOGINS[:5])
        scene.at["sichuan"].clear()
        scene.beat()
        scene.pass_seconds(2)
        with logged() as said:
            scene.clock.advance(3600)
            scene.pass_seconds(1)
            assert [each for each in said if each["event"] == "relocation_late"] == []
            scene.clock.advance(60)
            scene.pass_seconds(2)
        [late] = [each for each in said if each["event"] == "relocation_late"]
        assert (late["move"], late["late"], late["racks"]) == ("out", 1, ["sc-r2"])

    def test_a_worker_that_comes_on_elsewhere_without_a_move_is_flagged(self, scene: Scene) -> None:
        scene.pass_seconds(1)
        with logged() as said:
            scene.go(LOGINS[0])
            scene.pass_seconds(3)
        assert [each["login"] for each in said if each["event"] == "worker_strayed"] == [LOGINS[0]]
        [stray] = scene.dispatch.strays()
        assert (stray.login, stray.from_region, stray.to_region) == (LOGINS[0], "sichuan", "kazakhstan")
        assert len(scene.dispatch.confirm("acme", "ann")) == 1
        assert scene.dispatch.strays() == []
        with pytest.raises(MoveRefused, match="no worker of acme waits"):
            scene.dispatch.confirm("acme", "ann")

    def test_one_that_comes_on_elsewhere_while_it_still_mines_here_is_flagged_once(self, scene: Scene) -> None:
        scene.pass_seconds(1)
        scene.at["kazakhstan"].add(LOGINS[0])
        scene.beat()
        scene.pass_seconds(5)
        assert [each.login for each in scene.dispatch.strays()] == [LOGINS[0]]
        scene.dispatch.confirm("acme", "ann")
        scene.pass_seconds(5)
        assert scene.dispatch.strays() == []

    def test_a_machine_of_a_move_is_not_flagged(self, scene: Scene) -> None:
        running(scene).pass_seconds(3)
        scene.go(LOGINS[0])
        scene.pass_seconds(3)
        assert scene.dispatch.strays() == []

    def test_nor_one_that_arrives_after_its_move_was_closed(self, scene: Scene) -> None:
        running(scene).pass_seconds(3)
        scene.dispatch.step("out", Step.CLOSE, "ann", "", force=True)
        scene.go(LOGINS[0])
        scene.pass_seconds(3)
        assert scene.dispatch.strays() == []


@pytest.mark.parametrize(
    "change", ["UPDATE move SET plan = ''", "DELETE FROM move_event", "UPDATE move_event SET actor = 'x'"]
)
def test_what_was_planned_and_ordered_cannot_be_changed(scene: Scene, change: str) -> None:
    running(scene)
    with pytest.raises(IntegrityError, match="append-only"), writing(scene.engine) as connection:
        connection.execute(text(change))
    with reading(scene.engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM move_event")).scalar_one() == 1
