"""pool.dashboard.access.ordering: what becomes of an order before and after it is carried out, and what is logged."""

from __future__ import annotations

from typing import Any

import pytest

from pool.dashboard.access.fleet_orders import FleetFiles
from pool.dashboard.access.money_orders import FeeRate
from pool.dashboard.access.operations import LARGE_BYTES_MAX
from pool.dashboard.access.orders import Order
from tests.pool.dashboard.access.answers import ANSWERS
from tests.pool.dashboard.access.entering import Visitor, operator
from tests.pool.dashboard.browser import Browser, Response

PLAN = {"name": "out", "account": "bit", "origin": "a", "target": "b", "pace": "20/min"}


@pytest.fixture
def browser() -> Browser:
    made = Browser(public=())
    made.orders.answers = ANSWERS
    return made


def logged(browser: Browser) -> list[tuple[str, str, str]]:
    """Actions with what they are about and what came of them, without the logins."""
    rows = browser.credentials.entries_kept
    return [(each.action, each.target, each.result) for each in rows if each.action != "login"]


def by_token(browser: Browser, right: str, path: str, method: str = "GET") -> Response:
    token = browser.credentials.make("token", "ci", "pool", *([right] if right else []))
    said: Any = {"Authorization": f"Bearer {token}", "Content_Type": "application/json"}
    return browser.ask(path, method, site=browser.admin, body=b"{}" if method == "POST" else b"", **said)


class TestOrder:
    def test_it_comes_to_who_carries_it_out_as_it_was_meant(self, browser: Browser) -> None:
        operator(browser).send("POST", "/api/v1/payouts/7/bump", {"fee_rate": 5, "newest": "ab" * 32})
        assert browser.orders.given == [Order("payouts.bump", ("7",), FeeRate(5, "ab" * 32), "operator:anna")]

    def test_what_is_wrong_in_itself_is_400_and_what_cannot_be_now_is_409(self, browser: Browser) -> None:
        visitor = operator(browser)
        browser.orders.refusal = "no such address"
        answers = []
        for browser.orders.is_input in (True, False):
            answer = visitor.send("POST", "/api/v1/accounts/alice/address", {"address": "x"})
            answers.append((answer.status, answer.json()["error"]["code"], answer.json()["error"]["hint"]))
        assert answers == [(400, "bad_input", "Nothing was changed."), (409, "refused", "Nothing was changed.")]
        assert logged(browser)[-1] == ("accounts.address", "alice address=x", "refused: no such address")

    def test_a_node_that_is_away_is_named_and_logged(self, browser: Browser) -> None:
        visitor = operator(browser)
        browser.orders.reason = "the node does not answer"
        answer = visitor.send("POST", "/api/v1/payouts/1/bump", {})
        assert (answer.status, answer.json()["error"]["message"]) == (
            503,
            "This cannot be done now: the node does not answer.",
        )
        result = "refused: This cannot be done now: the node does not answer"
        assert logged(browser)[-1] == ("payouts.bump", "1", result)

    def test_a_dry_run_is_not_in_the_log(self, browser: Browser) -> None:
        visitor = operator(browser)
        assert visitor.send("POST", "/api/v1/moves", {**PLAN, "dry_run": True}).status == 200
        assert logged(browser) == []
        visitor.send("POST", "/api/v1/moves", PLAN)
        assert [result for _, _, result in logged(browser)] == ["begun", "done: planned"]

    def test_of_what_is_long_the_log_has_the_length(self, browser: Browser) -> None:
        operator(browser).send("POST", "/api/v1/payouts/import", {"psbt": "A" * 50_000})
        assert {target for _, target, _ in logged(browser)} == {"psbt=50000 characters"}

    @pytest.mark.parametrize(
        ("path", "code"),
        [
            ("/api/v1/payouts/x/release", "unknown_number"),
            ("/api/v1/payouts/%C2%B2/release", "unknown_number"),
            ("/api/v1/payouts/1234567890123456/release", "unknown_number"),
            ("/api/v1/blocks/zz/accept", "unknown_block"),
            (f"/api/v1/blocks/{'AB' * 32}/accept", "unknown_block"),
        ],
    )
    def test_what_can_be_no_number_and_no_hash_names_nothing(self, browser: Browser, path: str, code: str) -> None:
        answer = operator(browser).send("POST", path, {"reason": "a test"} if "blocks" in path else {})
        assert (answer.status, answer.json()["error"]["code"]) == (404, code)
        assert browser.orders.given == []
        assert logged(browser) == []

    @pytest.mark.parametrize(
        ("path", "body", "names"),
        [
            ("/api/v1/payouts/fund", {"ticket": "a b", "amount_sat": 5}, "ticket"),
            ("/api/v1/payouts/fund", {"ticket": "T1", "amount_sat": 0.5}, "amount_sat"),
            ("/api/v1/payouts/fund", {"ticket": "T1", "amount_sat": 10**17}, "amount_sat"),
            ("/api/v1/payouts/1/cancel", {"newest": "zz"}, "newest"),
            ("/api/v1/accounts", {"name": "bob", "scheme": "none"}, "scheme"),
            ("/api/v1/accounts", {"name": "bob", "fee_bps": 10_001}, "fee_bps"),
            ("/api/v1/accounts/bob/threshold", {}, "threshold_sat"),
            ("/api/v1/accounts/bob/threshold", {"threshold_sat": 0}, "threshold_sat"),
            ("/api/v1/moves", {**PLAN, "grace_seconds": 0}, "grace_seconds"),
            ("/api/v1/moves", {**PLAN, "force": True}, "force"),
            ("/api/v1/sites", {"says": {"name": 5}}, "says"),
            ("/api/v1/fleets/import", {"files": {"site.csv": None}}, "files"),
        ],
    )
    def test_a_body_that_is_not_understood_is_refused_by_name(
        self, browser: Browser, path: str, body: Any, names: str
    ) -> None:
        answer = operator(browser).send("POST", path, body)
        assert (answer.status, answer.json()["error"]["code"]) == (400, "bad_body")
        assert names in answer.json()["error"]["message"]
        assert browser.orders.given == []


class TestFile:
    PATH = "/api/v1/fleets/import/site.csv"

    def send(self, visitor: Visitor, text: str, media: str = "text/csv; charset=utf-8") -> Response:
        return visitor.send("POST", self.PATH, text, Content_Type=media)

    def test_it_comes_as_it_is(self, browser: Browser) -> None:
        assert self.send(operator(browser), "name\nganzi\n").status == 200
        assert browser.orders.given == [Order("fleets.import.file", ("site.csv",), "name\nganzi\n", "operator:anna")]

    def test_another_media_type_and_what_is_no_text_are_refused(self, browser: Browser) -> None:
        visitor = operator(browser)
        wrong = self.send(visitor, "name\n", "application/json")
        assert (wrong.status, wrong.json()["error"]["hint"]) == (415, "Send Content-Type: text/csv.")
        said: Any = {"Cookie": visitor.cookie, "X_CSRF_Token": visitor.csrf, "Content_Type": "text/csv"}
        binary = browser.ask(self.PATH, "POST", site=browser.admin, body=b"name\n\xff", **said)
        assert (binary.status, binary.json()["error"]["message"]) == (400, "The body is no UTF-8: byte 5.")

    def test_a_fleet_may_be_large_at_the_operators_listener_and_nothing_else_there(self, browser: Browser) -> None:
        visitor = operator(browser)
        long = "x" * (LARGE_BYTES_MAX // 2)
        assert self.send(visitor, long).status == 200
        assert visitor.send("POST", "/api/v1/fleets/import", {"files": {"site.csv": long}}).status == 200
        assert browser.orders.given[-1].said == FleetFiles({"site.csv": long})
        assert visitor.send("POST", "/api/v1/payouts/stop", {"reason": long}).status == 413
        assert self.send(visitor, long * 3).status == 413


class TestLook:
    def test_it_is_answered_and_not_logged(self, browser: Browser) -> None:
        answer = operator(browser).ask("/api/v1/payouts/plan")
        assert answer.json()["lines"] == [{"account": "texas-2", "address": "bcrt1q", "amount_sat": 7}]
        assert answer.headers["cache-control"] == "no-store"
        assert logged(browser) == []

    def test_a_file_is_served_as_one(self, browser: Browser) -> None:
        answer = operator(browser).ask("/api/v1/fleets/export/site.csv")
        assert (answer.headers["content-type"].partition(";")[0], answer.body) == ("text/csv", b"name\nganzi\n")

    def test_what_is_refused_says_why(self, browser: Browser) -> None:
        browser.orders.refusal = "there is no move out"
        answer = operator(browser).ask("/api/v1/moves/out/due")
        assert (answer.status, answer.json()["error"]["message"]) == (409, "there is no move out.")

    @pytest.mark.parametrize(
        ("right", "path", "method", "status"),
        [
            ("payouts", "/api/v1/payouts/plan", "GET", 200),
            ("moves", "/api/v1/payouts/plan", "GET", 403),
            ("", "/api/v1/payouts/plan", "GET", 403),
            ("", "/api/v1/accounts/alice/terms", "GET", 403),
            ("moves", "/api/v1/strays", "GET", 200),
            ("payouts", "/api/v1/strays", "GET", 403),
            ("moves", "/api/v1/contracts/charge", "POST", 403),
            ("payouts", "/api/v1/contracts/charge", "POST", 200),
            ("payouts", "/api/v1/access", "GET", 403),
            ("payouts", "/api/v1/audit", "GET", 403),
        ],
    )
    def test_it_is_for_who_may_order_about_it(
        self, browser: Browser, right: str, path: str, method: str, status: int
    ) -> None:
        assert by_token(browser, right, path, method).status == status
