"""pool.reports.presence: machines as people entered them, as their names were seen, and as hashrate has them."""

from __future__ import annotations

from typing import Any

from pool.reports.facts import Counted, Dark, Facts, Seen, Span, Work
from pool.reports.papers import paper_of
from pool.reports.presence import DAY_MS, Presence
from pool.reports.progress import Commissioning, commissioning
from tests.pool.reports.kazakhstan import HOUR_MS, LOGINS, NEW, OLD, ON_MS, known

TO_MS = ON_MS + DAY_MS
TODAY_MS = (TO_MS - 1) // DAY_MS * DAY_MS


def told(**more: Any) -> Commissioning:
    return commissioning(asked(**more), Span(TO_MS - DAY_MS, TO_MS), "bit")


def asked(**more: Any) -> Facts:
    return known(TO_MS, **more)


def found(**more: Any) -> Presence:
    [batch] = told(**more).batches
    return batch.presence


def seen(count: int, slice_id: int = NEW, day_ms: int = TODAY_MS) -> list[Seen]:
    return [Seen(slice_id, day_ms, login) for login in LOGINS[:count]]


def test_what_people_entered_stands_beside_what_was_seen() -> None:
    counted = [Counted(NEW, TODAY_MS, 300 * 1000, {})]
    presence = found(seen=seen(300), counted=counted)
    assert (presence.entered, presence.seen, presence.unseen_max) == (320, 300, 0)


def test_a_machine_that_is_dark_is_not_seen_and_one_that_came_back_is() -> None:
    darks = [Dark(LOGINS[0], TO_MS - HOUR_MS, None), Dark(LOGINS[1], TO_MS - HOUR_MS, TO_MS - 1)]
    assert found(seen=seen(3), darks=darks).seen == 2


def test_a_name_of_yesterday_and_today_is_one_machine() -> None:
    assert found(seen=[*seen(3), *seen(5, day_ms=TODAY_MS - DAY_MS), *seen(9, day_ms=TODAY_MS - 2 * DAY_MS)]).seen == 5


def test_who_was_seen_under_an_assignment_that_ended_is_not_there() -> None:
    assert found(seen=seen(300, slice_id=OLD)).seen == 0


def test_machines_that_send_seldom_may_hash_unseen() -> None:
    # 100 machines with two shares each on average: one in e^2 of those that hash had none, 15.65 + 2 * 3.96.
    assert found(seen=seen(100), counted=[Counted(NEW, TODAY_MS, 200, {})]).unseen_max == 24


def test_books_that_did_not_keep_names_say_so() -> None:
    presence = found()
    assert (presence.seen, presence.unseen_max) == (None, None)
    tables = {table.title: table for table in paper_of(told()).tables}
    assert tables["Machines that hash: entered, and seen"].rows[0][3] == "not kept then"


def test_hashrate_is_worth_so_many_machines_give_or_take() -> None:
    work = 160 * 56_875 * 10**9 * 86_400
    presence = found(works=[Work("bit", NEW, TO_MS - DAY_MS, TO_MS, work, work // 10_000)])
    assert (presence.by_hashrate, presence.low, presence.high) == (160, 156, 164)
    assert found().low is None
