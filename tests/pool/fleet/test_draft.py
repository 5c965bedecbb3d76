"""pool.fleet.draft: a move that lacks where it goes."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from pool.fleet.draft import NOTICE, Draft, completed, draft_machines, draft_report, only_a_draft
from pool.fleet.move import Event, MoveRefused, Step
from pool.fleet.planning import Asked
from tests.pool.fleet.moves import DEADLINE_MS, LOGINS, START_MS

OPENED = Event("open 1", Step.OPEN, START_MS, NOTICE, "suspension of ganzi")
DRAFT = Draft("ganzi-out", "ganzi", "acme", "sc-*", DEADLINE_MS, (OPENED,))
DROPPED = DRAFT.after(Step.CLOSE, START_MS + 1, "ann", "a generator")
WHOLE = {"account": "acme", "origin": "ganzi"}


def asked(**said: Any) -> Asked:
    bare = {"account": "", "pattern": "", "origin": "", "target": "ekibastuz", "pace": "20/min", **said}
    return Asked(
        name="ganzi-out",
        origin_endpoint="",
        target_endpoint="",
        deadline_ms=None,
        planned_on_ms=None,
        tolerance_ms=0,
        start_ms=None,
        wait_seconds=0,
        grace_seconds=10,
        words="",
        **bare,
    )


class TestReport:
    def test_it_has_no_target_and_says_what_it_lacks(self) -> None:
        report = draft_report(DRAFT, "sichuan", LOGINS)
        assert (report.state, report.target, report.lacks) == ("draft", None, ("the site to go to",))
        assert (report.way, report.deadline_ms, report.words) == ("ganzi -> ?", DEADLINE_MS, "suspension of ganzi")

    def test_all_its_machines_wait_rack_by_rack(self) -> None:
        report = draft_report(DRAFT, "sichuan", LOGINS[::-1])
        assert {what: count for what, count in report.counts.items() if count} == {"pending": 12}
        assert [(each.rack, each.counts["pending"]) for each in report.racks] == [
            ("sc-r1", 4),
            ("sc-r2", 4),
            ("sc-r10", 4),
        ]
        assert [each.login for each in draft_machines(LOGINS[::-1])] == LOGINS

    def test_one_that_was_dropped_lacks_nothing_and_keeps_what_happened(self) -> None:
        report = draft_report(DROPPED, "sichuan", [])
        assert (report.state, report.lacks) == ("dropped", ())
        assert [(each.step, each.actor) for each in report.events] == [(Step.OPEN, NOTICE), (Step.CLOSE, "ann")]


class TestCompleting:
    def test_a_draft_says_whose_machines_go_and_from_where(self) -> None:
        whole = completed(asked(), DRAFT)
        assert (whole.account, whole.pattern, whole.origin, whole.target) == ("acme", "sc-*", "ganzi", "ekibastuz")

    def test_what_it_says_may_be_said_again_but_nothing_else(self) -> None:
        assert completed(asked(**WHOLE), DRAFT) == completed(asked(), DRAFT)
        with pytest.raises(MoveRefused, match=r"a draft of workers sc-\* of acme at ganzi: leave out --account"):
            completed(asked(pattern="sc-r1-*"), DRAFT)

    @pytest.mark.parametrize(("draft", "why"), [(None, "is no draft that a notice opened"), (DROPPED, "was dropped")])
    def test_without_one_a_person_says_it(self, draft: Draft | None, why: str) -> None:
        assert completed(asked(**WHOLE), draft) == replace(asked(**WHOLE), pattern="*")
        with pytest.raises(MoveRefused, match=f"move ganzi-out {why}: say whose machines go"):
            completed(asked(), draft)


def test_nothing_else_can_be_ordered_and_it_says_what_can() -> None:
    assert "complete it with `steppe move plan ganzi-out --to SITE`, or drop it" in only_a_draft(DRAFT)
    assert "was dropped before it was planned" in only_a_draft(DROPPED)
