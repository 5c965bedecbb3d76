"""The dashboard on twisted.web: requests to the guard, answers to bytes."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.web.http import Request as HttpRequest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from pool import events
from pool.dashboard.access import openapi
from pool.dashboard.access.guard import Guard
from pool.dashboard.access.login import Doorkeeper
from pool.dashboard.access.office import Office
from pool.dashboard.access.ordering import Ordering
from pool.dashboard.access.orders import Orders
from pool.dashboard.access.ports import Credentials
from pool.dashboard.access.principal import Recognizer
from pool.dashboard.access.streams import Page, Streams
from pool.dashboard.answers import Answer, Refusal, is_known
from pool.dashboard.assets import assets
from pool.dashboard.bodies import BodyRequest
from pool.dashboard.front import Front, set_headers, write
from pool.dashboard.hosts import Hosts
from pool.dashboard.overview import About
from pool.dashboard.stream import CONTENT_TYPE
from pool.dashboard.views import CachedViews, Sources
from pool.ports import Clock

IDLE_SECONDS = 30.0
"""A connection that asks nothing for so long is closed; the page asks each two seconds."""

EVENTS = b"/api/v1/events"
"""The one path whose answer does not end."""

_NOT_KEPT = (("Cache-Control", "no-store"), ("Vary", "Cookie, Authorization"))


class Access(Struct, frozen=True):
    """Who may come in. public: the parts that everybody sees. proxies: addresses that are believed. admin_hosts: names
    of the operators' listener."""

    credentials: Credentials
    orders: Orders
    public: tuple[str, ...]
    proxies: tuple[str, ...] = ()
    admin_hosts: tuple[str, ...] = ()


def _check_method(method: bytes) -> None:
    if method not in (b"GET", b"HEAD"):
        allow = (("Allow", "GET, HEAD"),)
        raise Refusal(405, "wrong_method", "This can only be read.", "Use GET or HEAD.", allow)


class _Root(Resource):
    """Takes every path and every method."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def __init__(self, guard: Guard, streams: Streams, front: Front, hosts: Hosts | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._hosts = hosts
        self._guard = guard
        self._streams = streams
        self._front = front
        self._static = assets()

    async def body_bytes_max(self, request: Request) -> int:
        """How long a body may be. Raises Refusal."""
        return await self._guard.body_bytes_max(self._front.asked(request))

    def render(self, request: Request) -> int:
        Deferred.fromCoroutine(self._respond(request))
        return NOT_DONE_YET

    async def _respond(self, request: Request) -> None:
        left: list[object] = []
        request.notifyFinish().addErrback(left.append)
        try:
            answer = await self._answer(request, left)
        except Refusal as refusal:
            answer = refusal.answer()
        except Exception as error:  # noqa: BLE001 - a bug: logged with its traceback, which the asker never sees
            events.bug("dashboard", error)
            hint = "This is a bug of the pool; its log has the details."
            answer = Refusal(500, "internal", "The answer could not be made.", hint).answer()
        if answer is not None and not left:
            write(request, answer, is_known=is_known(answer, request.getHeader("if-none-match")))
            request.finish()

    async def _answer(self, request: Request, left: list[object]) -> Answer | None:
        """None when it is a stream, which goes on."""
        if self._hosts is not None:
            said = request.requestHeaders.getRawHeaders("host") or []
            self._hosts.check(said, str(getattr(request.getHost(), "host", "")))
        asked = self._front.asked(request)
        if (static := self._static.get(asked.path)) is not None:
            _check_method(request.method)
            return static
        if request.path == EVENTS and request.method == b"GET":
            principal, source = await self._guard.admit(asked)
            self._streams.admit()
            if not left:
                set_headers(request, Answer(200, CONTENT_TYPE, b"", headers=_NOT_KEPT))
                request.responseHeaders.removeHeader("Content-Length")
                self._streams.open(source, principal, cast(Page, request), request.getHeader("last-event-id"))
            return None
        return await self._guard.answer(asked)


class _QuietSite(Site):
    """A site without an access log: a page asks five things each two seconds, and metrics count what matters."""

    def log(self, request: HttpRequest) -> None:
        pass


class Sites(Struct, frozen=True):
    """The factories to listen with: for everybody, and for operators."""

    public: Site
    admin: Site


def dashboard_sites(sources: Sources, access: Access, clock: Clock, reactor: Any, about: About) -> Sites:
    """Reads its sources through a cache of a second. reactor: an IReactorTime."""
    views = CachedViews(sources, clock, reactor, about)
    recognizer = Recognizer(access.credentials, clock)
    doorkeeper = Doorkeeper(access.credentials, recognizer, clock, access.public)
    office = Office(access.credentials, recognizer, clock)
    served = openapi.answer(about.version)
    guard = Guard(
        openapi.TABLE,
        views,
        access.public,
        recognizer,
        doorkeeper,
        office,
        Ordering(access.orders, access.credentials),
        lambda: served,
    )
    streams = Streams(guard, clock.monotonic, reactor)
    public, admin = (Front(access.proxies, is_admin=is_admin) for is_admin in (False, True))
    return Sites(
        _site(_Root(guard, streams, public, None), reactor),
        _site(_Root(guard, streams, admin, Hosts(access.admin_hosts)), reactor),
    )


def _site(root: _Root, reactor: Any) -> Site:
    request = partial(BodyRequest, allowance=root.body_bytes_max, reactor=reactor)
    return _QuietSite(root, requestFactory=request, timeout=IDLE_SECONDS)  # type: ignore[no-untyped-call]
