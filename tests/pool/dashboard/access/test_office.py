"""pool.dashboard.access.office: what is told of the credentials that hold, and of what was done."""

from __future__ import annotations

from typing import Any

from tests.pool.dashboard.access.entering import Visitor, bearer, operator
from tests.pool.dashboard.access.test_guard import private
from tests.pool.dashboard.browser import Browser


def told(browser: Browser, visitor: Visitor, name: str) -> list[dict[str, Any]]:
    """The rows of a name, the credential itself before its sessions."""
    browser.clock.seconds += 2
    rows: list[dict[str, Any]] = visitor.ask("/api/v1/access").json()["rows"]
    return [row for row in rows if row["name"] == name]


class TestUse:
    def test_what_nobody_came_in_by_was_never_used(self) -> None:
        browser = private()
        visitor = operator(browser)
        for kind, scope in (("link", "site:ganzi"), ("token", "pool")):
            browser.credentials.make(kind, "noc", scope)
        for row in told(browser, visitor, "noc"):
            assert (row["sessions"], row["used_ms"]) == (0, None)

    def test_a_link_is_used_by_the_browsers_that_it_let_in(self) -> None:
        browser = private()
        visitor = operator(browser)
        secret = browser.credentials.make("link", "noc")
        watchers = [Visitor(browser), Visitor(browser)]
        for watcher in watchers:
            watcher.log_in(secret)
        came_ms = browser.clock.time_ms()
        link, *sessions = told(browser, visitor, "noc")
        assert [each["kind"] for each in (link, *sessions)] == ["link", "session", "session"]
        assert (link["sessions"], link["used_ms"]) == (2, came_ms)
        browser.clock.seconds += 60
        watchers[0].ask("/api/v1/workers")
        asked_ms = browser.clock.time_ms()
        link, *sessions = told(browser, visitor, "noc")
        assert [each["used_ms"] for each in (link, *sessions)] == [asked_ms, asked_ms, came_ms]

    def test_a_token_is_used_by_each_request(self) -> None:
        browser = private()
        visitor = operator(browser)
        token = browser.credentials.make("token", "grafana")
        bearer(browser, token, "/api/v1/workers")
        asked_ms = browser.clock.time_ms()
        (row,) = told(browser, visitor, "grafana")
        assert row["used_ms"] == asked_ms

    def test_who_looks_uses_the_own_password_and_session(self) -> None:
        browser = private()
        password, session = told(browser, operator(browser), "anna")
        now_ms = browser.clock.time_ms()
        assert (password["kind"], password["sessions"], password["used_ms"]) == ("password", 1, now_ms)
        assert (session["kind"], session["sessions"], session["used_ms"]) == ("session", 0, now_ms)

    def test_a_link_that_is_revoked_is_told_no_more_and_neither_is_who_came_in_by_it(self) -> None:
        browser = private()
        visitor = operator(browser)
        link = browser.credentials.make("link", "noc")
        Visitor(browser).log_in(link)
        (row, _) = told(browser, visitor, "noc")
        left = visitor.send("DELETE", f"/api/v1/access/{row['id']}")
        assert [each["name"] for each in left.json()["rows"]] == ["anna", "anna"]


class TestLog:
    def test_is_searched_and_says_how_many_entries_there_are_in_all(self) -> None:
        browser = private()
        visitor = operator(browser)
        browser.credentials.make("link", "noc", "site:ganzi")
        (row, *_) = told(browser, visitor, "noc")
        visitor.send("DELETE", f"/api/v1/access/{row['id']}")
        page = visitor.ask("/api/v1/audit?q=ANNA+revoked").json()
        assert [each["action"] for each in page["rows"]] == ["link.revoked"]
        assert (page["total"], page["kept"]) == (1, 2)
        assert visitor.ask("/api/v1/audit?result=refused").json()["total"] == 0

    def test_results_that_there_are_not_are_refused(self) -> None:
        answer = operator(private()).ask("/api/v1/audit?result=good")
        assert (answer.status, answer.json()["error"]["code"]) == (400, "bad_parameter")
