"""Open pages, by whose overview they get; one whose credential has ended is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from pool import events
from pool.dashboard.access.guard import Guard, Source
from pool.dashboard.access.principal import Principal
from pool.dashboard.stream import READERS_MAX, Outgoing, Stream, too_many

CHECK_SECONDS = 2.0
"""How long a page may stay open after what let it in was revoked."""


class Page(Outgoing, Protocol):
    """A connection that can be ended."""

    def unregisterProducer(self) -> object: ...  # noqa: N802 - Twisted's name
    def finish(self) -> object: ...


class Streams:
    """All of them, of both listeners. reactor: an IReactorTime."""

    def __init__(self, guard: Guard, monotonic: Callable[[], float], reactor: Any) -> None:
        self._guard = guard
        self._monotonic = monotonic
        self._reactor = reactor
        self._streams: dict[int, tuple[Source, Stream]] = {}
        self._open: dict[Page, tuple[Principal, Source]] = {}
        self._loop = LoopingCall(lambda: Deferred.fromCoroutine(self.check()))
        self._loop.clock = reactor

    def admit(self) -> None:
        """Raises Refusal when there are too many."""
        if len(self._open) >= READERS_MAX:
            raise too_many()

    def open(self, source: Source, principal: Principal, page: Page, last_id: str | None) -> None:
        """Send events from now on."""
        self._open[page] = (principal, source)
        page.notifyFinish().addBoth(lambda _: self._leave(page))
        self._stream(source).open(page, last_id)
        if not self._loop.running:
            self._loop.start(CHECK_SECONDS, now=False)

    async def check(self) -> None:
        """End those that would not be let in now."""
        try:
            for page, (principal, _) in list(self._open.items()):
                if not await self._guard.still_holds(principal) and page in self._open:
                    page.unregisterProducer()
                    page.finish()
        except Exception as error:  # noqa: BLE001 - a bug: the loop must go on
            events.bug("streams", error)

    def _stream(self, source: Source) -> Stream:
        if id(source) not in self._streams:
            ask = lambda: source.answer(b"GET", b"/api/v1/pool", {})  # noqa: E731 - said once, where it is used
            self._streams[id(source)] = (source, Stream(ask, self._monotonic, self._reactor))
        return self._streams[id(source)][1]

    def _leave(self, page: Page) -> None:
        _, source = self._open.pop(page)
        if all(other is not source for _, other in self._open.values()):
            self._streams.pop(id(source), None)
        if not self._open and self._loop.running:
            self._loop.stop()
