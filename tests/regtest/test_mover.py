"""pool/roles/mover.py on real SQL and a real Redis: who gets an order, and what became of it."""

from __future__ import annotations

from pool.fleet.move import State, Step
from pool.roles.mover import LEASE_MS
from tests.regtest.looking import START_MS
from tests.regtest.moving import HERE, LOGINS, Scene, engine, running, scene, server
from tests.regtest.redis_child import RedisChild
from tests.stratum.scene import logged

__all__ = ["engine", "scene", "server"]


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
