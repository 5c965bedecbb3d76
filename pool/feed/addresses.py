"""Where the feed is: `unix:PATH` on one machine, `tcp:HOST:PORT` between several."""

from __future__ import annotations

import errno
import re
import socket
from pathlib import Path
from typing import Any

from twisted.internet import endpoints

# Source: Linux, unix(7): sun_path has 108 bytes, one of them for the end.
UNIX_PATH_BYTES_MAX = 107

_TCP = re.compile(r"tcp:(?:\[([0-9a-fA-F:]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})\Z")

# Twisted does not type their constructors.
_unix_server: Any = endpoints.UNIXServerEndpoint
_unix_client: Any = endpoints.UNIXClientEndpoint
_tcp4_server: Any = endpoints.TCP4ServerEndpoint
_tcp6_server: Any = endpoints.TCP6ServerEndpoint

# Whoever opens the socket can hand in blocks and read jobs: the pool's user alone.
_OWNER_ONLY = 0o600


def server_endpoint(reactor: Any, address: str) -> Any:
    """Where the work role listens, an IStreamServerEndpoint.

    Raises ValueError for what is no address, OSError if another process listens there.
    """
    if (path := _unix_path(address)) is not None:
        _remove_dead_socket(path)
        return _unix_server(reactor, str(path), mode=_OWNER_ONLY)
    host, port = _host_and_port(address)
    tcp_server = _tcp6_server if ":" in host else _tcp4_server
    return tcp_server(reactor, port, interface=host)


def client_endpoint(reactor: Any, address: str) -> Any:
    """Where a stratum role finds it, an IStreamClientEndpoint. Raises ValueError for what is no address."""
    if (path := _unix_path(address)) is not None:
        return _unix_client(reactor, str(path))
    return endpoints.HostnameEndpoint(reactor, *_host_and_port(address))


def _unix_path(address: str) -> Path | None:
    if not address.startswith("unix:"):
        return None
    path = address.removeprefix("unix:")
    if not 0 < len(path.encode()) <= UNIX_PATH_BYTES_MAX:
        raise ValueError(f"the path of a socket has 1 to {UNIX_PATH_BYTES_MAX} bytes: {path!r}")
    return Path(path)


def _host_and_port(address: str) -> tuple[str, int]:
    match = _TCP.match(address)
    if match is None or not 0 < int(match[3]) < 65536:
        raise ValueError(f"a feed is at unix:PATH, tcp:HOST:PORT or tcp:[IPV6]:PORT, not at {address!r}")
    return match[1] or match[2], int(match[3])


def _remove_dead_socket(path: Path) -> None:
    """What a killed process left would keep us from listening. A lock with its process id would not do: in a container
    the next process has the same id."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
    raise OSError(errno.EADDRINUSE, "another work role of this pool is running: it listens", str(path))
