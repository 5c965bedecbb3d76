"""pool/roles/dispatch.py on real SQL and a real Redis: what is planned, ordered and refused."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from payout.accounts import Scheme
from payout.store.ledger import SqlLedger
from pool.fleet.draft import NOTICE, Draft
from pool.fleet.kinds import Assignment, Capacity, Fleet, Site
from pool.fleet.move import Event, MoveRefused, State, Step
from pool.fleet.register import Entry
from pool.store.drafts import SqlDrafts
from pool.store.fleets import SqlFleets
from pool.store.sql import reading, writing
from tests.regtest.looking import START_MS
from tests.regtest.moving import HERE, LOGINS, Scene, asked, engine, notice, running, scene, server

__all__ = ["engine", "scene", "server"]


DARK_MS = START_MS + 7_200_000
OPENED = Event("open 1", Step.OPEN, START_MS, NOTICE, "suspension of ganzi")
DRAFT = Draft("ganzi-out", "ganzi", "acme", "sc-*", DARK_MS, (OPENED,))
UNSAID = {"account": "", "pattern": "", "origin": "", "target": "ekibastuz", "deadline_ms": None}


@pytest.fixture
def opened(scene: Scene) -> Scene:
    """With a draft of a move, as the notice opens it."""
    scene.know(notice("State Grid", DARK_MS))
    with writing(scene.engine) as connection:
        SqlDrafts(connection).keep(DRAFT)
    return scene


class TestDraft:
    def test_it_lacks_only_where_it_goes(self, opened: Scene) -> None:
        plan = opened.dispatch.plan(asked(name="ganzi-out", **UNSAID), "ann", keep=True).plan
        assert (plan.account, plan.pattern, plan.origin.site, plan.target.site) == (
            "acme",
            "sc-*",
            "ganzi",
            "ekibastuz",
        )
        assert plan.deadline_ms == DARK_MS
        [planned] = opened.dispatch.every()
        assert (planned.name, planned.state, planned.machines) == ("ganzi-out", "planned", len(LOGINS))

    def test_when_the_power_is_off_a_person_gives_the_deadline(self, opened: Scene) -> None:
        opened.clock.advance(7_201)
        opened.beat()
        with pytest.raises(
            MoveRefused, match="power at ganzi ended at 2027-01-15T10:00:00Z, in the past: give a deadline"
        ):
            opened.plan(name="ganzi-out", **UNSAID)
        opened.plan(name="ganzi-out", **{**UNSAID, "deadline_ms": DARK_MS + 3_600_000})
        assert [each.state for each in opened.dispatch.every()] == ["planned"]

    def test_a_dry_run_leaves_it_a_draft(self, opened: Scene) -> None:
        opened.dispatch.plan(asked(name="ganzi-out", **UNSAID), "ann", keep=False)
        assert [each.state for each in opened.dispatch.every()] == ["draft"]

    def test_its_machines_are_those_that_were_seen_there(self, opened: Scene) -> None:
        opened.pass_seconds(1)
        report, machines = opened.dispatch.show("ganzi-out")
        assert (report.machines, [each.login for each in machines]) == (len(LOGINS), LOGINS)

    def test_the_mover_says_that_it_waits(self, opened: Scene) -> None:
        opened.pass_seconds(1)
        assert opened.mover.sign is not None
        assert opened.mover.sign["drafts"] == ["ganzi-out"]

    def test_it_is_done_when_the_move_is_planned_under_another_name(self, opened: Scene) -> None:
        opened.plan(origin="ganzi", target="ekibastuz")
        states = {each.name: each.state for each in opened.dispatch.every()}
        assert states == {"out": "planned", "ganzi-out": "dropped"}
        assert opened.dispatch.show("ganzi-out")[0].events[-1].reason == "planned as move out"

    def test_a_planned_move_shows_what_its_notice_says_now(self, opened: Scene) -> None:
        opened.plan(origin="ganzi", target="ekibastuz")
        assert opened.dispatch.show("out")[0].notice_ms == DARK_MS


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
        scene.know(notice("State Grid", DARK_MS), notice("press", DARK_MS + 43_200_000))
        plan = scene.dispatch.plan(
            asked(origin="ganzi", target="ekibastuz", deadline_ms=None, words=""), "ann", keep=True
        ).plan
        assert (plan.origin.region, plan.target.host) == ("sichuan", "kazakhstan.pool.example")
        assert (plan.deadline_ms, plan.words) == (DARK_MS, "power off, Asia/Shanghai, State Grid")

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

    def test_a_notice_that_was_withdrawn_is_no_deadline(self, scene: Scene) -> None:
        scene.know(notice("State Grid", DARK_MS))
        withdrawn = replace(notice("State Grid", DARK_MS), valid_to_ms=DARK_MS, replaces=1)
        scene.know(withdrawn)
        with pytest.raises(MoveRefused, match="no suspension or closure of ganzi is announced"):
            scene.plan(origin="ganzi", target="ekibastuz", deadline_ms=None)

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


class TestClose:
    def test_with_machines_on_the_way_it_wants_a_person_to_insist(self, scene: Scene) -> None:
        running(scene).pass_seconds(1)
        with pytest.raises(MoveRefused, match=f"6 of 6 machines have not arrived, {LOGINS[0]} first"):
            scene.dispatch.step("out", Step.CLOSE, "ann", "")
        assert scene.dispatch.step("out", Step.CLOSE, "ann", "enough", force=True) is State.CLOSED

    def test_closed_it_leaves_no_order_behind(self, scene: Scene) -> None:
        running(scene).pass_seconds(1)
        scene.dispatch.step("out", Step.CLOSE, "ann", "enough", force=True)
        scene.pass_seconds(1)
        assert scene.regions.orders("sichuan") == ()


@pytest.mark.parametrize(
    "change", ["UPDATE move SET plan = ''", "DELETE FROM move_event", "UPDATE move_event SET actor = 'x'"]
)
def test_what_was_planned_and_ordered_cannot_be_changed(scene: Scene, change: str) -> None:
    running(scene)
    with pytest.raises(IntegrityError, match="append-only"), writing(scene.engine) as connection:
        connection.execute(text(change))
    with reading(scene.engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM move_event")).scalar_one() == 1
