"""pool.dashboard.access.login: coming in, going out, and being kept out."""

from __future__ import annotations

import pytest
from twisted.internet.address import IPv4Address

from pool.access.lockout import FREE_FAILURES, WAIT_SECONDS
from tests.pool.dashboard.access.entering import PASSWORD, Visitor, operator
from tests.pool.dashboard.browser import Browser


def pool() -> Browser:
    browser = Browser(public=("overview",))
    browser.credentials.operator("anna", PASSWORD)
    return browser


def at(browser: Browser, address: str) -> Visitor:
    """Somebody at the operators' listener, from an address."""
    browser.peer = IPv4Address("TCP", address, 50_000)
    return Visitor(browser, is_admin=True)


def fail(visitor: Visitor, times: int, name: str = "anna") -> None:
    for _ in range(times):
        assert visitor.log_in("wrong password", name).status == 401


class TestIn:
    def test_an_operator_by_password(self) -> None:
        answer = Visitor(pool(), is_admin=True).log_in(PASSWORD, "anna")
        said = answer.json()
        assert (said["who"], said["role"], said["scope"]) == ("operator:anna", "operator", "pool")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("steppe_admin=steppe-session-")
        assert cookie.endswith("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict")

    def test_behind_a_proxy_with_tls_the_cookie_is_secure(self) -> None:
        browser = Browser(proxies=("127.0.0.1",))
        browser.credentials.operator("anna", PASSWORD)
        visitor = Visitor(browser, is_admin=True)
        said = {"name": "anna", "secret": PASSWORD}
        answer = visitor.send("POST", "/api/v1/session", said, X_Forwarded_Proto="https")
        assert answer.headers["set-cookie"].endswith("; Secure")

    def test_nobodys_word_about_tls_is_taken(self) -> None:
        said = {"name": "anna", "secret": PASSWORD}
        answer = Visitor(pool(), is_admin=True).send("POST", "/api/v1/session", said, X_Forwarded_Proto="https")
        assert "Secure" not in answer.headers["set-cookie"]

    def test_no_operator_at_the_public_listener_and_no_password_is_even_looked_at(self) -> None:
        browser = pool()
        assert Visitor(browser).log_in(PASSWORD, "anna").status == 401
        assert browser.credentials.passwords_checked == 0

    def test_by_an_invitation_once(self) -> None:
        browser = pool()
        secret = browser.credentials.invite("anna")
        assert Visitor(browser).log_in(secret).status == 401
        assert Visitor(browser, is_admin=True).log_in(secret).json()["role"] == "operator"
        assert Visitor(browser, is_admin=True).log_in(secret).status == 401

    def test_an_owner_by_the_name_of_the_account_and_no_other(self) -> None:
        browser = pool()
        key = browser.credentials.make("key", "alice", "account:alice")
        assert Visitor(browser).log_in(key, "bob").status == 401
        said = Visitor(browser).log_in(key, "alice").json()
        assert (said["who"], said["scope"], said["rights"]) == ("owner:alice", "account:alice", ["read"])

    def test_a_token_is_for_programs(self) -> None:
        browser = pool()
        assert Visitor(browser).log_in(browser.credentials.make("token", "ci")).status == 401

    def test_the_page_is_told_who_asks_and_what_everybody_sees(self) -> None:
        browser = pool()
        said = Visitor(browser).ask("/api/v1/session").json()
        assert (said["role"], said["public"], said["is_admin"], said["csrf"]) == ("nobody", ["overview"], False, None)

    def test_the_operators_listener_says_when_nobody_has_a_password_yet(self) -> None:
        browser = Browser()
        assert Visitor(browser, is_admin=True).ask("/api/v1/session").json()["needs_setup"] is True
        operator(browser)
        browser.clock.seconds += 1
        assert Visitor(browser, is_admin=True).ask("/api/v1/session").json()["needs_setup"] is False

    def test_from_another_sites_page_is_refused(self) -> None:
        said = {"name": "anna", "secret": PASSWORD}
        answer = Visitor(pool(), is_admin=True).send("POST", "/api/v1/session", said, Origin="https://evil.example")
        assert (answer.status, answer.json()["error"]["code"]) == (403, "other_site")


class TestOut:
    def test_the_session_is_over_also_for_who_has_a_copy_of_its_cookie(self) -> None:
        browser = pool()
        visitor = Visitor(browser, is_admin=True)
        visitor.log_in(PASSWORD, "anna")
        answer = visitor.send("DELETE", "/api/v1/session")
        assert answer.json()["role"] == "nobody"
        assert answer.headers["set-cookie"].startswith("steppe_admin=; Path=/; Max-Age=0;")
        assert visitor.ask("/api/v1/workers").status == 401

    def test_another_sites_page_logs_nobody_out(self) -> None:
        browser = pool()
        visitor = Visitor(browser, is_admin=True)
        visitor.log_in(PASSWORD, "anna")
        assert visitor.send("DELETE", "/api/v1/session", X_CSRF_Token="").status == 403
        assert visitor.ask("/api/v1/workers").status == 200

    def test_who_is_not_in_is_out(self) -> None:
        assert Visitor(pool()).send("DELETE", "/api/v1/session").status == 200


class TestLockout:
    def test_after_some_failures_the_right_password_has_to_wait_too(self) -> None:
        browser = pool()
        visitor = at(browser, "198.51.100.7")
        fail(visitor, FREE_FAILURES)
        answer = visitor.log_in(PASSWORD, "anna")
        assert (answer.status, answer.json()["error"]["code"]) == (429, "locked_out")
        assert answer.headers["retry-after"] == "31"
        browser.clock.seconds += WAIT_SECONDS + 1
        assert visitor.log_in(PASSWORD, "anna").status == 200

    def test_a_locked_attempt_costs_no_hashing(self) -> None:
        browser = pool()
        visitor = at(browser, "198.51.100.7")
        fail(visitor, FREE_FAILURES)
        visitor.log_in(PASSWORD, "anna")
        assert browser.credentials.passwords_checked == FREE_FAILURES

    def test_failures_from_elsewhere_do_not_lock_out_where_the_operator_was_before(self) -> None:
        browser = pool()
        assert at(browser, "192.0.2.1").log_in(PASSWORD, "anna").status == 200
        for number in range(FREE_FAILURES):
            fail(at(browser, f"198.51.100.{number}"), 1)
        assert at(browser, "203.0.113.9").log_in(PASSWORD, "anna").status == 429
        assert at(browser, "192.0.2.1").log_in(PASSWORD, "anna").status == 200

    def test_an_invitation_opens_what_is_locked_by_name(self) -> None:
        browser = pool()
        for number in range(FREE_FAILURES):
            fail(at(browser, f"198.51.100.{number}"), 1)
        visitor = at(browser, "203.0.113.9")
        assert visitor.log_in(browser.credentials.invite("anna")).status == 200

    def test_behind_a_proxy_each_address_counts_by_itself(self) -> None:
        browser = Browser(proxies=("127.0.0.1",))
        browser.credentials.operator("anna", PASSWORD)
        browser.credentials.operator("bert", PASSWORD)
        visitor = Visitor(browser, is_admin=True)
        said = {"name": "anna", "secret": "wrong password"}
        for _ in range(FREE_FAILURES):
            visitor.send("POST", "/api/v1/session", said, X_Forwarded_For="10.9.9.9, 198.51.100.7")
        said = {"name": "bert", "secret": PASSWORD}
        answer = visitor.send("POST", "/api/v1/session", said, X_Forwarded_For="1.2.3.4, 198.51.100.7")
        assert answer.status == 429
        answer = visitor.send("POST", "/api/v1/session", said, X_Forwarded_For="198.51.100.7, 198.51.100.8")
        assert answer.status == 200

    def test_every_attempt_and_every_lock_is_logged_without_what_was_typed(self) -> None:
        browser = pool()
        visitor = at(browser, "198.51.100.7")
        fail(visitor, FREE_FAILURES - 1)
        fail(visitor, 1, name="correct horse battery")
        assert browser.credentials.said() == [
            *[("as:anna", "login.failed", "wrong name or secret")] * (FREE_FAILURES - 1),
            ("nobody", "login.failed", "wrong name or secret"),
            ("nobody", "login.locked", "for 30 s"),
        ]
        assert {each.origin for each in browser.credentials.entries_kept} == {"198.51.100.7"}


@pytest.mark.parametrize("body", [b"", b"[]", b'{"secret": 7}', b'{"secret": ""}', b'{"secret": "x", "admin": true}'])
def test_what_is_no_login_is_refused_and_counts_as_none(body: bytes) -> None:
    browser = pool()
    answer = browser.ask("/api/v1/session", "POST", body=body, Content_Type="application/json")
    assert (answer.status, answer.json()["error"]["code"]) == (400, "bad_body")
    assert browser.credentials.said() == []
