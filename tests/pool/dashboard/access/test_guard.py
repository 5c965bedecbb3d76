"""pool.dashboard.access.guard: who is answered, and what."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from pool.access.credential import DAY_MS
from pool.dashboard.access.openapi import TABLE
from pool.dashboard.role_rows import Suspected
from pool.fleet.kinds import Assignment
from pool.fleet.register import Register
from tests.pool.dashboard.access.entering import Visitor, bearer, operator
from tests.pool.dashboard.access.test_openapi import PAID, path_of
from tests.pool.dashboard.browser import Browser
from tests.pool.dashboard.explained import FakeExplaining
from tests.pool.dashboard.fakes import FakeLive, live_view, worker

BY_DEFAULT = ("overview", "blocks", "job")
WITH_LOGIN = [
    "/api/v1/workers",
    "/api/v1/workers/texas-2.rig-1",
    "/api/v1/accounts",
    "/api/v1/accounts/texas-2",
    "/api/v1/accounts/texas-2/statement",
    "/api/v1/payouts",
    "/api/v1/payouts/1",
    "/api/v1/explain/balance/texas-2",
    "/api/v1/withholding",
    "/api/v1/solvency",
    "/api/v1/moves",
    "/api/v1/moves/out",
    "/api/v1/regions",
    "/api/v1/fleets",
    "/api/v1/assignments",
    "/api/v1/unmatched",
    "/metrics",
]
WITHOUT = ["/", "/api/v1/pool", "/api/v1/history", "/api/v1/job", "/api/v1/blocks", "/healthz", "/api/v1/session"]
FARM = [worker("texas-2.rig-1"), worker("texas-2.rig-2"), worker("kz-ekibastuz.rig-1")]


def private(**changes: Any) -> Browser:
    """As a pool is by default."""
    browser = Browser(live=FakeLive(live_view(FARM)), public=BY_DEFAULT, explaining=FakeExplaining(), **changes)
    browser.books.paid = [PAID]
    return browser


def owner(browser: Browser, account: str = "texas-2") -> Visitor:
    visitor = Visitor(browser)
    assert visitor.log_in(browser.credentials.make("key", account, f"account:{account}"), account).status == 200
    return visitor


class TestNobody:
    @pytest.mark.parametrize("path", WITH_LOGIN)
    def test_what_names_accounts_needs_a_login_and_says_so(self, path: str) -> None:
        answer = private().ask(path)
        assert (answer.status, answer.json()["error"]["code"]) == (401, "login_required")
        assert answer.headers["www-authenticate"] == "Bearer"

    @pytest.mark.parametrize("path", WITHOUT)
    def test_the_rest_does_not(self, path: str) -> None:
        assert private().ask(path).status == 200

    def test_no_public_answer_names_an_account(self) -> None:
        browser = private()
        roles = browser.live.content.roles
        assert roles.accounting is not None
        suspected = replace(roles.accounting, suspected=(Suspected("account", "texas-2", "told"),))
        browser.live.content = replace(browser.live.content, roles=replace(roles, accounting=suspected))
        for path in (*WITHOUT, f"/api/v1/blocks/{browser.books.details[1].block.hash_hex}", "/readyz"):
            body = browser.ask(path).body
            assert b"texas-2" not in body, path
            assert b"kz-ekibastuz" not in body, path

    def test_the_counts_are_those_of_the_whole_pool(self) -> None:
        browser = private()
        said = browser.ask("/api/v1/pool").json()
        assert (said["presence"]["workers"], said["presence"]["accounts"]) == (3, 2)
        assert said["activity"] == operator(browser).ask("/api/v1/pool").json()["activity"]

    def test_with_nothing_public_everything_needs_a_login(self) -> None:
        browser = Browser(public=())
        reads = [each for each in TABLE if each.method == "GET" and each.part != "always"]
        found = {each.path: browser.ask(path_of(each)).status for each in reads}
        assert set(found.values()) == {401, 403}
        assert {path for path, status in found.items() if status == 403} == {
            each.path for each in reads if each.is_admin
        }

    def test_readiness_is_a_verdict_without_its_reasons(self) -> None:
        answer = private().ask("/readyz")
        assert (answer.status, answer.json()) == (200, {"ready": True, "checks": []})


class TestOperatorsListener:
    def test_metrics_and_reasons_are_there_without_a_login(self) -> None:
        browser = private()
        assert browser.ask("/metrics", site=browser.admin).status == 200
        assert browser.ask("/readyz", site=browser.admin).json()["checks"]

    @pytest.mark.parametrize("operation", [each for each in TABLE if each.is_admin], ids=lambda each: each.id)
    def test_what_is_for_operators_is_never_at_the_public_one(self, operation: Any) -> None:
        browser = private()
        visitor = operator(browser)
        visitor.site = browser.site
        answer = visitor.send(operation.method, path_of(operation), {})
        assert (answer.status, answer.json()["error"]["code"]) == (403, "operators_only")
        assert browser.orders.given == []

    def test_an_operators_session_opens_nothing_at_the_public_one(self) -> None:
        browser = private()
        visitor = operator(browser)
        visitor.site = browser.site
        for name in ("steppe_admin", "steppe_session"):
            visitor.cookie = f"{name}={visitor.cookie.partition('=')[2]}"
            assert visitor.ask("/api/v1/workers").status == 401

    def test_an_operator_sees_everything_there(self) -> None:
        browser = private()
        visitor = operator(browser)
        assert {visitor.ask(path).status for path in WITH_LOGIN if path != "/api/v1/moves/out"} == {200}


class TestOwner:
    def test_sees_own_workers_only(self) -> None:
        visitor = owner(private())
        rows = visitor.ask("/api/v1/workers").json()["rows"]
        assert [row["login"] for row in rows] == ["texas-2.rig-1", "texas-2.rig-2"]
        assert visitor.ask("/api/v1/workers?account=kz-ekibastuz").json()["rows"] == []
        assert visitor.ask("/api/v1/workers/texas-2.rig-1").status == 200
        assert visitor.ask("/api/v1/workers/kz-ekibastuz.rig-1").status == 404

    def test_sees_the_own_account_only(self) -> None:
        visitor = owner(private())
        assert [row["name"] for row in visitor.ask("/api/v1/accounts").json()["rows"]] == ["texas-2"]
        assert visitor.ask("/api/v1/accounts/texas-2").json()["account"]["books"]["available_sat"] == 960_099_544
        assert visitor.ask("/api/v1/accounts/texas-2/statement").status == 200
        for path in ("/api/v1/accounts/kz-ekibastuz", "/api/v1/accounts/kz-ekibastuz/statement"):
            assert visitor.ask(path).status == 404

    def test_is_told_of_others_what_is_told_of_nobody(self) -> None:
        visitor = owner(private())
        other = visitor.ask("/api/v1/accounts/kz-ekibastuz/statement").json()
        nobody = visitor.ask("/api/v1/accounts/nobody/statement").json()
        assert other["error"]["code"] == nobody["error"]["code"]
        assert other["error"]["message"].replace("kz-ekibastuz", "nobody") == nobody["error"]["message"]

    def test_sees_of_a_block_the_own_part_only(self) -> None:
        browser = private()
        detail = owner(browser).ask(f"/api/v1/blocks/{browser.books.details[1].block.hash_hex}").json()
        assert [row["account"] for row in detail["credits"]] == ["texas-2"]
        assert {row["account"] for row in detail["ledger"]} == {"liab:texas-2:immature"}
        assert detail["block"]["finder"] == "texas-2.rack-04-7"

    def test_sees_of_a_payout_the_own_line_only(self) -> None:
        detail = owner(private()).ask("/api/v1/payouts/1").json()
        assert [row["account"] for row in detail["lines"]] == ["texas-2"]
        assert detail["payout"]["total_sat"] == 600
        assert [row["account"] for row in detail["ledger"]] == ["liab:texas-2:available"]
        assert b"other" not in owner(private()).ask("/api/v1/payouts/1").body

    def test_does_not_see_a_payout_without_an_own_line(self) -> None:
        assert owner(private(), "kz-ekibastuz").ask("/api/v1/payouts/1").status == 404

    @pytest.mark.parametrize("path", ["/api/v1/payouts", "/api/v1/solvency", "/api/v1/fleets", "/api/v1/moves"])
    def test_does_not_see_what_is_the_pools(self, path: str) -> None:
        answer = owner(private()).ask(path)
        assert (answer.status, answer.json()["error"]["code"]) == (403, "not_yours")

    def test_no_answer_names_another_account(self) -> None:
        browser = private()
        visitor = owner(browser)
        for each in TABLE:
            if each.method == "GET" and each.path != "/api/v1/events":
                body = visitor.ask(path_of(each)).body
                assert b"kz-ekibastuz" not in body, each.path
                assert b"sichuan" not in body, each.path

    def test_has_an_overview_of_the_own_part_where_it_is_not_public(self) -> None:
        browser = Browser(live=FakeLive(live_view(FARM)), public=())
        said = owner(browser).ask("/api/v1/pool").json()
        assert said["presence"] == {"workers": 2, "workers_online": 2, "sessions": 3, "accounts": 1}
        assert (said["books"]["accounts"], said["books"]["available_sat"]) == (1, 960_099_544)


class TestWatcher:
    def test_of_the_pool_sees_all_and_may_do_nothing(self) -> None:
        browser = private()
        visitor = Visitor(browser, is_admin=True)
        assert visitor.log_in(browser.credentials.make("link", "noc")).status == 200
        assert visitor.ask("/api/v1/accounts").json()["total"] == 3
        answer = visitor.send("POST", "/api/v1/payouts/run", {})
        assert (answer.status, answer.json()["error"]["code"]) == (403, "not_allowed")
        assert visitor.ask("/api/v1/audit").status == 403
        assert browser.orders.given == []

    def test_of_a_site_where_nobody_knows_of_sites_sees_no_worker_and_no_money(self) -> None:
        browser = private()
        visitor = Visitor(browser)
        visitor.log_in(browser.credentials.make("link", "ganzi", "site:ganzi"))
        assert visitor.ask("/api/v1/workers").json()["rows"] == []
        assert visitor.ask("/api/v1/accounts").json()["rows"] == []
        assert visitor.ask("/api/v1/accounts/texas-2").status == 404

    def test_ends_with_the_link(self) -> None:
        browser = private()
        visitor = Visitor(browser)
        visitor.log_in(browser.credentials.make("link", "noc", days=1))
        assert visitor.ask("/api/v1/workers").status == 200
        browser.clock.now_ms += DAY_MS
        assert visitor.ask("/api/v1/workers").status == 401

    def test_ends_a_second_after_the_link_was_revoked(self) -> None:
        browser = private()
        visitor = Visitor(browser)
        visitor.log_in(browser.credentials.make("link", "noc"))
        assert visitor.ask("/api/v1/workers").status == 200
        browser.credentials.rows = [row for row in browser.credentials.rows if row.kind != "link"]
        browser.clock.seconds += 1
        assert visitor.ask("/api/v1/workers").status == 401

    def test_of_a_site_sees_its_workers_from_the_time_of_their_assignment(self) -> None:
        browser = private()
        begins_ms = browser.clock.now_ms + 60_000
        at = Assignment(
            account="texas-2",
            pattern="rig-1",
            fleet="texas-2/main",
            site="ganzi",
            slice_id=1,
            row_id=1,
            valid_from_ms=begins_ms,
        )
        browser.fleets.known = Register([at])
        site, fleet = Visitor(browser), Visitor(browser)
        site.log_in(browser.credentials.make("link", "ganzi", "site:ganzi"))
        fleet.log_in(browser.credentials.make("link", "fleet", "fleet:texas-2/main"))
        assert site.ask("/api/v1/workers").json()["total"] == 0
        browser.clock.now_ms = begins_ms
        browser.clock.seconds += 60
        for visitor in (site, fleet):
            rows = visitor.ask("/api/v1/workers").json()["rows"]
            assert [row["login"] for row in rows] == ["texas-2.rig-1"]
            assert visitor.ask("/api/v1/workers/texas-2.rig-2").status == 404
            assert visitor.ask("/api/v1/accounts").json()["rows"] == []
            assert b"rig-2" not in visitor.ask("/api/v1/workers.csv").body
            assert [row["workers"] for row in visitor.ask("/api/v1/groups?by=site").json()["rows"]] == [1]


class TestToken:
    def test_reads_what_its_scope_has(self) -> None:
        browser = private()
        token = browser.credentials.make("token", "ci", "account:texas-2")
        assert bearer(browser, token, "/api/v1/workers").json()["total"] == 2

    @pytest.mark.parametrize("token", ["", "x", "steppe-token-" + "A" * 43])
    def test_one_that_does_not_hold_is_refused_also_for_what_is_public(self, token: str) -> None:
        answer = bearer(private(), token, "/api/v1/pool")
        assert (answer.status, answer.json()["error"]["code"]) == (401, "bad_token")

    def test_a_links_secret_is_no_token_and_a_session_is_none(self) -> None:
        browser = private()
        visitor = owner(browser)
        for secret in (browser.credentials.make("link", "noc"), visitor.cookie.partition("=")[2]):
            assert bearer(browser, secret, "/api/v1/workers").status == 401

    def test_does_what_it_was_made_for_and_nothing_else(self) -> None:
        browser = private()
        token = browser.credentials.make("token", "mover", "pool", "moves")
        said = {"Content_Type": "application/json", "Authorization": f"Bearer {token}"}
        started = browser.ask("/api/v1/moves/out/start", "POST", site=browser.admin, body=b"{}", **said)
        assert started.json() == {"done": "it is done"}
        paid = browser.ask("/api/v1/payouts/run", "POST", site=browser.admin, body=b"{}", **said)
        assert (paid.status, paid.json()["error"]["code"]) == (403, "not_allowed")
        made = browser.ask("/api/v1/access", "POST", site=browser.admin, body=b"{}", **said)
        assert made.status == 403
        assert len(browser.orders.given) == 1


class TestChanges:
    def test_an_order_is_carried_out_and_logged_before_and_after(self) -> None:
        browser = private()
        answer = operator(browser).send("POST", "/api/v1/payouts/stop", {"reason": "look"})
        assert answer.json() == {"done": "it is done"}
        assert browser.credentials.said()[-2:] == [
            ("operator:anna", "payouts.stop", "begun"),
            ("operator:anna", "payouts.stop", "done: it is done"),
        ]
        assert browser.credentials.entries_kept[-1].target == "reason=look"
        assert browser.credentials.entries_kept[-1].origin == "127.0.0.1"

    def test_one_that_is_refused_says_why_and_is_logged(self) -> None:
        browser = private()
        browser.orders.refusal = "payout 7 is finished"
        answer = operator(browser).send("POST", "/api/v1/payouts/7/bump", {"fee_rate": 5})
        assert (answer.status, answer.json()["error"]["message"]) == (409, "payout 7 is finished.")
        assert browser.credentials.said()[-1] == ("operator:anna", "payouts.bump", "refused: payout 7 is finished")

    def test_nothing_is_done_that_cannot_be_logged(self) -> None:
        browser = private()
        visitor = operator(browser)
        browser.credentials.reason = "The database is locked."
        assert visitor.send("POST", "/api/v1/payouts/run", {}).status == 503
        assert browser.orders.given == []

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({"X_CSRF_Token": ""}, "bad_csrf_token"),
            ({"X_CSRF_Token": "0" * 64}, "bad_csrf_token"),
            ({"Origin": "https://evil.example"}, "other_site"),
            ({"Origin": "null"}, "other_site"),
            ({"Sec_Fetch_Site": "cross-site"}, "other_site"),
            ({"Sec_Fetch_Site": "same-site"}, "other_site"),
        ],
    )
    def test_another_sites_page_orders_nothing(self, headers: dict[str, str], code: str) -> None:
        browser = private()
        answer = operator(browser).send("POST", "/api/v1/payouts/run", {}, **headers)
        assert (answer.status, answer.json()["error"]["code"]) == (403, code)
        assert browser.orders.given == []

    def test_a_form_of_another_site_orders_nothing(self) -> None:
        browser = private()
        answer = operator(browser).send("POST", "/api/v1/payouts/run", {}, Content_Type="text/plain")
        assert (answer.status, answer.json()["error"]["code"]) == (415, "wrong_content_type")

    @pytest.mark.parametrize(
        ("path", "body", "names"),
        [
            ("/api/v1/payouts/stop", {}, "reason"),
            ("/api/v1/payouts/stop", {"reason": ""}, "reason"),
            ("/api/v1/payouts/run", {"amount": 1}, "amount"),
            ("/api/v1/payouts/1/bump", {"fee_rate": 0}, "fee_rate"),
            ("/api/v1/payouts/1/bump", {"fee_rate": "7"}, "fee_rate"),
            ("/api/v1/access", {"kind": "password", "name": "x"}, "kind"),
            ("/api/v1/access", {"kind": "link", "name": "x", "days": 0}, "days"),
            ("/api/v1/access", {"kind": "link", "name": "x"}, "days"),
            ("/api/v1/access", {"kind": "token", "name": "x", "scope": "site"}, "scope"),
            ("/api/v1/access", {"kind": "link", "name": "<b>", "days": 1}, "name"),
        ],
    )
    def test_a_body_that_is_not_understood_is_refused_by_name(self, path: str, body: Any, names: str) -> None:
        browser = private()
        answer = operator(browser).send("POST", path, body)
        assert (answer.status, answer.json()["error"]["code"]) == (400, "bad_body")
        assert names in answer.json()["error"]["message"]
        assert browser.orders.given == []

    def test_a_body_longer_than_any_order_is_refused(self) -> None:
        answer = operator(private()).send("POST", "/api/v1/payouts/stop", {"reason": "x" * 20_000})
        assert (answer.status, answer.json()["error"]["code"]) == (413, "too_long")


class TestCaches:
    def test_what_is_not_for_everybody_stays_in_none(self) -> None:
        browser = private()
        assert owner(browser).ask("/api/v1/workers").headers["cache-control"] == "no-store"
        assert owner(browser).ask("/api/v1/pool").headers["cache-control"] == "no-store"
        assert browser.ask("/api/v1/pool").headers["cache-control"] == "no-cache"
        assert browser.ask("/api/v1/session").headers["cache-control"] == "no-store"

    def test_an_answer_says_on_what_it_depends(self) -> None:
        assert private().ask("/api/v1/pool").headers["vary"] == "Cookie, Authorization"

    def test_a_tag_is_of_who_asked(self) -> None:
        browser = private()
        tags = {
            visitor.ask("/api/v1/job").headers["etag"]
            for visitor in (owner(browser), owner(browser, "kz-ekibastuz"), Visitor(browser))
        }
        assert len(tags) == 3
        one, other = owner(Browser()), owner(Browser(), "kz-ekibastuz")
        assert other.ask("/api/v1/job", If_None_Match=one.ask("/api/v1/job").headers["etag"]).status == 200


class TestWithoutADatabase:
    def test_what_is_public_is_still_there(self) -> None:
        browser = private()
        browser.credentials.reason = "The database is locked."
        assert browser.ask("/api/v1/pool").status == 200

    def test_who_is_in_stays_in(self) -> None:
        browser = private()
        visitor = owner(browser)
        assert visitor.ask("/api/v1/workers").status == 200
        browser.credentials.reason = "The database is locked."
        browser.clock.seconds += 60
        assert visitor.ask("/api/v1/workers").status == 200

    def test_nobody_comes_in(self) -> None:
        browser = private()
        secret = browser.credentials.make("link", "noc")
        browser.credentials.reason = "The database is locked."
        assert Visitor(browser).log_in(secret).status == 503
