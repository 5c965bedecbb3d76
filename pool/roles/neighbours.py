"""The other stratum processes of this machine: a connection goes to the one that has its session.

The kernel deals new connections out among the processes of a port. A miner that resumes a session is therefore mostly
met by a process that does not have it. That process gives the connection away: the socket itself (SCM_RIGHTS, unix(7))
and what came over it so far, in one datagram to a socket in the data folder which is the pool's user's alone.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from twisted.internet.address import IPv4Address

from pool import events
from stratum.difficulty import DifficultyBounds
from stratum.endpoint import Bridge
from stratum.limits import EARLY_BYTES_MAX
from stratum.ports import Link

_HANDLE: Final = struct.Struct("i")
_DATAGRAM_BYTES_MAX: Final = EARLY_BYTES_MAX + 4096


class Passed(Struct, frozen=True, array_like=True):
    """A connection that comes. early: what was received over it, from its first byte on."""

    remote_address: Annotated[str, Meta(max_length=64)]
    bounds: DifficultyBounds
    early: Annotated[bytes, Meta(max_length=EARLY_BYTES_MAX)]


_decode = msgspec.msgpack.Decoder(Passed).decode


class Neighbours:
    """Satisfies `stratum.ports.Neighbours`.

    loop: the sockets', an asyncio loop. range_id: whose process this is. take: makes the protocol of a connection that
    came, or returns None if it may not come in.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, folder: Path, range_id: int, take: Callable[[Passed], Any | None]
    ) -> None:
        self._loop = loop
        self._folder = folder
        self._own = self._path(range_id)
        self._take = take
        self._socket: socket.socket | None = None
        self._coming: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Take connections in, and give them away. Raises OSError; without it returning miners begin anew."""
        ours = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._own.unlink(missing_ok=True)
            ours.bind(str(self._own))
        except OSError:
            ours.close()
            raise
        self._socket = ours
        self._loop.add_reader(ours.fileno(), self._receive, ours)

    def stop(self) -> None:
        """Take in no more."""
        if self._socket is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None
            self._own.unlink(missing_ok=True)

    def pass_on(self, link: Link, extranonce1: bytes, early: bytes) -> bool:
        """See `stratum.ports.Neighbours`."""
        path = self._path(extranonce1[0])
        if self._socket is None or path == self._own:
            return False
        handle = link.spare_handle()
        if handle is None:
            return False
        passed = msgspec.msgpack.encode(Passed(link.remote_address, link.bounds, early))
        try:
            # Not socket.send_fds, which takes an address and ignores it (CPython 3.11).
            self._socket.sendmsg([passed], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, _HANDLE.pack(handle))], 0, str(path))
        except OSError:  # nobody there, or too busy
            return False
        return True

    def _path(self, range_id: int) -> Path:
        return self._folder / f"{range_id}.sock"

    def _receive(self, ours: socket.socket) -> None:
        try:
            data, handles, _, _ = socket.recv_fds(ours, _DATAGRAM_BYTES_MAX, 1)
        except OSError:
            return
        for handle in handles:
            self._accept(data, handle)

    def _accept(self, data: bytes, handle: int) -> None:
        try:
            connection = socket.socket(fileno=handle)
        except OSError:
            os.close(handle)
            return
        try:
            protocol = self._take(_decode(data))
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends with this connection
            events.bug("a connection from a neighbour", error)
            protocol = None
        if protocol is None:
            connection.close()
            return
        connection.setblocking(False)
        coming = self._loop.create_task(self._serve(connection, protocol))
        self._coming.add(coming)
        coming.add_done_callback(self._coming.discard)

    async def _serve(self, connection: socket.socket, protocol: Any) -> None:
        with suppress(OSError):  # it is gone already
            await self._loop.connect_accepted_socket(partial(Bridge, _Ready(protocol)), connection)


class _Ready:
    """A factory of the one protocol there is."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: IPv4Address) -> Any:  # noqa: N802 - Twisted's name
        return self._protocol
