"""TLS within a connection: ciphertext of the transport on one side, a session's bytes on the other.

An `ssl.SSLObject` over memory, so that the port, the endpoint and the session are the same as in the clear.
"""
# ruff: noqa: N802 - Twisted's names

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from stratum.limits import TLS_HANDSHAKE_BYTES_MAX

CLIENT_HELLO: Final = b"\x16"  # the content type of its record: RFC 8446, 5.1; no line of JSON begins so
_READ_BYTES: Final = 16 * 1024  # a whole record


class TlsLayer(Protocol):
    """Both the protocol of a transport and the transport of a session.

    begin: called once, when the handshake is done; returns the session's protocol, not yet connected. failed: called
    once if there will be no handshake. lost: the connection went before either.
    """

    transport: Any  # zope's interfaces are no types

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        begin: Callable[[], Any],
        failed: Callable[[], None],
        lost: Callable[[Failure], None],
    ) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._begin = begin
        self._failed = failed
        self._lost = lost
        self._session: Any = None
        self._handshake_bytes = 0
        self._over = False

    def dataReceived(self, data: bytes) -> None:
        if self._over:
            return
        if self._session is None:
            self._handshake_bytes += len(data)
            if self._handshake_bytes > TLS_HANDSHAKE_BYTES_MAX:
                self._fail()
                return
        self._incoming.write(data)
        if self._session is None and not self._shake_hands():
            return
        self._deliver()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._over = True
        session, self._session = self._session, None  # which holds us: else both would wait for the garbage collector
        if session is not None:
            session.connectionLost(reason)
        else:
            self._lost(reason)

    def write(self, data: bytes) -> None:
        """Encrypt and send, in one piece."""
        if self._over:
            return
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._tls.write(rest) :]
        except ssl.SSLError:  # the peer broke the connection's rules meanwhile
            self.abortConnection()
            return
        self._send()

    def loseConnection(self) -> None:
        """Say farewell and close once everything is written."""
        if self._over:
            return
        with suppress(ssl.SSLError):  # it wants to read the peer's farewell, for which nobody waits
            self._tls.unwrap()
        self._send()
        self._over = True
        self.transport.loseConnection()

    def abortConnection(self) -> None:
        """Reset."""
        self._over = True
        self.transport.abortConnection()

    def pauseProducing(self) -> None:
        """Read no more. What was read is delivered at once, so nothing waits here."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        self.transport.resumeProducing()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """The session hears of it when the ciphertext is not read: there is no buffer here."""
        self.transport.registerProducer(producer, streaming)

    def getPeer(self) -> Any:
        """Who is at the other end of the transport, which may be a proxy."""
        return self.transport.getPeer()

    def _shake_hands(self) -> bool:
        """Whether the handshake is done."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._send()
            return False
        except ssl.SSLError:
            self._fail()
            return False
        self._send()
        self._session = self._begin()
        self._session.makeConnection(self)
        return True

    def _deliver(self) -> None:
        """What there is in the clear, as one piece; then, if the peer said farewell, the end."""
        pieces: list[bytes] = []
        ended = False
        try:
            while piece := self._tls.read(_READ_BYTES):
                pieces.append(piece)
            ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            ended = True
        if pieces:
            self._session.dataReceived(b"".join(pieces))
        if ended:
            self.loseConnection()
        elif not self._over:
            self._send()  # answers to what concerned TLS alone, as a change of keys

    def _fail(self) -> None:
        """No handshake: the alert goes out, as far as there is one, so that the miner's log can say why."""
        self._send()
        self._over = True
        self._failed()
        self.transport.loseConnection()

    def _send(self) -> None:
        if self._outgoing.pending:
            self.transport.write(self._outgoing.read())
