"""The whole front door on real sockets, over both endpoints: what serves is the pool of the unit tests.

The reactor runs in a process of its own, since it can be installed once only; it says its port, and what it knows of
its sessions on request.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

SECONDS_MAX = 30.0


class Options(Struct, frozen=True):
    """What to serve. listen: HOST:PORT each, port 0 for any. endpoint: fast or twisted. tls: files of a certificate
    and its key."""

    listen: tuple[str, ...] = ("127.0.0.1:0",)
    endpoint: str = "fast"
    proxy_from: tuple[str, ...] = ()
    tls: tuple[str, str] | None = None


class Door:
    """The process, from outside."""

    def __init__(self, process: subprocess.Popen[bytes], ports: list[int]) -> None:
        self._process = process
        self.ports = ports

    def ask(self, command: str) -> Any:
        """Send it a line, read one back."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command.encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def connect(self, host: str = "127.0.0.1", which: int = 0) -> socket.socket:
        return socket.create_connection((host, self.ports[which]), timeout=SECONDS_MAX)


@contextmanager
def opened(options: Options) -> Iterator[Door]:
    """A door, until the end of the block."""
    import msgspec

    process = subprocess.Popen(
        [sys.executable, "-m", "tests.transport.doors", msgspec.json.encode(options).decode()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Door(process, json.loads(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(SECONDS_MAX)


def line(connection: socket.socket) -> dict[str, Any]:
    """The next message; fails at the end of the connection."""
    data = b""
    while not data.endswith(b"\n"):
        byte = connection.recv(1)
        assert byte, f"the connection ended after {data!r}"
        data += byte
    message: dict[str, Any] = json.loads(data)
    return message


def has_ipv6() -> bool:
    """Whether this kernel lets us listen at ::1."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this kernel has no IPv6")


def serve(options: Options) -> None:
    """In the process: open the doors, say the ports, answer questions until the input ends."""
    import uvloop
    from twisted.internet import asyncioreactor

    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)
    from twisted.internet import reactor as installed
    from twisted.internet.defer import Deferred
    from twisted.internet.task import LoopingCall

    from pool.roles.certificate import Certificate
    from pool.roles.doors import Doors
    from stratum.front import FrontFactory
    from stratum.protocol import StratumFactory
    from stratum.sources import Sources
    from tests.stratum.scene import pool_with_job

    reactor: Any = installed
    pool = pool_with_job()
    certificate = None if options.tls is None else Certificate(Path(options.tls[0]), Path(options.tls[1]), pool.clock)
    front = FrontFactory(
        StratumFactory(pool.server),
        reactor,
        proxies=Sources(options.proxy_from),
        warden=pool.server.warden,
        tls=lambda: None if certificate is None else certificate.context,
        turned_away=pool.server.turned_away,
    )
    doors = Doors(reactor, loop if options.endpoint == "fast" else None)

    pool.server.start()
    seconds: Any = LoopingCall(pool.pass_seconds, 1)  # its clock is a fake one
    seconds.clock = reactor

    async def begin() -> None:
        seconds.start(1.0, now=False)
        for listen in options.listen:
            await doors.open(listen, front)
        print(json.dumps(doors.ports), flush=True)

    def answer() -> None:
        command = sys.stdin.readline().strip()
        if command == "addresses":
            print(json.dumps([each.remote_address for each in pool.server.presence()]), flush=True)
        elif command == "reload":
            assert certificate is not None
            certificate.reload()
            print("true", flush=True)
        elif command == "counters":
            print(json.dumps(pool.server.counters), flush=True)
        else:
            loop.remove_reader(sys.stdin)  # or its end would come again
            reactor.stop()

    loop.add_reader(sys.stdin, answer)
    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(begin()))
    reactor.run()


if __name__ == "__main__":
    import msgspec

    serve(msgspec.json.decode(sys.argv[1], type=Options))
