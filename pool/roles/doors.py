"""TCP doors of a role: opened at HOST:PORT of the configuration, closed together."""

from __future__ import annotations

import asyncio
from typing import Any

from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint
from twisted.internet.error import CannotListenError

from pool.roles.twisted_role import CannotStart
from stratum.endpoint import FastEndpoint


def host_and_port(listen: str) -> tuple[str, int]:
    """`0.0.0.0:3333` or `[::1]:3333` as host and port; the form was checked with the configuration."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


class Doors:
    """Listening ports. loop: for the fast endpoint; None for Twisted's own."""

    def __init__(self, reactor: Any, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._reactor = reactor
        self._loop = loop
        self._ports: list[Any] = []  # IListeningPort; zope's interfaces are no types

    async def open(self, listen: str, factory: Any) -> None:
        """Listen at HOST:PORT. Raises CannotStart."""
        try:
            self._ports.append(await self._endpoint(listen).listen(factory))
        except (OSError, CannotListenError) as error:
            reason = error.socketError if isinstance(error, CannotListenError) else error
            raise CannotStart(f"cannot listen at {listen}: {reason}; is another program there?") from error

    async def close(self) -> None:
        """Accept no more; connections stay."""
        while self._ports:
            await self._ports.pop().stopListening()

    def _endpoint(self, listen: str) -> Any:
        host, port = host_and_port(listen)
        if self._loop is not None:
            return FastEndpoint(self._loop, port, host)
        kind = TCP6ServerEndpoint if ":" in host else TCP4ServerEndpoint
        return kind(self._reactor, port, interface=host)
