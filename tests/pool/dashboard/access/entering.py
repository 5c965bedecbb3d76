"""Somebody with a cookie jar, at one of the two listeners."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.pool.dashboard.browser import Browser, Response

PASSWORD = "correct horse battery"


class Visitor:
    """Keeps the cookie and the token of its session, as a page does."""

    def __init__(self, browser: Browser, *, is_admin: bool = False) -> None:
        self.browser = browser
        self.site = browser.admin if is_admin else browser.site
        self.cookie = ""
        self.csrf = ""

    def ask(self, path: str, method: str = "GET", **headers: str) -> Response:
        """As a browser would."""
        more = {"Cookie": self.cookie} if self.cookie else {}
        said: Any = more | headers
        return self.browser.ask(path, method, site=self.site, **said)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        """A change, with what the page says with it."""
        said = {"Content_Type": "application/json", "X_CSRF_Token": self.csrf, "Origin": "http://pool.example"}
        said |= {"Cookie": self.cookie} if self.cookie else {}
        text = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
        data = b"" if body is None else text
        return self.browser.ask(path, method, site=self.site, body=data, **(said | headers))

    def log_in(self, secret: str, name: str = "") -> Response:
        """Keeps what comes back, as a browser does."""
        answer = self.send("POST", "/api/v1/session", {"name": name, "secret": secret})
        if answer.status == 200:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
            self.csrf = answer.json()["csrf"]
        return answer


def operator(browser: Browser) -> Visitor:
    """An operator who is in."""
    browser.credentials.operator("anna", PASSWORD)
    visitor = Visitor(browser, is_admin=True)
    assert visitor.log_in(PASSWORD, "anna").status == 200
    return visitor


def bearer(browser: Browser, token: str, path: str, method: str = "GET", *, is_admin: bool = False) -> Response:
    """What a program gets."""
    site = browser.admin if is_admin else browser.site
    return browser.ask(path, method, site=site, Authorization=f"Bearer {token}")
