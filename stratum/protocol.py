"""The Twisted protocol of a Stratum connection: it pumps bytes between a transport and the server, no more."""
# ruff: noqa: N802 - Twisted's names

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from stratum.difficulty import DifficultyBounds
from stratum.server import StratumServer
from stratum.session import Session


@implementer(IPushProducer)
class StratumProtocol(Protocol):
    """One connection, the same on both endpoints.

    It is the producer of what it writes, so that the transport says when the peer does not read: at
    `limits.WRITE_BUFFER_BYTES_MAX`. early: what a neighbour received over it before it came here.
    """

    # In one piece of memory, for ten thousand of them do not fit into the processor's caches.
    __slots__ = (
        "_early",
        "_holds",
        "_server",
        "bounds",
        "connected",
        "read_since",
        "remote_address",
        "session",
        "transport",
    )

    session: Session
    transport: Any  # zope's interfaces are no types

    def __init__(
        self, server: StratumServer, remote_address: str, bounds: DifficultyBounds, early: bytes = b""
    ) -> None:
        self._server = server
        self.bounds = bounds
        self._early = early
        self.remote_address = remote_address
        self.read_since = 0
        self._holds = 0

    def connectionMade(self) -> None:
        self.transport.registerProducer(self, True)
        self.session = self._server.connected(self)
        early, self._early = self._early, b""
        if early:
            self._server.passed_to_us(self, early)

    def dataReceived(self, data: bytes) -> None:
        self._server.received(self, data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._server.lost(self)

    def pauseProducing(self) -> None:
        """The peer is too far behind."""
        self._server.fell_behind(self)

    def resumeProducing(self) -> None:
        """Never: who falls behind is dropped."""

    def stopProducing(self) -> None:
        """The connection is gone; `connectionLost` tells the server."""

    def flush(self) -> None:
        data = self.session.outgoing()
        if data:
            self.transport.write(data)

    def spare_handle(self) -> int | None:
        # Only our own endpoint's transports in the clear can be taken out of their loop.
        spare = getattr(self.transport, "spare_handle", None)
        found: int | None = None if spare is None else spare()
        return found

    def close(self) -> None:
        self.transport.loseConnection()

    def abort(self) -> None:
        self.transport.abortConnection()

    def pause(self) -> None:
        self._holds += 1
        self.transport.pauseProducing()

    def resume(self) -> None:
        self._holds -= 1
        if not self._holds:
            self.transport.resumeProducing()


class StratumFactory(Factory):
    """Makes the protocol of each new connection. Its address is what bans, limits, statistics and the log see.

    bounds: of the port's difficulty; by default the server's own.
    """

    noisy = False

    def __init__(self, server: StratumServer, bounds: DifficultyBounds | None = None) -> None:
        self._server = server
        self._bounds = bounds or server.bounds

    def buildProtocol(self, addr: Any) -> StratumProtocol:
        return StratumProtocol(self._server, addr.host, self._bounds)
