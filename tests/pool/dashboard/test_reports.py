"""/api/v1/reports."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pool.dashboard.fleet_rows import AlarmSign
from pool.dashboard.ports import SourceUnavailable
from pool.fleet.times import parse_time
from pool.reports.asked import Asked, Report
from pool.reports.facts import ReportRefused
from pool.reports.papers import Made
from pool.reports.weak import Weak
from tests.pool.dashboard.browser import Browser
from tests.pool.dashboard.fakes import NOW_MS


class FakeReporting:
    """Makes an empty report, or fails as told."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.asked: list[Asked] = []

    async def make(self, asked: Asked) -> Made:
        self.asked.append(asked)
        if self.failure is not None:
            raise self.failure
        return Weak(asked.name, 0, 0, 0, 0, 0, ())


class TestReports:
    def test_the_question_is_what_the_address_says(self) -> None:
        reporting = FakeReporting()
        address = "/api/v1/reports/relocation?fleet=bit/main&off=2021-06-19T09:00%2B08:00&on=2021-06-27T00:00Z"
        assert Browser(reporting=reporting).ask(address).status == 200
        off_ms, on_ms = parse_time("2021-06-19T09:00+08:00"), parse_time("2021-06-27T00:00Z")
        assert reporting.asked == [Asked(Report.RELOCATION, "bit/main", off_ms=off_ms, on_ms=on_ms)]

    def test_the_same_answer_is_not_sent_twice(self) -> None:
        browser = Browser(reporting=FakeReporting())
        first = browser.ask("/api/v1/reports/weak?fleet=bit")
        assert first.json()["fleet"] == "bit"
        again = browser.ask("/api/v1/reports/weak?fleet=bit", If_None_Match=first.headers["etag"])
        assert (again.status, again.body) == (304, b"")

    def test_it_comes_as_people_read_it_too(self) -> None:
        paper = Browser(reporting=FakeReporting()).ask("/api/v1/reports/weak?fleet=bit&form=paper").json()
        assert paper["title"].startswith("Weak machines of bit")
        assert [table["rows"] for table in paper["tables"]] == [[]]

    def test_it_comes_as_a_page_that_prints_whose_names_do_nothing(self) -> None:
        browser = Browser(reporting=FakeReporting())
        page = browser.ask("/api/v1/reports/weak?fleet=%3Cscript%3Ealert(1)%3C/script%3E&form=html")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "script-src" not in page.headers["content-security-policy"]
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert b"&lt;script&gt;" in page.body
        assert b"<script" not in page.body

    def test_a_form_that_there_is_not_is_refused(self) -> None:
        assert Browser(reporting=FakeReporting()).ask("/api/v1/reports/weak?form=pdf").status == 400

    @pytest.mark.parametrize("report", list(Report))
    def test_every_report_has_an_address_that_can_only_be_read(self, report: Report) -> None:
        browser = Browser(reporting=FakeReporting())
        name = {Report.RELOCATION: "?move=out", Report.SLA: "?contract=c"}.get(report, "")
        assert browser.ask(f"/api/v1/reports/{report.value}{name}").status == 200
        assert browser.ask(f"/api/v1/reports/{report.value}{name}", "POST").status == 405

    def test_what_there_is_no_report_of_is_not_found_and_says_why(self) -> None:
        response = Browser(reporting=FakeReporting(ReportRefused("there is no site x"))).ask(
            "/api/v1/reports/power?site=x"
        )
        assert (response.status, response.json()["error"]["code"]) == (404, "no_report")
        assert "there is no site x" in response.json()["error"]["message"]

    def test_without_a_database_it_says_so(self) -> None:
        response = Browser(reporting=FakeReporting(SourceUnavailable("It is locked."))).ask("/api/v1/reports/power")
        assert (response.status, response.json()["error"]["code"]) == (503, "unavailable")

    @pytest.mark.parametrize(
        "address",
        [
            "relocation",
            "sla",
            "power?site=a&site=b",
            "power?fleet=a",
            "power?from=2021-06-19",
            "weak?from=2021-06-19T00:00Z",
        ],
    )
    def test_a_question_that_is_not_understood_is_refused(self, address: str) -> None:
        response = Browser(reporting=FakeReporting()).ask(f"/api/v1/reports/{address}")
        assert (response.status, response.json()["error"]["code"]) == (400, "bad_parameter")


class TestAlarms:
    def test_each_says_what_is_dark_and_since_when(self) -> None:
        browser = Browser()
        roles = browser.live.content.roles
        assert roles.accounting is not None
        alarm = AlarmSign("site", "almaty", 2590, 2600, NOW_MS, ("r1", "r2"))
        accounting = replace(roles.accounting, alarms=(alarm,))
        browser.live.content = replace(browser.live.content, roles=replace(roles, accounting=accounting))
        answer = browser.ask("/api/v1/alarms")
        assert answer.json()["rows"] == [
            {
                "kind": "site",
                "name": "almaty",
                "dark": 2590,
                "machines": 2600,
                "since_ms": NOW_MS,
                "parts": ["r1", "r2"],
            }
        ]
        assert browser.ask("/api/v1/alarms", If_None_Match=answer.headers["etag"]).status == 304

    def test_without_an_accounting_role_nobody_knows(self) -> None:
        browser = Browser()
        browser.live.content = replace(browser.live.content, roles=replace(browser.live.content.roles, accounting=None))
        answer = browser.ask("/api/v1/alarms").json()
        assert (answer["rows"], set(answer["unavailable"])) == (None, {"accounting"})
