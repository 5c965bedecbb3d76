"""pool.dashboard.explain: what is explained to whom."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pool.explain.words import words
from tests.pool.dashboard.access.entering import Visitor
from tests.pool.dashboard.browser import Browser
from tests.pool.dashboard.explained import BALANCE, CREDIT, PAYOUT, REJECT, SHARE, FakeExplaining
from tests.pool.dashboard.fakes import FakeLive, live_view, worker

BELOW = "/api/v1/explain/"
OURS = {
    "credit/840000:texas-2": CREDIT,
    "payout/1": PAYOUT,
    "balance/texas-2": BALANCE,
    f"reject/{SHARE}": REJECT,
}


@pytest.fixture
def browser() -> Browser:
    live = FakeLive(live_view([worker("texas-2.rig-1"), worker("kz-ekibastuz.rig-1")]))
    return Browser(live, public=("overview",), explaining=FakeExplaining())


def holder(browser: Browser, scope: str) -> Visitor:
    visitor = Visitor(browser)
    kind = "key" if scope.startswith("account:") else "link"
    assert visitor.log_in(browser.credentials.make(kind, scope.partition(":")[2] or "noc", scope)).status == 200
    return visitor


def told(visitor: Visitor, path: str) -> Any:
    answer = visitor.ask(BELOW + path)
    assert answer.status == 200, answer.body
    return answer.json()


@pytest.mark.parametrize(("path", "figures"), OURS.items())
def test_who_sees_the_pool_gets_figures_and_the_words_of_the_command(browser: Browser, path: str, figures: Any) -> None:
    found = told(holder(browser, "pool"), path)
    assert found["figures"] == msgspec.json.decode(msgspec.json.encode(figures))
    assert found["words"] == list(words(figures))


@pytest.mark.parametrize("path", OURS)
def test_nobody_gets_nothing(browser: Browser, path: str) -> None:
    assert browser.ask(BELOW + path).status == 401


@pytest.mark.parametrize("path", OURS)
def test_an_account_gets_its_own(browser: Browser, path: str) -> None:
    found = told(holder(browser, "account:texas-2"), path)
    assert "texas-2" in "".join(found["words"])
    assert "kz-ekibastuz" not in str(found)


@pytest.mark.parametrize("path", OURS)
@pytest.mark.parametrize("scope", ["account:other", "site:ganzi"])
def test_what_is_anothers_is_as_if_it_were_not_there(browser: Browser, path: str, scope: str) -> None:
    answer = holder(browser, scope).ask(BELOW + path)
    assert answer.status == 404
    assert "texas" not in answer.json()["error"]["message"].replace("texas-2", "", 1)


def test_of_a_credit_the_entries_of_others_are_a_sum(browser: Browser) -> None:
    (row,) = told(holder(browser, "account:texas-2"), "credit/840000:texas-2")["figures"]["ledger"]
    assert row["entries_sat"] == [["liab:texas-2:immature", -300]]
    assert (row["others"], row["others_sat"]) == (3, 300)


def test_of_a_payout_only_the_own_line_counts(browser: Browser) -> None:
    found = told(holder(browser, "account:texas-2"), "payout/1")
    assert found["words"][2] == "1. It pays 600 sat = 0.00000600 BTC to 1 account."
    assert len(found["figures"]["lines"]) == 1


@pytest.mark.parametrize("path", ["credit/840000:other", "credit/pps:other:5", "credit/fpps:2026-11-28:other"])
def test_the_credits_of_others_are_not_even_looked_for(browser: Browser, path: str) -> None:
    explaining = FakeExplaining()
    browser = Browser(public=(), explaining=explaining)
    assert holder(browser, "account:texas-2").ask(BELOW + path).status == 404
    assert explaining.asked == []


@pytest.mark.parametrize("path", ["payout/1?account=kz-ekibastuz", "balance/kz-ekibastuz"])
def test_an_account_may_not_name_another(browser: Browser, path: str) -> None:
    assert holder(browser, "account:texas-2").ask(BELOW + path).status == 404


@pytest.mark.parametrize(
    ("path", "looks"),
    [
        ("credit/%3Cb%3E", "a credit is BLOCK:ACCOUNT"),
        ("payout/0", "payouts are numbered from 1"),
        ("payout/soon", "payouts are numbered from 1"),
        ("balance/%2E%2E", "an account has up to 64 letters"),
        ("reject/" + "a" * 64, "a share is JOURNAL:NUMBER"),
        ("reject/alice.rig@2026-11-28", "a share is JOURNAL:NUMBER"),
    ],
)
def test_what_is_no_id_is_told_how_one_looks(browser: Browser, path: str, looks: str) -> None:
    answer = holder(browser, "pool").ask(BELOW + path)
    assert (answer.status, looks in answer.json()["error"]["message"]) == (404, True)


def test_without_books_it_is_503(browser: Browser) -> None:
    answer = holder(Browser(public=()), "pool").ask(BELOW + "balance/texas-2")
    assert (answer.status, answer.json()["error"]["code"]) == (503, "unavailable")


class TestShares:
    """The shares of a worker in a short time."""

    PATH = "/api/v1/explain/shares/texas-2.rig-1?from=2026-11-28T09:00Z"

    @pytest.mark.parametrize("scope", ["pool", "account:texas-2"])
    def test_who_may_see_the_worker_gets_those_of_a_minute(self, browser: Browser, scope: str) -> None:
        found = holder(browser, scope).ask(self.PATH).json()
        assert found["to_ms"] - found["from_ms"] == 60_000
        assert [row["id"] for row in found["rows"]] == [SHARE]

    @pytest.mark.parametrize("scope", ["account:other", "site:ganzi"])
    def test_those_of_others_are_not_even_looked_for(self, scope: str) -> None:
        explaining = FakeExplaining()
        browser = Browser(public=(), explaining=explaining)
        assert holder(browser, scope).ask(self.PATH).status == 404
        assert explaining.asked == []

    def test_nobody_gets_nothing(self, browser: Browser) -> None:
        assert browser.ask(self.PATH).status == 401

    @pytest.mark.parametrize(
        ("asked", "name"),
        [
            ("", "from"),
            ("?from=soon", "from"),
            ("?from=2026-11-28T09:00Z&to=2026-11-28T09:00Z", "to"),
            ("?from=2026-11-28T09:00Z&to=2026-11-28T09:10:01Z", "to"),
        ],
    )
    def test_a_time_that_is_none_or_too_long_is_refused(self, browser: Browser, asked: str, name: str) -> None:
        answer = holder(browser, "pool").ask("/api/v1/explain/shares/texas-2.rig-1" + asked)
        assert (answer.status, answer.json()["error"]["code"]) == (400, "bad_parameter")
        assert name in answer.json()["error"]["message"]

    def test_what_is_no_login_is_told_how_one_looks(self, browser: Browser) -> None:
        answer = holder(browser, "pool").ask("/api/v1/explain/shares/%3Cb%3E?from=2026-11-28")
        assert (answer.status, "a login is ACCOUNT.WORKER" in answer.json()["error"]["message"]) == (404, True)
