"""What stands before a session: it looks at a connection's first bytes, and takes itself away.

A PROXY header, from the sources that must send one, says who the miner is. Behind it the miner's own bytes begin. If
they are in the clear, they go from then on straight from the transport to the session; if they are TLS, through that.
"""
# ruff: noqa: N802 - Twisted's names

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from pool import events as log
from stratum.limits import FIRST_BYTES_SECONDS, CloseReason
from stratum.ports import Timers
from stratum.proxy import BadProxyHeader, read_header
from stratum.sources import Sources, canonical
from stratum.tls import CLIENT_HELLO, TlsLayer
from stratum.warden import Warden

Address = IPv4Address | IPv6Address

# Proxies whose mistake was told and who have not mended it; more than an operator has.
_TOLD_MAX: Final = 256


class FrontFactory(Factory):
    """Makes what stands before each new session.

    sessions: its `buildProtocol` is called with the miner's address once that is known. proxies: who must send a PROXY
    header. warden: who may come in at all. tls: the context of today's certificate, or None if there is none.
    turned_away: told why a connection ended before it had a session.
    """

    noisy = False

    def __init__(
        self,
        sessions: Any,
        timers: Timers,
        *,
        proxies: Sources,
        warden: Warden,
        tls: Callable[[], ssl.SSLContext | None],
        turned_away: Callable[[CloseReason], None],
    ) -> None:
        self.sessions = sessions
        self.timers = timers
        self.warden = warden
        self.tls = tls
        self.turned_away = turned_away
        self._proxies = proxies
        self._told: set[str] = set()
        self._waiting: set[Front] = set()

    def buildProtocol(self, addr: Any) -> Front:
        return Front(self, canonical(addr.host), addr.host in self._proxies)

    def abort(self, reason: CloseReason) -> None:
        """Reset every connection that has no session yet."""
        for front in list(self._waiting):
            front.turn_away(reason)

    def arrived(self, front: Front) -> None:
        """A connection that has no session yet."""
        self._waiting.add(front)

    def left(self, front: Front) -> None:
        """It has one now, or is gone."""
        self._waiting.discard(front)

    def header_refused(self, proxy: str, problem: str) -> None:
        """Say once that a proxy sends what it should not, until it does right."""
        if proxy not in self._told:
            if len(self._told) >= _TOLD_MAX:
                self._told.clear()
            self._told.add(proxy)
            log.proxy_header_refused(proxy, problem)

    def header_read(self, proxy: str) -> None:
        """A proxy does right."""
        self._told.discard(proxy)


class Front(Protocol):
    """One connection before its session. peer: who connected. behind_proxy: whether a PROXY header must come first."""

    transport: Any  # zope's interfaces are no types

    def __init__(self, factory: FrontFactory, peer: str, behind_proxy: bool) -> None:
        self._factory = factory
        self._peer = peer
        self._miner = peer
        self._header_missing = behind_proxy
        self._seen = b""
        self._deadline: Any = None
        # Whether it counts as a connection without a worker.
        self._admitted = False

    def connectionMade(self) -> None:
        self._factory.arrived(self)
        if ITCPTransport.providedBy(self.transport):
            with suppress(OSError):  # the peer may be gone already; connectionLost follows
                self.transport.setTcpNoDelay(True)
                self.transport.setTcpKeepAlive(True)
        self._deadline = self._factory.timers.callLater(FIRST_BYTES_SECONDS, self.turn_away, CloseReason.NO_FIRST_BYTES)
        if not self._header_missing:
            self._admit()

    def dataReceived(self, data: bytes) -> None:
        if self._deadline is None:
            return  # turned away, and the transport had this at hand
        seen = self._seen + data
        if self._header_missing:
            try:
                header = read_header(seen)
            except BadProxyHeader as problem:
                self._factory.header_refused(self._peer, str(problem))
                self.turn_away(CloseReason.BAD_PROXY_HEADER)
                return
            if header is None:
                self._seen = seen
                return
            self._factory.header_read(self._peer)
            self._header_missing = False
            self._miner = canonical(header.source or self._peer)
            self._seen = b""
            if not self._admit():
                return
            seen = seen[header.length :]
        if seen:
            self._hand_over(seen)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._done()

    def turn_away(self, reason: CloseReason) -> None:
        """End the connection in silence."""
        self._factory.turned_away(reason)
        self._done()
        self.transport.abortConnection()

    def _admit(self) -> bool:
        reason = self._factory.warden.admit(self._miner)
        self._admitted = reason is None
        if reason is not None:
            self.turn_away(reason)
        return self._admitted

    def _hand_over(self, data: bytes) -> None:
        if data.startswith(CLIENT_HELLO):
            self._shake_hands(data)
            return
        session = self._begin()
        self.transport.protocol = session
        session.makeConnection(self.transport)
        session.dataReceived(data)

    def _shake_hands(self, data: bytes) -> None:
        context = self._factory.tls()
        if context is None:
            # bfgminer begins so on each connect, and comes back in the clear when this ends quickly.
            self.turn_away(CloseReason.TLS_NOT_OFFERED)
            return
        layer: Any = TlsLayer(context, begin=self._begin, failed=self._handshake_failed, lost=self.connectionLost)
        self.transport.protocol = layer
        layer.makeConnection(self.transport)
        layer.dataReceived(data)

    def _handshake_failed(self) -> None:
        self._factory.turned_away(CloseReason.TLS_FAILED)
        self._done()

    def _begin(self) -> Any:
        """The session's protocol, not yet connected."""
        self._admitted = False  # from here on the session counts
        self._done()
        return self._factory.sessions.buildProtocol(miner_address(self._miner))

    def _done(self) -> None:
        self._factory.left(self)
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None
        self._seen = b""
        if self._admitted:
            self._admitted = False
            self._factory.warden.settled(self._miner)


def miner_address(host: str) -> Address:
    """As Twisted's factories are told it; behind a proxy nobody knows the port."""
    return (IPv6Address if ":" in host else IPv4Address)("TCP", host, 0)
