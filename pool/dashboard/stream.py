"""Server-sent events: the overview, to every open page, whenever it changed.

Each event is the whole state and its id is the hash of it, so that nothing has to be remembered for who was away: with
the last id a reader that has the newest state already gets nothing until the next. What a slow reader misses is
overtaken by what comes later; no more than one event waits for it.

Source of the format: HTML Living Standard, 9.2 Server-sent events.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import LoopingCall
from zope.interface import implementer

from pool import events
from pool.dashboard.answers import Answer, Refusal, etag

CONTENT_TYPE = "text/event-stream; charset=utf-8"

INTERVAL_SECONDS = 2.0
"""How often it is looked whether something changed: an estimate of a hashrate moves no faster."""

QUIET_SECONDS = 15.0
"""After so long without an event a comment is sent: proxies close what is silent for a minute."""

READERS_MAX = 512
"""Pages open at once. Each costs a descriptor and some 4 kB every two seconds; whoever comes later asks again."""

RETRY_MS = 3_000
"""After how long a browser that lost the connection tries again."""


class Outgoing(Protocol):
    """The part of Twisted's `Request` that is used, with the types that it does not state."""

    def write(self, data: bytes, /) -> object: ...
    def registerProducer(self, producer: Any, streaming: bool, /) -> object: ...  # noqa: N802 - Twisted's name
    def notifyFinish(self) -> Deferred[None]: ...  # noqa: N802 - Twisted's name


@implementer(IPushProducer)
class _Reader:
    """One open page. Twisted pauses it while its socket takes nothing more."""

    def __init__(self, outgoing: Outgoing, known_id: str | None) -> None:
        self._outgoing = outgoing
        self._known_id = known_id
        self._paused = False
        self._silent_since = 0.0

    def offer(self, event_id: str, event: bytes, now: float) -> None:
        if self._paused:
            return
        if event_id != self._known_id:
            self._known_id, self._silent_since = event_id, now
            self._outgoing.write(event)
        elif now - self._silent_since >= QUIET_SECONDS:
            self._silent_since = now
            self._outgoing.write(b":\n\n")

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._paused = True

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._paused = False

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._paused = True


def too_many() -> Refusal:
    """What one page more is told."""
    return Refusal(
        503,
        "too_many_streams",
        f"{READERS_MAX} pages are open already.",
        "Ask /api/v1/pool now and then instead, or try again later.",
        (("Retry-After", "30"),),
    )


class Stream:
    """All open pages. overview: makes the newest answer; monotonic: seconds; reactor: an IReactorTime."""

    def __init__(self, overview: Callable[[], Awaitable[Answer]], monotonic: Callable[[], float], reactor: Any) -> None:
        self._overview = overview
        self._monotonic = monotonic
        self._readers: dict[_Reader, None] = {}
        self._loop = LoopingCall(self._look)
        self._loop.clock = reactor

    def admit(self) -> None:
        """Raises Refusal when there are too many."""
        if len(self._readers) >= READERS_MAX:
            raise too_many()

    def open(self, outgoing: Outgoing, last_id: str | None) -> None:
        """Send events from now on, until the connection ends. last_id: of the newest that the asker has."""
        reader = _Reader(outgoing, last_id)
        self._readers[reader] = None
        outgoing.registerProducer(reader, True)
        outgoing.notifyFinish().addBoth(lambda _: self._leave(reader))
        outgoing.write(f"retry: {RETRY_MS}\n\n".encode())
        if not self._loop.running:
            self._loop.start(INTERVAL_SECONDS)
        else:
            Deferred.fromCoroutine(self._send())

    def _leave(self, reader: _Reader) -> None:
        self._readers.pop(reader, None)
        if not self._readers and self._loop.running:
            self._loop.stop()  # nobody looks: nothing is read

    def _look(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._send())

    async def _send(self) -> None:
        try:
            answer = await self._overview()
        except Exception as error:  # noqa: BLE001 - a bug: the loop must go on
            events.bug("stream", error)
            return
        event_id = (answer.etag or etag(answer.body)).strip('"')
        event = b"event: overview\nid: " + event_id.encode() + b"\ndata: " + answer.body + b"\n\n"
        now = self._monotonic()
        for reader in list(self._readers):
            reader.offer(event_id, event, now)
