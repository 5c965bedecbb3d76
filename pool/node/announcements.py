"""A node's announcements of new tips (ZMQ `hashblock`): a hint to ask at once, and whether they still come.

Nothing depends on them: what they bring is asked for again over RPC, and the poll asks anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import zmq
from twisted.internet.interfaces import IReadDescriptor
from zope.interface import implementer

# A tip that the node was asked for is announced within milliseconds; after so long it will not be.
SILENT_SECONDS = 10.0

# More blocks than come within SILENT_SECONDS, but for a chain that is caught up with.
_REMEMBERED = 64

_TOPIC = b"hashblock"
_HASH_BYTES = 32


class Awaited:
    """Compares tips that were seen with tips that were announced. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._announced: dict[bytes, None] = {}
        self._missing_since: float | None = None

    def announced(self, block_hash: bytes) -> None:
        """The node announced a tip."""
        self._announced[block_hash] = None
        while len(self._announced) > _REMEMBERED:
            del self._announced[next(iter(self._announced))]
        self._missing_since = None

    def seen(self, block_hash: bytes, now: float) -> None:
        """The node named a new tip when it was asked."""
        if block_hash not in self._announced and self._missing_since is None:
            self._missing_since = now

    def is_silent(self, now: float) -> bool:
        """Whether a tip came and no announcement with it, nor since."""
        return self._missing_since is not None and now - self._missing_since >= SILENT_SECONDS


@implementer(IReadDescriptor)
class HashBlocks:
    """Calls `heard` with the hash, wire order, of each block that is announced at a ZMQ address (`tcp://HOST:PORT`).

    It connects by itself, again and again. The reactor watches the file descriptor that ZMQ offers, so there is no
    thread of ours.
    """

    def __init__(self, reactor: Any, address: str, heard: Callable[[bytes], None]) -> None:
        self._reactor = reactor
        self._address = address
        self._heard = heard
        self._socket: zmq.Socket[bytes] | None = None

    def start(self) -> None:
        """Subscribe."""
        socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
        self._socket = socket
        socket.linger = 0
        # A node whose machine is gone says no goodbye.
        socket.tcp_keepalive = 1
        socket.tcp_keepalive_idle = 30
        socket.subscribe(_TOPIC)
        socket.connect(self._address)
        self._reactor.addReader(self)
        self.doRead()

    def stop(self) -> None:
        """Hear no more."""
        if self._socket is not None:
            self._reactor.removeReader(self)
            self._socket.close()
            self._socket = None

    def fileno(self) -> int:
        """For the reactor."""
        return -1 if self._socket is None else int(self._socket.fileno())

    def logPrefix(self) -> str:  # noqa: N802 - Twisted's name
        """For the reactor."""
        return "node announcements"

    def connectionLost(self, reason: object) -> None:  # noqa: N802 - Twisted's name
        """For the reactor, when it ends or the descriptor is broken."""
        self.stop()

    def doRead(self) -> None:  # noqa: N802 - Twisted's name
        """The descriptor tells only of a change (zmq_getsockopt(3), ZMQ_FD), so all there is is read."""
        while self._socket is not None:
            try:
                parts = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            if len(parts) >= 2 and parts[0] == _TOPIC and len(parts[1]) == _HASH_BYTES:
                self._heard(parts[1][::-1])
