"""TCP doors of a role: opened at HOST:PORT of the configuration, closed together."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing
from typing import Any

from twisted.internet.error import CannotListenError

from pool.roles.twisted_role import CannotStart
from stratum.endpoint import BACKLOG, FastEndpoint


def host_and_port(listen: str) -> tuple[str, int]:
    """`0.0.0.0:3333` or `[::1]:3333` as host and port; the form was checked with the configuration."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


class Doors:
    """Listening ports.

    loop: for the fast endpoint; None for Twisted's own. shared: other processes of ours may listen there too.
    """

    def __init__(self, reactor: Any, loop: asyncio.AbstractEventLoop | None = None, *, shared: bool = False) -> None:
        self._reactor = reactor
        self._loop = loop
        self._shared = shared
        self._ports: list[Any] = []  # IListeningPort; zope's interfaces are no types

    @property
    def ports(self) -> list[int]:
        """The TCP ports that are open, in the order of opening."""
        return [port.getHost().port for port in self._ports]

    async def open(self, listen: str, factory: Any) -> None:
        """Listen at HOST:PORT. Raises CannotStart."""
        host, port = host_and_port(listen)
        try:
            if self._loop is not None:
                endpoint = FastEndpoint(self._loop, port, host, shared=self._shared)
                self._ports.append(await endpoint.listen(factory))
            else:
                self._ports.append(self._listen_twisted(host, port, factory))
        except (OSError, CannotListenError) as error:
            reason = error.socketError if isinstance(error, CannotListenError) else error
            raise CannotStart(f"cannot listen at {listen}: {reason}; is another program there?") from error

    async def close(self) -> None:
        """Accept no more; connections stay."""
        while self._ports:
            await self._ports.pop().stopListening()

    def _listen_twisted(self, host: str, port: int, factory: Any) -> Any:
        """On a socket of ours: Twisted's own would take IPv4 too when it is given [::], and knows no sharing."""
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with closing(socket.socket(family, kind, protocol)) as bound:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if self._shared:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            bound.setblocking(False)
            bound.bind(address)
            bound.listen(BACKLOG)
            return self._reactor.adoptStreamPort(bound.fileno(), family, factory)  # which has a copy of it
