"""pool.dashboard.access.streams: an open page ends with what let it in."""

from __future__ import annotations

from typing import Any

from pool.dashboard.access.streams import CHECK_SECONDS
from pool.dashboard.cache import WARM_SECONDS
from tests.pool.dashboard.access.entering import Visitor
from tests.pool.dashboard.browser import PEER, Browser, _StringTransport


def open_page(visitor: Visitor) -> Any:
    """The transport of a stream that somebody has opened."""
    transport = _StringTransport(peerAddress=PEER)
    protocol = visitor.site.buildProtocol(PEER)
    protocol.makeConnection(transport)
    cookie = f"Cookie: {visitor.cookie}\r\n" if visitor.cookie else ""
    protocol.dataReceived(f"GET /api/v1/events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{cookie}\r\n".encode())
    return transport


def wait(browser: Browser, seconds: float) -> None:
    browser.clock.seconds += seconds
    browser.reactor.advance(seconds)


def watcher(browser: Browser, scope: str = "pool") -> Visitor:
    visitor = Visitor(browser)
    assert visitor.log_in(browser.credentials.make("link", "noc", scope)).status == 200
    return visitor


def test_nobody_gets_one_where_the_overview_is_not_public() -> None:
    assert b" 401 " in open_page(Visitor(Browser(public=()))).value()


def test_each_gets_the_overview_of_their_part_and_no_cache_keeps_it() -> None:
    browser = Browser(public=())
    said = open_page(watcher(browser, "account:acct")).value()
    assert b"Cache-Control: no-store" in said
    assert b'"workers":2,' in said
    assert b'"workers":3,' in open_page(watcher(Browser(public=()))).value()


def test_one_ends_when_its_link_is_revoked() -> None:
    browser = Browser(public=())
    transport = open_page(watcher(browser))
    wait(browser, CHECK_SECONDS)
    assert not transport.disconnecting
    browser.credentials.rows = [row for row in browser.credentials.rows if row.kind != "link"]
    wait(browser, CHECK_SECONDS)
    assert transport.disconnecting
    assert transport.value().endswith(b"\r\n0\r\n\r\n")  # whole, not broken off


def test_those_of_everybody_go_on() -> None:
    browser = Browser()
    transport = open_page(Visitor(browser))
    wait(browser, CHECK_SECONDS)
    assert not transport.disconnecting


def test_when_the_last_is_gone_nothing_is_looked_at() -> None:
    browser = Browser(public=())
    open_page(watcher(browser))
    browser.credentials.rows.clear()
    for _ in range(int(CHECK_SECONDS + WARM_SECONDS) + 2):
        wait(browser, 1)
    assert browser.reactor.getDelayedCalls() == []
