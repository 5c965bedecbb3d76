"""A browser without a network: bytes into the site, bytes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from pool.config import WebPart
from pool.dashboard.app import Access, dashboard_sites
from pool.dashboard.explain import Explaining, NoExplaining
from pool.dashboard.moves import Moves, NoMoves
from pool.dashboard.overview import About
from pool.dashboard.reports import NoReporting, Reporting
from pool.dashboard.views import Sources
from pool.fleet.kinds import Assignment
from pool.fleet.register import Register
from tests.pool.dashboard.access.fakes import FakeCredentials, FakeOrders
from tests.pool.dashboard.fakes import NOW_MS, FakeBooks, FakeClock, FakeFleets, FakeLive, books, live_view, worker
from tests.pool.dashboard.running import here

EVERY_PART = get_args(WebPart)
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

    def __init__(
        self,
        live: FakeLive | None = None,
        books_source: FakeBooks | None = None,
        moves: Moves | None = None,
        public: tuple[str, ...] = EVERY_PART,
        proxies: tuple[str, ...] = (),
        worker_series: int = 0,
        reporting: Reporting | None = None,
        credentials: FakeCredentials | None = None,
        reactor: Any = None,
        explaining: Explaining | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.reactor = reactor or Clock()
        self.live = live or FakeLive(live_view([worker("acct.rig-1"), worker("acct.rig-2"), worker("other.rig-1")]))
        self.books = books_source or books()
        self.fleets = FakeFleets()
        self.credentials = credentials or FakeCredentials(self.clock)
        self.orders = FakeOrders()
        sources = Sources(
            self.live,
            self.books,
            self.fleets,
            moves or NoMoves(),
            reporting or NoReporting(),
            here,
            worker_series=worker_series,
            explaining=explaining or NoExplaining(),
        )
        access = Access(self.credentials, self.orders, public, proxies, ("pool.example",))
        sites = dashboard_sites(sources, access, self.clock, self.reactor, ABOUT)
        self.site: Any = sites.public
        self.admin: Any = sites.admin
        self.peer = PEER

    def send(self, data: bytes, site: Any = None) -> Response:
        """What a new connection gets for these bytes."""
        transport = _StringTransport(peerAddress=self.peer)
        protocol = (site or self.site).buildProtocol(self.peer)
        protocol.makeConnection(transport)
        protocol.dataReceived(data)
        return parse(transport.value())

    def ask(self, target: str, method: str = "GET", *, site: Any = None, body: bytes = b"", **headers: str) -> Response:
        """One request on a new connection; a header's underscores become hyphens."""
        lines = [f"{method} {target} HTTP/1.1", "Host: pool.example", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(body)}"] if body else []
        return self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body, site)


def parse(data: bytes) -> Response:
    """A response as on the wire."""
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Response(int(status.split()[1]), {name.lower(): value for name, value in headers.items()}, body)


def healthy() -> Browser:
    """A pool where all is well."""
    return Browser()


def complete() -> Browser:
    """A healthy pool that has everything: a certificate, a site, series of workers."""
    view = live_view([worker("bit.kz-1")])
    stratum = tuple(replace(role, certificate_expires_ms=NOW_MS + 86_400_000) for role in view.roles.stratum)
    browser = Browser(FakeLive(replace(view, roles=replace(view.roles, stratum=stratum))), worker_series=5)
    at = Assignment(
        account="bit", pattern="*", fleet="bit/main", site="almaty", slice_id=1, row_id=1, valid_from_ms=NOW_MS
    )
    browser.fleets.known = Register([at])
    return browser


def without_redis() -> Browser:
    """A pool whose Redis is down."""
    return Browser(live=FakeLive(live_view([]), reason="Redis is not running: start it."))


def without_database() -> Browser:
    """A pool whose database is down."""
    down: FakeBooks = books()
    down.reason = "The database is locked: stop the other program."
    return Browser(books_source=down)
