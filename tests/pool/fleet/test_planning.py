"""Plans, and why there is none."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pool.fleet.kinds import Assignment, Site
from pool.fleet.move import MoveRefused
from pool.fleet.planning import Wish, dry_run, left_behind, matches, plan_move
from pool.fleet.racks import RACK_RULE
from pool.fleet.slices import SliceTable
from tests.pool.fleet.moves import DEADLINE_MS, LOGINS, PLAN, START_MS
from tests.pool.fleet.rows import NOW_MS

WISH = Wish(
    name="out",
    account="acme",
    pattern="sc-*",
    origin=PLAN.origin,
    target=PLAN.target,
    pace="20/min",
    deadline_ms=DEADLINE_MS,
    planned_on_ms=None,
    tolerance_ms=600_000,
    start_ms=None,
    wait_seconds=0,
    grace_seconds=10,
    rack_rule=RACK_RULE,
    words="",
)


def refusal(busy: dict[str, str] | None = None, **changes: object) -> str:
    with pytest.raises(MoveRefused) as refused:
        plan_move(replace(WISH, **changes), LOGINS, busy or {}, START_MS)
    return str(refused.value)


def test_a_plan_has_its_machines_in_the_order_of_their_turn() -> None:
    plan, logins = plan_move(WISH, LOGINS[::-1], {}, START_MS)
    assert (plan, logins) == (PLAN, LOGINS)


def test_machines_of_another_account_or_name_are_left_where_they_are() -> None:
    _, logins = plan_move(WISH, [*LOGINS, "other.sc-r1-1", "acme.tx-r1-1", "acme"], {}, START_MS)
    assert logins == LOGINS


def test_a_dry_run_says_who_would_be_told_and_when() -> None:
    due = dry_run(PLAN, LOGINS[::-1], START_MS)
    assert [(each.login, each.rack, each.at_ms) for each in due[:5]] == [
        (login, rack, START_MS + at * 3000)
        for at, (login, rack) in enumerate(zip(LOGINS[:5], ["sc-r1"] * 4 + ["sc-r2"], strict=True))
    ]


def assigned(number: int, pattern: str, site: str, from_ms: int = NOW_MS) -> Assignment:
    return Assignment(
        account="acme",
        pattern=pattern,
        fleet="acme/f",
        site=site,
        slice_id=number,
        row_id=number,
        valid_from_ms=from_ms,
    )


class TestLeftBehind:
    SITE = Site(
        name="ekibastuz", country="KZ", time_zone="UTC", region="kazakhstan", row_id=1, valid_from_ms=NOW_MS - 1
    )
    AT_GANZI = assigned(1, "sc-*", "ganzi")

    def found(self, *rows: Assignment) -> list[str]:
        table = SliceTable(rows, [self.SITE], "kazakhstan")
        return [each.login for each in left_behind(dry_run(PLAN, LOGINS, NOW_MS), table, {"ekibastuz"})]

    def test_everybody_where_only_the_old_site_has_the_pattern(self) -> None:
        assert self.found(self.AT_GANZI) == LOGINS

    def test_nobody_where_both_have_it(self) -> None:
        assert self.found(self.AT_GANZI, assigned(2, "sc-*", "ekibastuz")) == []

    def test_whose_turn_comes_before_the_other_assignment_begins(self) -> None:
        later = assigned(2, "sc-*", "ekibastuz", NOW_MS + 6000)
        assert self.found(self.AT_GANZI, later) == LOGINS[:2]

    def test_whom_a_longer_pattern_keeps_where_it_was(self) -> None:
        named = assigned(3, "sc-r2-*", "ganzi")
        assert self.found(self.AT_GANZI, assigned(2, "sc-*", "ekibastuz"), named) == LOGINS[4:8]

    def test_nobody_where_nothing_is_assigned(self) -> None:
        assert self.found() == []


@pytest.mark.parametrize(
    ("pattern", "worker", "fits"),
    [("*", "x", True), ("sc-*", "sc-", True), ("sc-?", "sc-1", False), ("a.b", "axb", False), ("s*1", "sc-1", True)],
)
def test_a_star_is_any_text_and_all_else_is_itself(pattern: str, worker: str, fits: bool) -> None:
    assert matches(pattern, "acme", f"acme.{worker}") is fits


class TestRefusals:
    def test_a_pattern_that_matches_nothing(self) -> None:
        assert "no machine of acme in region sichuan matches 'tx-*': nothing would move" in refusal(pattern="tx-*")

    def test_a_deadline_in_the_past(self) -> None:
        assert "the deadline is in the past" in refusal(deadline_ms=START_MS)

    def test_a_start_in_the_past_and_one_after_the_deadline(self) -> None:
        assert "the start is in the past" in refusal(start_ms=START_MS - 1)
        assert "not before the deadline" in refusal(start_ms=DEADLINE_MS)

    def test_a_date_of_arrival_in_the_past(self) -> None:
        assert "in the past" in refusal(planned_on_ms=START_MS)

    def test_two_sites_of_one_region(self) -> None:
        assert "nothing to tell" in refusal(target=replace(PLAN.target, region="sichuan"))

    def test_waves_that_end_after_the_deadline_with_the_rate_that_would_do(self) -> None:
        said = refusal(deadline_ms=START_MS + 120_000, pace="1/min")
        assert "12 machines at 1/min take 11 minutes, and the deadline is 2 minutes after the start" in said
        assert "take at least 6/min" in said

    def test_machines_that_are_on_another_move(self) -> None:
        said = refusal(busy={LOGINS[3]: "earlier"})
        assert f"1 of these machines, {LOGINS[3]} first, belong to move earlier" in said

    @pytest.mark.parametrize("pattern", ["sc-[0-9]", "sc r1", "x" * 65])
    def test_what_is_no_pattern(self, pattern: str) -> None:
        assert "fits no worker" in refusal(pattern=pattern)

    @pytest.mark.parametrize("name", ["", "a b", "-x", "../x"])
    def test_what_is_no_name(self, name: str) -> None:
        assert "is no name of a move" in refusal(name=name)

    def test_what_is_no_pace_or_no_rack_rule(self) -> None:
        assert "is no pace" in refusal(pace="fast")
        assert "no group" in refusal(rack_rule=".*")
