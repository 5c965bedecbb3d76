"""The dashboard on twisted.web: paths to endpoints, answers to bytes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from urllib.parse import unquote

from twisted.internet.defer import Deferred
from twisted.web.http import Request as HttpRequest
from twisted.web.http_headers import Headers
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from pool import events
from pool.dashboard.answers import HEADERS, Answer, Refusal, is_known
from pool.dashboard.api import Api, Arguments
from pool.dashboard.cache import Cache, CachedBooks, CachedLive
from pool.dashboard.overview import About
from pool.dashboard.ports import Books, Live
from pool.dashboard.static import static_answers
from pool.ports import Clock

IDLE_SECONDS = 30.0
"""A connection that asks nothing for so long is closed; the page asks each two seconds."""

Endpoint = Callable[[Arguments], Awaitable[Answer]]


class Routes:
    """Which endpoint a path leads to."""

    def __init__(self, api: Api) -> None:
        self._static = static_answers()
        self._fixed: dict[str, Endpoint] = {
            "/api/v1/pool": api.pool,
            "/api/v1/workers": api.workers,
            "/api/v1/accounts": api.accounts,
            "/api/v1/blocks": api.blocks,
            "/api/v1/payouts": api.payouts,
            "/healthz": api.healthz,
            "/readyz": api.readyz,
            "/metrics": api.metrics,
        }
        self._named: dict[str, Callable[[str, Arguments], Awaitable[Answer]]] = {
            "/api/v1/workers/": api.worker,
            "/api/v1/accounts/": api.account,
            "/api/v1/blocks/": api.block,
            "/api/v1/payouts/": api.payout,
        }

    async def answer(self, method: bytes, path: bytes, arguments: Arguments) -> Answer:
        """The answer to a request. Raises Refusal. path: percent-encoded, as on the wire."""
        text = path.decode("ascii", "replace")
        if (static := self._static.get(text)) is not None:
            _check_method(method)
            return static
        if (endpoint := self._fixed.get(text)) is not None:
            _check_method(method)
            return await endpoint(arguments)
        for prefix, named in self._named.items():
            if text.startswith(prefix):
                _check_method(method)
                return await named(unquote(text.removeprefix(prefix)), arguments)
        raise Refusal(404, "unknown_path", "There is nothing here.", "The page is at /, the API below /api/v1.")


def _check_method(method: bytes) -> None:
    if method not in (b"GET", b"HEAD"):
        allow = (("Allow", "GET, HEAD"),)
        raise Refusal(405, "wrong_method", "This can only be read.", "Use GET or HEAD.", allow)


class _Outgoing(Protocol):
    """The part of `Request` that sends, with the types that Twisted does not state."""

    def write(self, data: bytes) -> object: ...
    def finish(self) -> object: ...


class _Root(Resource):
    """Takes every path and every method."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def __init__(self, routes: Routes) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._routes = routes

    def render(self, request: Request) -> int:
        Deferred.fromCoroutine(self._respond(request))
        return NOT_DONE_YET

    async def _respond(self, request: Request) -> None:
        left: list[object] = []
        request.notifyFinish().addErrback(left.append)
        try:
            answer = await self._routes.answer(request.method, request.path, request.args or {})
        except Refusal as refusal:
            answer = refusal.answer()
        except Exception as error:  # noqa: BLE001 - a bug: logged with its traceback, which the asker never sees
            events.bug("dashboard", error)
            hint = "This is a bug of the pool; its log has the details."
            answer = Refusal(500, "internal", "The answer could not be made.", hint).answer()
        if not left:
            known = is_known(answer, request.getHeader("if-none-match"))
            request.setResponseCode(304 if known else answer.status)
            _set_headers(request.responseHeaders, answer)
            _send(request, b"" if known else answer.body)


def _set_headers(headers: Headers, answer: Answer) -> None:
    headers.setRawHeaders("Server", ["Steppe"])
    headers.setRawHeaders("Cache-Control", ["no-cache"])  # keep, but ask each time: an upgrade is seen at once
    headers.setRawHeaders("Content-Type", [answer.content_type])
    headers.setRawHeaders("Content-Length", [str(len(answer.body))])
    for name, value in (*HEADERS, *answer.headers):
        headers.setRawHeaders(name, [value])
    if answer.etag is not None:
        headers.setRawHeaders("ETag", [answer.etag])


def _send(outgoing: _Outgoing, body: bytes) -> None:
    outgoing.write(body)
    outgoing.finish()


class _BodylessRequest(Request):
    """A request whose body is thrown away as it comes: nothing here takes one, so nobody can fill the disk with it."""

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        pass


class _QuietSite(Site):
    """A site without an access log: a page asks five things each two seconds, and metrics count what matters."""

    def log(self, request: HttpRequest) -> None:
        pass


def dashboard_site(live: Live, books: Books, clock: Clock, reactor: Any, about: About) -> Site:
    """The factory to listen with. Reads both sources through a cache of a second. reactor: an IReactorTime."""
    cache = Cache(clock, reactor)
    api = Api(CachedLive(live, cache), CachedBooks(books, cache), clock, about)
    root = _Root(Routes(api))
    return _QuietSite(root, requestFactory=_BodylessRequest, timeout=IDLE_SECONDS)  # type: ignore[no-untyped-call]
