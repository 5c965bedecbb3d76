"""The site on HTTP: paths, methods, conditional requests, headers, refusals."""

from __future__ import annotations

import pytest

from pool.dashboard.rows import LiveView
from tests.pool.dashboard.browser import Browser, healthy
from tests.pool.dashboard.fakes import FakeLive, live_view, worker

PATHS = (
    "/",
    "/static/app.css",
    "/static/app.js",
    "/static/icon.svg",
    "/api/v1/pool",
    "/api/v1/history",
    "/api/v1/job",
    "/api/v1/workers",
    "/api/v1/accounts",
    "/api/v1/accounts/texas-2",
    "/api/v1/blocks",
    "/healthz",
    "/readyz",
    "/metrics",
)


class BrokenLive(FakeLive):
    """A source with a bug."""

    async def view(self) -> LiveView:
        raise ZeroDivisionError("secret detail")


class TestPaths:
    @pytest.mark.parametrize("path", PATHS)
    def test_each_path_answers(self, path: str) -> None:
        assert healthy().ask(path).status == 200

    def test_an_unknown_path_is_404_with_a_hint(self) -> None:
        answer = healthy().ask("/api/v2/pool")
        assert answer.status == 404
        assert answer.json() == {
            "error": {
                "code": "unknown_path",
                "message": "There is nothing here.",
                "hint": "The page is at /, the API below /api/v1.",
            }
        }

    @pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/", "/static/app.py", "//"])
    def test_no_path_leads_out_of_the_table_of_files(self, path: str) -> None:
        assert healthy().ask(path).status == 404

    def test_the_page_takes_parameters_because_it_keeps_its_own_state_there(self) -> None:
        assert healthy().ask("/?workers.q=rack").status == 200


class TestMethods:
    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get"])
    @pytest.mark.parametrize("path", ["/", "/api/v1/pool", "/api/v1/accounts/texas-2"])
    def test_any_other_method_is_405_and_says_what_is_allowed(self, method: str, path: str) -> None:
        answer = healthy().ask(path, method=method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")

    def test_head_has_the_headers_of_get_and_no_body(self) -> None:
        browser = healthy()
        head, get = browser.ask("/api/v1/pool", method="HEAD"), browser.ask("/api/v1/pool")
        assert head.body == b""
        assert head.headers["content-length"] == str(len(get.body))
        assert head.headers["etag"] == get.headers["etag"]

    def test_a_form_is_not_read_for_parameters(self) -> None:
        head = b"POST /api/v1/session HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        assert healthy().send(head + b"Content-Length: 7\r\n\r\nname=me").status == 415


class TestConditional:
    @pytest.mark.parametrize("path", ["/", "/static/app.css", "/api/v1/pool", "/api/v1/workers", "/api/v1/blocks"])
    def test_the_same_answer_is_not_sent_twice(self, path: str) -> None:
        browser = healthy()
        again = browser.ask(path, If_None_Match=browser.ask(path).headers["etag"])
        assert (again.status, again.body) == (304, b"")

    def test_a_changed_answer_is_sent(self) -> None:
        browser = healthy()
        old = browser.ask("/api/v1/workers").headers["etag"]
        browser.live.content = live_view([worker("acct.rig-1")])
        browser.clock.seconds += 2
        assert browser.ask("/api/v1/workers", If_None_Match=old).status == 200

    @pytest.mark.parametrize("form", ["W/{}", '"other", {}', "*", '"other",{}'])
    def test_every_form_of_if_none_match_is_understood(self, form: str) -> None:
        browser = healthy()
        known = form.format(browser.ask("/api/v1/pool").headers["etag"])
        assert browser.ask("/api/v1/pool", If_None_Match=known).status == 304

    def test_a_refusal_has_no_tag(self) -> None:
        assert "etag" not in healthy().ask("/api/v1/workers?page=0").headers


class TestHeaders:
    @pytest.mark.parametrize("path", [*PATHS, "/nowhere", "/api/v1/workers?page=0"])
    def test_every_answer_has_the_security_headers(self, path: str) -> None:
        headers = healthy().ask(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"

    @pytest.mark.parametrize("path", PATHS)
    def test_no_other_site_may_read_an_answer(self, path: str) -> None:
        answer = healthy().ask(path, Origin="https://evil.example")
        assert not [name for name in answer.headers if name.startswith("access-control")]

    def test_the_versions_of_the_software_stay_private(self) -> None:
        assert healthy().ask("/").headers["server"] == "Steppe"


class TestBugs:
    def test_a_bug_is_500_without_its_details(self) -> None:
        answer = Browser(live=BrokenLive(live_view([]))).ask("/api/v1/workers")
        assert (answer.status, answer.json()["error"]["code"]) == (500, "internal")
        assert b"secret" not in answer.body

    def test_a_bug_leaves_the_rest_of_the_site_alone(self) -> None:
        browser = Browser(live=BrokenLive(live_view([])))
        browser.ask("/api/v1/workers")
        assert browser.ask("/api/v1/blocks").status == 200
