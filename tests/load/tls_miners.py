"""Miners that all come at once over TLS, in one process; beside the generator, which speaks in the clear.

    python -m tests.load.tls_miners PORT CONNECTIONS CERTIFICATE

Prints one line of JSON like the generator's in mode `connect`. A connection counts as refused if it ended before it
held a job; nobody tries twice.
"""

from __future__ import annotations

import asyncio
import json
import resource
import ssl
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

_HELLO = (
    b'{"id":1,"method":"mining.subscribe","params":[]}\n{"id":2,"method":"mining.authorize","params":["bench","x"]}\n'
)
_SECONDS_MAX = 120.0


class _Miner(asyncio.Protocol):
    """Logs in; `ready` fires with the time of its first job, or None if it was sent away."""

    def __init__(self, ready: asyncio.Future[float | None]) -> None:
        self._ready = ready
        self._seen = b""

    def connection_made(self, transport: Any) -> None:
        transport.write(_HELLO)

    def data_received(self, data: bytes) -> None:
        self._seen += data
        if not self._ready.done() and b'"mining.notify","params"' in self._seen:
            self._seen = b""
            self._ready.set_result(time.monotonic())

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ready.done():
            self._ready.set_result(None)


async def _connect(port: int, context: ssl.SSLContext) -> tuple[float | None, Any]:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[float | None] = loop.create_future()
    try:
        transport, _ = await loop.create_connection(
            lambda: _Miner(ready),
            "127.0.0.1",
            port,
            ssl=context,
            server_hostname="",
            ssl_handshake_timeout=_SECONDS_MAX,
        )
    except OSError as error:
        print(f"refused: {error}", file=sys.stderr)
        return None, None
    return await ready, transport


async def _run(port: int, connections: int, certificate: Path) -> None:
    context = ssl.create_default_context(cafile=str(certificate))
    context.check_hostname = False
    start = time.monotonic()
    found = await asyncio.wait_for(asyncio.gather(*[_connect(port, context) for _ in range(connections)]), _SECONDS_MAX)
    times_ms = sorted((at - start) * 1000 for at, _ in found if at is not None)
    report = {
        "connections": connections,
        "refused": connections - len(times_ms),
        "ready_p50_ms": round(times_ms[len(times_ms) // 2], 3),
        "ready_p99_ms": round(times_ms[len(times_ms) * 99 // 100], 3),
        "ready_last_ms": round(times_ms[-1], 3),
    }
    print(json.dumps(report), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    """See the module."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(_run(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))


if __name__ == "__main__":
    main()
