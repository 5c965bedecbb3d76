"""Requests of twisted.web that take no more of a body than who asks may send. What is longer is refused while it comes,
and is never kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.web.server import Request

from pool.dashboard.access.operations import BRIEF_BYTES_MAX
from pool.dashboard.answers import Refusal
from pool.dashboard.front import write

BODY_SECONDS = 60.0
"""How long a body may take: the longest one at half a megabit a second."""

LINGER_SECONDS = 5.0
"""How long what is still sent after a refusal is thrown away. A connection that is closed upon unread bytes is reset,
and the answer may be lost with it."""

Allowance = Callable[[Request], Awaitable[int]]
"""How many bytes of body whoever sent these headers may send. Raises Refusal."""


class BodyRequest(Request):
    """Takes BRIEF_BYTES_MAX of a body; for more it asks the allowance, and reads nothing until that is known. reactor:
    an IReactorTime."""

    channel: Any  # None once the connection is lost
    transport: Any
    content: Any

    def __init__(self, channel: Any, queued: object = False, *, allowance: Allowance, reactor: Any) -> None:
        super().__init__(channel, queued, parsePOSTFormSubmission=False)  # type: ignore[no-untyped-call]
        self._allowance = allowance
        self._reactor = reactor
        self._declared = 0
        self._bytes_max = BRIEF_BYTES_MAX
        self._judged: Deferred[None] | None = None
        self._is_refused = False
        self._deadline: Any = None

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        super().gotLength(0)  # type: ignore[no-untyped-call] # in memory, however long it says it is
        if length != 0:
            self._end_after(BODY_SECONDS)
        self._declared = length or 0
        self._measure()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        if not self._is_refused:
            super().handleContentChunk(data)  # type: ignore[no-untyped-call]
            self._measure()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802 - Twisted's name
        if self._judged is None:
            self._go_on(command, path, version)
        else:
            self._judged.addCallback(lambda _: self._go_on(command, path, version))

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 - Twisted's name
        self._stop_clock()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def _measure(self) -> None:
        if not self._is_too_long:
            return
        if self._judged is None:
            self._judged = Deferred.fromCoroutine(self._judge())
        elif self._judged.called:
            self._refuse(_too_long(self._bytes_max))

    @property
    def _is_too_long(self) -> bool:
        return bool(max(self._declared, self.content.tell()) > self._bytes_max)

    async def _judge(self) -> None:
        self.transport.pauseProducing()
        refusal = None
        try:
            self._bytes_max = await self._allowance(self)
        except Refusal as error:
            refusal = error
        if self.channel is None:  # left meanwhile
            return
        if refusal is None and self._is_too_long:
            refusal = _too_long(self._bytes_max)
        if refusal is not None:
            self._refuse(refusal)
        self.transport.resumeProducing()

    def _refuse(self, refusal: Refusal) -> None:
        """Answer before the body has come; what comes after that only ends the connection."""
        self._is_refused = True
        self.content.seek(0)
        self.content.truncate()
        self.requestHeaders.removeHeader("Expect")  # else Twisted says 100 Continue after it
        self.channel.persistent = False
        self.clientproto = b"HTTP/1.1"
        answer = refusal.answer()
        write(self, replace(answer, headers=(*answer.headers, ("Connection", "close"))))
        self._end_after(LINGER_SECONDS)

    def _go_on(self, command: bytes, path: bytes, version: bytes) -> None:
        self._stop_clock()
        if self.channel is None:
            return
        if self._is_refused:
            self.finish()  # type: ignore[no-untyped-call]
        else:
            super().requestReceived(command, path, version)  # type: ignore[no-untyped-call]

    def _end_after(self, seconds: float) -> None:
        self._stop_clock()
        self._deadline = self._reactor.callLater(seconds, self.transport.abortConnection)

    def _stop_clock(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()


def _too_long(bytes_max: int) -> Refusal:
    brief = "more only at web.admin_listen, from who may order and has logged in"
    more = brief if bytes_max == BRIEF_BYTES_MAX else "send it in parts"
    return Refusal(413, "too_long", "The body is too long.", f"No more than {bytes_max // 1024} KiB is taken: {more}.")
