"""pool.dashboard.fleets."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pool.fleet.facts import Fact
from pool.fleet.kinds import Assignment, Capacity
from pool.fleet.register import Register
from pool.fleet.times import utc
from tests.pool.dashboard.browser import Browser
from tests.pool.dashboard.fakes import NOW_MS, FakeLive, live_view, worker
from tests.pool.fleet.rows import HOUR_MS, entries, facts


@pytest.fixture
def browser() -> Browser:
    """The fleet of BIT Mining, a day ago by the browser's clock, and three workers."""
    made = Browser(FakeLive(live_view([worker("bit.kz-1"), worker("bit.tx-<b>"), worker("other.rig-1")])))
    ago_ms = NOW_MS - 24 * HOUR_MS
    told: list[Fact] = []
    for fact in facts():
        begins_ms = ago_ms + HOUR_MS if isinstance(fact, Assignment) else ago_ms
        told.append(replace(fact, valid_from_ms=begins_ms))
    made.fleets.known = Register()
    made.fleets.known.add(entries(told), ago_ms)
    more = Capacity(site="almaty", capacity_w=5, valid_from_ms=NOW_MS)
    made.fleets.known.add(entries([more]), NOW_MS)
    return made


def kinds(browser: Browser, path: str) -> list[str]:
    return [row["kind"] for row in browser.ask(path).json()["rows"]]


def test_each_group_has_its_kinds(browser: Browser) -> None:
    assert kinds(browser, "/api/v1/fleets") == ["fleet"]
    assert kinds(browser, "/api/v1/sites") == ["site", "capacity", "capacity"]
    assert kinds(browser, "/api/v1/contracts") == ["contract"]
    assert kinds(browser, "/api/v1/batches") == ["batch", "count", "model"]
    assert kinds(browser, "/api/v1/assignments") == ["assignment"]


def test_a_row_says_what_and_since_when_and_when_that_became_known(browser: Browser) -> None:
    (row,) = browser.ask("/api/v1/contracts").json()["rows"]
    assert (row["kind"], row["number"], row["replaces"]) == ("contract", 1, None)
    assert row["recorded_ms"] == row["says"]["valid_from_ms"] == NOW_MS - 24 * HOUR_MS
    assert (row["says"]["kind"], row["says"]["steps"]) == ("hosting", "net 500 host; share @owner 1")


def test_any_time_can_be_asked_as_it_was_known_at_any_other(browser: Browser) -> None:
    def watts(**times: int) -> list[int]:
        asked = "&".join(f"{name}={utc(time_ms)}" for name, time_ms in times.items())
        rows = browser.ask(f"/api/v1/sites?kind=capacity&{asked}").json()["rows"]
        return [row["says"]["capacity_w"] for row in rows]

    assert watts(at=NOW_MS) == [5]
    assert watts(at=NOW_MS, known=NOW_MS - 1000) == [20_000_000]
    assert watts(at=NOW_MS - 1000) == [20_000_000]
    assert watts(at=NOW_MS, known=NOW_MS - 48 * HOUR_MS) == []


def test_a_page_is_a_part_of_all_rows(browser: Browser) -> None:
    page = browser.ask("/api/v1/sites?page=2&per_page=2").json()
    assert (page["total"], len(page["rows"])) == (3, 1)


def test_workers_that_no_assignment_fits_are_listed_if_their_account_has_any(browser: Browser) -> None:
    page = browser.ask("/api/v1/unmatched").json()
    assert (page["total"], page["rows"]) == (1, [{"account": "bit", "worker": "tx-<b>"}])


@pytest.mark.parametrize("query", ["at=now", "known=2021-06-19T09:00", "kind=worker", "page=0", "x=1"])
def test_what_is_not_understood_is_refused(browser: Browser, query: str) -> None:
    answer = browser.ask(f"/api/v1/sites?{query}")
    assert (answer.status, answer.json()["error"]["code"]) == (400, "bad_parameter")


def test_without_a_database_there_is_the_reason(browser: Browser) -> None:
    browser.fleets.reason = "the database is away"
    for path in ("/api/v1/sites", "/api/v1/unmatched"):
        page = browser.ask(path).json()
        assert (page["rows"], page["unavailable"]) == (None, {"database": "the database is away"})
