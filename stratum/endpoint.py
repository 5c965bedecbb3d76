"""The fast endpoint: Twisted protocols on the transports of an asyncio loop, which is meant to be uvloop's.

With the same protocol a share costs 17 microseconds of CPU here and 27 over Twisted's own transports, at 1,000
connections (`scripts/bench stratum`). For `twisted.internet.asyncioreactor` installed on that loop.
"""
# ruff: noqa: N802 - Twisted's names

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IListeningPort,
    IStreamServerEndpoint,
    ITCPTransport,
)
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from zope.interface import implementer

from stratum.limits import WRITE_BUFFER_BYTES_MAX

BACKLOG: Final = 4096
"""Connections that the kernel accepts for us meanwhile: Linux's default `somaxconn`. After a power cut a whole site
comes back at once."""

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close sends RST
_Address = IPv4Address | IPv6Address
_failure: Any = Failure  # untyped


@implementer(IStreamServerEndpoint)
class FastEndpoint:
    """Listens on one TCP address of an asyncio loop.

    port: 0 for any. interface: an address of IPv4 or IPv6, or "" for all. shared: other processes may listen there
    too, and the kernel deals the connections out.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, port: int, interface: str = "", *, shared: bool = False
    ) -> None:
        self._loop = loop
        self._port = port
        self._interface = interface
        self._shared = shared

    def listen(self, factory: Factory) -> Deferred[ListeningPort]:
        """Fires with the port once it is bound; fails with OSError."""
        return Deferred.fromFuture(asyncio.ensure_future(self._listen(factory), loop=self._loop))

    async def _listen(self, factory: Any) -> ListeningPort:
        server = await self._loop.create_server(
            partial(Bridge, factory), self._interface or None, self._port, backlog=BACKLOG, reuse_port=self._shared
        )
        factory.doStart()
        return ListeningPort(server, factory)


@implementer(IListeningPort)
class ListeningPort:
    """A bound address that accepts connections."""

    def __init__(self, server: asyncio.Server, factory: Any) -> None:
        self._server = server
        self._factory = factory

    def startListening(self) -> None:
        """Nothing: it listens from the start."""

    def stopListening(self) -> Deferred[None]:
        """Accept no more; connections stay. Fires when the address is free."""
        if self._server.is_serving():
            self._server.close()
            self._factory.doStop()
        return succeed(None)

    def getHost(self) -> _Address:
        """The first address that is bound; port 0 is resolved."""
        return _address(self._server.sockets[0].getsockname())


class Bridge(asyncio.Protocol):
    """What the loop drives: it hands everything on to a Twisted protocol."""

    __slots__ = ("_factory", "_transport", "protocol")

    def __init__(self, factory: Any) -> None:
        self._factory = factory
        self._transport: FastTransport | None = None
        self.protocol: Any = None

    def connection_made(self, transport: Any) -> None:
        ours = self._transport = FastTransport(transport, self)
        self.protocol = self._factory.buildProtocol(ours.getPeer())
        transport.set_protocol(self)
        self.protocol.makeConnection(ours)

    @property
    def data_received(self) -> Any:
        """The protocol's own method: the loop looks it up when it is given the bridge, and calls it for all bytes."""
        return None if self.protocol is None else self.protocol.dataReceived

    def pause_writing(self) -> None:
        if self._transport is not None:
            self._transport.peer_lags()

    def connection_lost(self, exc: Exception | None) -> None:
        reason = ConnectionDone() if exc is None else ConnectionLost(str(exc))
        protocol, transport = self.protocol, self._transport
        # They hold each other no more: what nobody else holds is freed at once, not when garbage is looked for.
        self.protocol = self._transport = None
        if transport is not None:
            transport.unregisterProducer()
        protocol.connectionLost(_failure(reason))


@implementer(ITCPTransport)
class FastTransport:
    """An asyncio transport with the manners of Twisted's."""

    __slots__ = ("_bridge", "_producer", "_transport", "disconnecting")

    def __init__(self, transport: asyncio.Transport, bridge: Bridge) -> None:
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES_MAX)
        self._transport = transport
        self._bridge = bridge
        self._producer: Any = None
        self.disconnecting = False

    @property
    def protocol(self) -> Any:
        """Who gets the bytes; may be changed on the way, as with Twisted's own transports."""
        return self._bridge.protocol

    @protocol.setter
    def protocol(self, protocol: Any) -> None:
        self._bridge.protocol = protocol
        self._transport.set_protocol(self._bridge)

    def write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """Close once everything is written."""
        self.disconnecting = True
        self._transport.close()

    def abortConnection(self) -> None:
        """Reset: the peer returns at once, and a buffer it does not read is dropped."""
        self.disconnecting = True
        with suppress(OSError):
            self._socket().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    def pauseProducing(self) -> None:
        """Read no more."""
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resumeProducing(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def spare_handle(self) -> int | None:
        """The socket's file descriptor, or None if something is still to be written."""
        if self._transport.is_closing() or self._transport.get_write_buffer_size():
            return None
        return int(self._socket().fileno())

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Takes one push producer, which is paused when the write buffer is full."""
        if not streaming:
            raise ValueError("only push producers")
        self._producer = producer

    def unregisterProducer(self) -> None:
        self._producer = None

    def peer_lags(self) -> None:
        """The write buffer is full."""
        if self._producer is not None:
            self._producer.pauseProducing()

    def getPeer(self) -> _Address:
        return _address(self._transport.get_extra_info("peername"))

    def getHost(self) -> _Address:
        return _address(self._transport.get_extra_info("sockname"))

    def getTcpNoDelay(self) -> bool:
        return bool(self._socket().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    def setTcpNoDelay(self, enabled: bool) -> None:
        self._socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, enabled)

    def getTcpKeepAlive(self) -> bool:
        return bool(self._socket().getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))

    def setTcpKeepAlive(self, enabled: bool) -> None:
        self._socket().setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, enabled)

    def loseWriteConnection(self) -> None:
        """Send FIN once everything is written; reading goes on."""
        if not self._transport.is_closing():
            self._transport.write_eof()

    def _socket(self) -> Any:
        return self._transport.get_extra_info("socket")


def _address(name: tuple[Any, ...] | None) -> _Address:
    """From a socket's name: two parts for IPv4, four for IPv6, None if the peer left before we asked."""
    if name is None:
        return IPv4Address("TCP", "unknown", 0)
    kind = IPv4Address if len(name) == 2 else IPv6Address
    return kind("TCP", name[0], name[1])
