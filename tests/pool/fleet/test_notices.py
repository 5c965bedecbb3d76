"""pool.fleet.notices: what a notice opens, and what a draft makes of what is said later."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from pool.fleet.draft import NOTICE, Draft
from pool.fleet.facts import Fact
from pool.fleet.kinds import Assignment, EventKind, SiteEvent
from pool.fleet.move import Move, Step
from pool.fleet.notices import Said, heed
from pool.fleet.register import Entry, Register
from tests.pool.fleet.moves import PLAN, event
from tests.pool.reports.kazakhstan import HOUR_MS, LONG_AGO_MS, OFF_MS, facts

NOW_MS = OFF_MS - 24 * HOUR_MS
DARK_MS = OFF_MS - HOUR_MS
"""Before the fleet's assignment to Ganzi ends."""


class Books:
    """What is known of the fleet of `facts()`, and the drafts that came of notices."""

    def __init__(self) -> None:
        self.register = Register()
        self.drafts: dict[str, Draft] = {}
        self.moves: list[Move] = []
        self.now_ms = NOW_MS
        self.enter(*(each for each in facts() if not isinstance(each, SiteEvent)))

    def enter(self, *told: Fact) -> list[Said]:
        recorded = [entry.fact for entry in self.register.add([Entry("line", each) for each in told], self.now_ms)]
        said = heed(self.register, recorded, list(self.drafts.values()), self.moves, self.now_ms)
        self.drafts |= {each.draft.name: each.draft for each in said if each.draft is not None}
        return said

    def notice(self, dark_ms: int, kind: EventKind = EventKind.SUSPENSION, **more: Any) -> list[str]:
        return [each.text for each in self.enter(power_ends(dark_ms, kind, **more))]

    def correct(self, dark_ms: int, **more: Any) -> list[str]:
        """The newest notice says something else now."""
        newest = self.register.known(SiteEvent)[-1]
        return self.notice(dark_ms, replaces=newest.row_id, **more)

    def plan(self, name: str, **changes: Any) -> Move:
        self.moves.append(Move(name, replace(PLAN, account="bit", deadline_ms=DARK_MS, **changes), self.now_ms))
        return self.moves[-1]

    def drop(self, name: str) -> None:
        self.drafts[name] = self.drafts[name].after(Step.CLOSE, self.now_ms, "ann", "a generator")

    def open(self) -> list[tuple[str, int]]:
        return [(each.name, each.deadline_ms) for each in self.drafts.values() if each.is_open]


def power_ends(dark_ms: int, kind: EventKind = EventKind.SUSPENSION, **more: Any) -> SiteEvent:
    said = {"site": "ganzi", "announced_ms": LONG_AGO_MS, "source": "State Grid", **more}
    return SiteEvent(kind=kind, valid_from_ms=dark_ms, **said)


def assigned(pattern: str, **more: Any) -> Assignment:
    said = {"account": "bit", "fleet": "bit/main", "site": "ganzi", "valid_from_ms": NOW_MS + HOUR_MS, **more}
    return Assignment(pattern=pattern, **said)


class TestOpening:
    @pytest.mark.parametrize("kind", [EventKind.SUSPENSION, EventKind.CLOSURE])
    def test_a_notice_opens_a_draft_of_a_move_of_the_workers_that_stand_there_then(self, kind: EventKind) -> None:
        books = Books()
        assert books.notice(DARK_MS, kind) == [
            "move ganzi-out is a draft: bit has workers sc-* at ganzi, where power ends at 2021-06-19T00:00:00Z: say "
            "where they go with `steppe move plan ganzi-out --to SITE`"
        ]
        draft = books.drafts["ganzi-out"]
        assert (draft.who, draft.deadline_ms) == (("ganzi", "bit", "sc-*"), DARK_MS)
        [opened] = draft.events
        reason = f"{kind.value} of ganzi from 2021-06-19T00:00:00Z: State Grid"
        assert (opened.step, opened.actor, opened.reason) == (Step.OPEN, NOTICE, reason)

    def test_each_pattern_of_workers_there_has_its_own(self) -> None:
        books = Books()
        books.enter(assigned("ga-*"))
        books.notice(DARK_MS)
        assert [draft.who[2] for draft in books.drafts.values()] == ["sc-*", "ga-*"]
        assert [name for name, _ in books.open()] == ["ganzi-out", "ganzi-out-2"]

    def test_the_same_notice_twice_opens_one(self) -> None:
        books = Books()
        books.notice(DARK_MS)
        assert books.notice(DARK_MS) == []
        assert books.open() == [("ganzi-out", DARK_MS)]

    def test_two_sources_of_one_event_open_one_whose_deadline_is_the_earliest(self) -> None:
        books = Books()
        books.notice(DARK_MS)
        books.notice(DARK_MS - HOUR_MS, source="press")
        books.notice(DARK_MS + 1, source="rumour")
        assert books.open() == [("ganzi-out", DARK_MS - HOUR_MS)]

    def test_workers_that_are_assigned_after_the_notice_have_one_too(self) -> None:
        books = Books()
        books.notice(DARK_MS)
        assert "bit has workers ga-* at ganzi" in books.enter(assigned("ga-*"))[0].text

    def test_a_site_without_workers_by_then_opens_none_and_says_so(self) -> None:
        books = Books()
        assert books.notice(OFF_MS) == ["no workers are assigned to ganzi at 2021-06-19T01:00:00Z: no move opens"]
        assert books.open() == []

    def test_one_of_the_past_opens_none_and_says_so(self) -> None:
        books = Books()
        said = books.notice(NOW_MS)
        assert said == ["power at ganzi ended at 2021-06-18T01:00:00Z, in the past: no move opens"]
        assert books.open() == []

    def test_a_curtailment_opens_none(self) -> None:
        assert Books().notice(DARK_MS, EventKind.CURTAILMENT) == []

    @pytest.mark.parametrize("pattern", ["sc-*", "*"])
    def test_workers_whose_move_is_planned_have_none(self, pattern: str) -> None:
        books = Books()
        books.plan("by-hand", pattern=pattern)
        assert books.notice(DARK_MS) == []
        assert books.open() == []


class TestFollowing:
    def test_a_draft_follows_a_notice_that_is_put_off_or_comes_earlier(self) -> None:
        books = Books()
        books.notice(DARK_MS)
        for dark_ms in (DARK_MS + 1000, DARK_MS - HOUR_MS):
            [line] = books.correct(dark_ms)
            assert line.endswith(": the draft follows")
            assert books.open() == [("ganzi-out", dark_ms)]
        assert [each.step for each in books.drafts["ganzi-out"].events] == [Step.OPEN, Step.FOLLOW, Step.FOLLOW]

    def test_one_that_was_dark_already_keeps_the_draft_for_a_person(self) -> None:
        books = Books()
        books.notice(DARK_MS)
        books.correct(NOW_MS - HOUR_MS)
        assert books.open() == [("ganzi-out", NOW_MS - HOUR_MS)]

    def test_a_notice_that_is_withdrawn_drops_it(self) -> None:
        books = Books()
        books.notice(DARK_MS)
        assert books.correct(DARK_MS, valid_to_ms=DARK_MS) == [
            "draft ganzi-out is dropped: no suspension or closure of ganzi is announced any more"
        ]
        assert books.open() == []

    def test_and_one_that_comes_again_opens_another(self) -> None:
        books = Books()
        books.notice(DARK_MS)
        books.correct(DARK_MS, valid_to_ms=DARK_MS)
        books.notice(DARK_MS)
        assert books.open() == [("ganzi-out-2", DARK_MS)]

    def test_workers_that_leave_before_drop_it(self) -> None:
        books = Books()
        books.notice(DARK_MS)
        [there] = [each for each in books.register.known(Assignment) if each.site == "ganzi"]
        [said] = books.enter(replace(there, valid_to_ms=DARK_MS - 1, replaces=there.row_id))
        assert said.text.endswith("bit has no workers sc-* at ganzi any more when its power ends")

    def test_when_its_time_is_over_it_waits_for_a_person_all_the_same(self) -> None:
        books = Books()
        books.notice(DARK_MS)
        books.now_ms = DARK_MS + HOUR_MS
        books.enter(assigned("ga-*", valid_from_ms=DARK_MS + 2 * HOUR_MS))
        assert ("ganzi-out", DARK_MS) in books.open()

    def test_what_a_person_dropped_stays_so_until_the_notice_says_another_time(self) -> None:
        books = Books()
        books.notice(DARK_MS)
        books.drop("ganzi-out")
        books.now_ms += 1
        books.correct(DARK_MS, wording="power off at eight")
        assert books.open() == []
        books.correct(DARK_MS - HOUR_MS)
        assert books.open() == [("ganzi-out-2", DARK_MS - HOUR_MS)]

    def test_a_move_that_is_over_opens_no_other(self) -> None:
        books = Books()
        books.notice(DARK_MS)
        books.moves = [books.plan("ganzi-out").take(event(Step.ROLL_BACK, NOW_MS))]
        books.enter(assigned("ga-*"))
        assert [name for name, _ in books.open()] == ["ganzi-out", "ganzi-out-2"]  # the first one is planned
        assert books.drafts["ganzi-out-2"].pattern == "ga-*"


class TestPlanned:
    """A notice that changes after its move was planned changes no plan; it is told."""

    def planned(self) -> Books:
        books = Books()
        books.notice(DARK_MS)
        books.plan("ganzi-out")
        return books

    def test_another_time_is_told(self) -> None:
        books = self.planned()
        assert books.correct(DARK_MS - HOUR_MS) == [
            "move ganzi-out is planned for 2021-06-19T00:00:00Z, and power at ganzi ends at 2021-06-18T23:00:00Z by "
            "what is announced now: if that matters, roll it back and plan another"
        ]

    def test_and_so_is_a_notice_that_is_withdrawn(self) -> None:
        [said] = self.planned().enter(
            power_ends(DARK_MS, replaces=1, valid_to_ms=DARK_MS),
        )
        assert said.is_warning
        assert "no end of power at ganzi is announced any more: roll it back if they are to stay" in said.text

    def test_of_a_move_that_is_over_nothing_is_told(self) -> None:
        books = self.planned()
        books.moves = [books.moves[0].take(event(Step.ROLL_BACK, NOW_MS))]
        books.now_ms += 1
        said = books.correct(DARK_MS, valid_to_ms=DARK_MS)
        assert said == []
