"""pool.fleet.notices: who has a move to plan when a site's power ends."""

from __future__ import annotations

from typing import Any

import pytest

from pool.fleet.kinds import Assignment, EventKind, SiteEvent
from pool.fleet.notices import moves_to_plan
from pool.fleet.register import Entry, Register
from tests.pool.reports.kazakhstan import LONG_AGO_MS, OFF_MS, facts


def lines(from_ms: int, kind: EventKind = EventKind.SUSPENSION, **more: Any) -> list[str]:
    register = Register()
    told = [each for each in facts() if not isinstance(each, SiteEvent)]
    register.add([Entry("line", each) for each in told], LONG_AGO_MS)
    event = SiteEvent(site="ganzi", kind=kind, announced_ms=LONG_AGO_MS, valid_from_ms=from_ms, **more)
    return list(moves_to_plan(register, [event]))


@pytest.mark.parametrize("kind", [EventKind.SUSPENSION, EventKind.CLOSURE])
def test_workers_that_stand_there_then_are_named_with_the_command_that_plans_their_move(kind: EventKind) -> None:
    [line] = lines(OFF_MS - 1, kind)
    assert line.startswith("bit has workers sc-* at ganzi, where power ends at 2021-06-19T00:59:59.999Z: ")
    assert "`steppe move plan NAME --account bit --workers 'sc-*' --from ganzi --to SITE" in line


def test_who_has_left_by_then_is_not() -> None:
    assert lines(OFF_MS) == []


def test_a_curtailment_and_what_is_no_event_ask_for_no_move() -> None:
    assert lines(OFF_MS - 1, EventKind.CURTAILMENT) == []
    row = Assignment(valid_from_ms=LONG_AGO_MS, account="bit", pattern="*", fleet="bit/main", site="ganzi")
    assert list(moves_to_plan(Register(), [row])) == []
