"""A browser without a network: bytes into the site, bytes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from pool.dashboard.app import dashboard_site
from pool.dashboard.overview import About
from tests.pool.dashboard.fakes import FakeBooks, FakeClock, FakeLive, books, live_view, worker

ABOUT = About(name="Steppe", version="0.1.0", chain="regtest", stratum_port=3333)
_StringTransport: Any = StringTransport  # untyped
PEER = IPv4Address("TCP", "127.0.0.1", 50_000)


class Response(Struct, frozen=True):
    """What came back. headers: by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Browser:
    """One site over fakes."""

    def __init__(self, live: FakeLive | None = None, books_source: FakeBooks | None = None) -> None:
        self.clock = FakeClock()
        self.reactor = Clock()
        self.live = live or FakeLive(live_view([worker("acct.rig-1"), worker("acct.rig-2"), worker("other.rig-1")]))
        self.books = books_source or books()
        self.site: Any = dashboard_site(self.live, self.books, self.clock, self.reactor, ABOUT)

    def send(self, data: bytes) -> Response:
        """What a new connection gets for these bytes."""
        transport = _StringTransport(peerAddress=PEER)
        protocol = self.site.buildProtocol(PEER)
        protocol.makeConnection(transport)
        protocol.dataReceived(data)
        return parse(transport.value())

    def ask(self, target: str, method: str = "GET", **headers: str) -> Response:
        """One request on a new connection; a header's underscores become hyphens."""
        lines = [f"{method} {target} HTTP/1.1", "Host: pool.example", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return self.send("\r\n".join([*lines, "", ""]).encode("latin-1"))


def parse(data: bytes) -> Response:
    """A response as on the wire."""
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Response(int(status.split()[1]), {name.lower(): value for name, value in headers.items()}, body)


def healthy() -> Browser:
    """A pool where all is well."""
    return Browser()


def without_redis() -> Browser:
    """A pool whose Redis is down."""
    return Browser(live=FakeLive(live_view([]), reason="Redis is not running: start it."))


def without_database() -> Browser:
    """A pool whose database is down."""
    down: FakeBooks = books()
    down.reason = "The database is locked: stop the other program."
    return Browser(books_source=down)
