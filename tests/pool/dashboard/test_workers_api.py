"""The endpoints about many workers."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from msgspec.structs import replace

from pool.fleet.kinds import Assignment
from pool.fleet.register import Register
from tests.pool.dashboard.browser import Browser, without_redis
from tests.pool.dashboard.fakes import NOW_MS, FakeLive, live_view, worker

ALMATY = Assignment(
    account="bit", pattern="kz-*", fleet="bit/main", site="almaty", slice_id=1, row_id=1, valid_from_ms=NOW_MS - 1000
)


@pytest.fixture
def browser() -> Browser:
    rows = [
        replace(worker("bit.kz-r1-01", 100e12), agent="vnish/1"),
        replace(worker("bit.kz-r2-01", 50e12), agent="vnish/1"),
        replace(worker("ali.rig-01", 20e12), agent="A,B & C"),
    ]
    made = Browser(FakeLive(live_view(rows)))
    made.fleets.known = Register([ALMATY])
    return made


def names(answer: Any) -> list[str]:
    return [row.get("login", row.get("name")) for row in answer.json()["rows"]]


class TestTable:
    def test_a_row_says_where_the_machine_is_and_what_it_runs(self, browser: Browser) -> None:
        row = browser.ask("/api/v1/workers?site=almaty").json()["rows"][0]
        assert (row["site"], row["rack"], row["agent"]) == ("almaty", "kz-r1", "vnish/1")

    def test_empty_means_those_without_and_left_out_means_all(self, browser: Browser) -> None:
        assert names(browser.ask("/api/v1/workers?site=")) == ["ali.rig-01"]
        assert len(names(browser.ask("/api/v1/workers"))) == 3

    def test_firmware_is_compared_as_it_is(self, browser: Browser) -> None:
        assert names(browser.ask(f"/api/v1/workers?firmware={quote('A,B & C')}")) == ["ali.rig-01"]

    def test_without_the_database_there_are_workers_and_the_reason(self, browser: Browser) -> None:
        browser.fleets.reason = "The database is locked."
        page = browser.ask("/api/v1/workers").json()
        assert (page["total"], page["unavailable"]) == (3, {"database": "The database is locked."})

    def test_an_answer_that_says_the_same_is_known_by_its_tag(self, browser: Browser) -> None:
        tag = browser.ask("/api/v1/workers").headers["etag"]
        assert browser.ask("/api/v1/workers", If_None_Match=tag).status == 304


class TestGroups:
    @pytest.mark.parametrize(
        ("by", "found"),
        [("site", ["", "almaty"]), ("rack", ["kz-r1", "kz-r2", "rig"]), ("firmware", ["A,B & C", "vnish/1"])],
    )
    def test_workers_are_grouped_on_the_server(self, browser: Browser, by: str, found: list[str]) -> None:
        assert names(browser.ask(f"/api/v1/groups?by={by}")) == found

    def test_the_biggest_first(self, browser: Browser) -> None:
        assert names(browser.ask("/api/v1/groups?by=site&sort=hashrate_1h&order=desc")) == ["almaty", ""]

    def test_there_are_three_kinds(self, browser: Browser) -> None:
        error = browser.ask("/api/v1/groups?by=owner").json()["error"]
        assert (error["message"], error["hint"]) == (
            "Parameter 'by' is none of the choices.",
            "One of: site, rack, firmware.",
        )

    def test_without_redis_rows_are_null_with_the_reason(self) -> None:
        page = without_redis().ask("/api/v1/groups").json()
        assert (page["rows"], page["unavailable"]) == (None, {"redis": "Redis is not running: start it."})
        assert page["together"] is None

    def test_their_sum_is_told(self, browser: Browser) -> None:
        assert browser.ask("/api/v1/groups?by=site&per_page=1").json()["together"]["workers"] == 3


class TestExports:
    def test_csv_is_a_file_with_a_line_for_each_worker(self, browser: Browser) -> None:
        answer = browser.ask("/api/v1/workers.csv?account=bit")
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.headers["content-disposition"] == 'attachment; filename="workers.csv"'
        assert [line.split(",")[0] for line in answer.body.decode().splitlines()] == [
            "login", "bit.kz-r1-01", "bit.kz-r2-01",
        ]  # fmt: skip

    def test_json_has_the_rows_of_the_table(self, browser: Browser) -> None:
        found = browser.ask("/api/v1/workers.json").json()
        assert found["rows"] == browser.ask("/api/v1/workers").json()["rows"]
        assert found["next"] is None

    @pytest.mark.parametrize("form", ["csv", "json"])
    def test_an_export_that_says_the_same_is_known_by_its_tag(self, browser: Browser, form: str) -> None:
        tag = browser.ask(f"/api/v1/workers.{form}").headers["etag"]
        assert browser.ask(f"/api/v1/workers.{form}", If_None_Match=tag).status == 304

    def test_a_part_says_where_the_next_is_and_all_parts_are_all_workers(self, browser: Browser) -> None:
        found, target = [], "/api/v1/workers.json?q=1&limit=1"
        for _ in range(9):
            answer = browser.ask(target)
            found += names(answer)
            if "link" not in answer.headers:
                break
            target = answer.headers["link"].partition("<")[2].partition(">")[0]
        assert found == ["ali.rig-01", "bit.kz-r1-01", "bit.kz-r2-01"]

    def test_without_redis_there_is_no_file(self) -> None:
        answer = without_redis().ask("/api/v1/workers.csv")
        assert (answer.status, answer.json()["error"]["code"]) == (503, "unavailable")

    def test_without_the_database_no_file_says_who_is_at_a_site(self, browser: Browser) -> None:
        browser.fleets.reason = "The database is locked."
        assert browser.ask("/api/v1/workers.csv?site=almaty").status == 503
        assert browser.ask("/api/v1/workers.csv").status == 200
