"""Strangers who keep a pool busy for nothing, in one process, until its standard input ends.

    python -m tests.load.strangers PORT SILENT SUBSCRIBED FLOODERS

silent: connections that never say anything; subscribed: those that subscribe and say nothing more; flooders: those that
authorize and send bad shares, every second one shares of a job that there is not, FLOOD_PER_SECOND each. Who is sent
away comes back at once. All come from the address of the good miners.

Says {"there": true} when all have come once, and at the end one line of what became of each kind; seconds are those
from the start of a connection, or of its flood, to its end. They are nice to the good miners' process, which measures.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from contextlib import suppress
from typing import Any, Final

import uvloop

FLOOD_PER_SECOND: Final = 5_000
UNDER_WAY_MAX: Final = 450
"""Shares of a flooder that have no answer yet: so it is known how many can come beyond a limit on those answered."""
_TICK_SECONDS: Final = 0.02
_AT_ONCE: Final = 200
_AGAIN_SECONDS: Final = 0.2
_NICE: Final = 15

_SUBSCRIBE: Final = b'{"id":1,"method":"mining.subscribe","params":[]}\n'
_AUTHORIZE: Final = b'{"id":2,"method":"mining.authorize","params":["bench.flood","x"]}\n'
# An extranonce2 of another length, which is bad, and a job that there is not, which is late: the cheapest to make.
_BAD_SHARE: Final = b'{"id":4,"method":"mining.submit","params":["bench.flood","%s","00","6553f100","00000000"]}\n'
_LATE_SHARE: Final = (
    b'{"id":4,"method":"mining.submit","params":["bench.flood","none","0000000000000000","6553f100","00000000"]}\n'
)


class Seen:
    """What became of the connections of one kind."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.came = 0
        self.refused = 0
        self.seconds: list[float] = []
        self.shares: list[int] = []

    def figures(self) -> dict[str, Any]:
        ended = sorted(self.seconds)
        found: dict[str, Any] = {"came": self.came, "sent_away": len(ended), "refused": self.refused}
        if ended:
            found |= {"seconds_p50": round(ended[len(ended) // 2], 2), "seconds_last": round(ended[-1], 2)}
        if self.shares:
            found |= {"shares_until_then_max": max(self.shares)}
        return found


class Stranger(asyncio.Protocol):
    """A connection. job: the id of the first one it got. lines: how many it got. gone: fires when it has ended."""

    def __init__(self, hello: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.job: asyncio.Future[bytes] = loop.create_future()
        self.gone: asyncio.Future[None] = loop.create_future()
        self.transport: Any = None
        self.lines = 0
        self._hello = hello
        self._seen = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        self.lines += data.count(b"\n")
        if self.job.done():
            return
        self._seen += data
        for line in self._seen.split(b"\n")[:-1]:
            message = json.loads(line)
            if message.get("method") == "mining.notify":
                self.job.set_result(message["params"][0].encode())
                return

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set_result(None)
        if not self.job.done():
            self.job.cancel()


class Crowd:
    """All strangers of a run."""

    def __init__(self, port: int, silent: int, subscribed: int, flooders: int) -> None:
        self._port = port
        self._doors = asyncio.Semaphore(_AT_ONCE)
        self.kinds = {"silent": Seen(silent), "subscribed": Seen(subscribed), "flooders": Seen(flooders)}

    def start(self) -> list[asyncio.Task[None]]:
        """Have them come; returns what is to be cancelled."""
        kinds = self.kinds
        coming = [
            *(self._stay(kinds["silent"], b"") for _ in range(kinds["silent"].wanted)),
            *(self._stay(kinds["subscribed"], _SUBSCRIBE) for _ in range(kinds["subscribed"].wanted)),
            *(self._flood(kinds["flooders"], number % 2 == 1) for number in range(kinds["flooders"].wanted)),
        ]
        return [asyncio.ensure_future(each) for each in coming]

    async def there(self) -> None:
        """Return when as many have come as there are."""
        while any(seen.came + seen.refused < seen.wanted for seen in self.kinds.values()):
            await asyncio.sleep(_TICK_SECONDS)

    async def _come(self, seen: Seen, hello: bytes) -> Stranger:
        """A connection, tried until there is one."""
        while True:
            async with self._doors:
                with suppress(OSError):
                    create = asyncio.get_running_loop().create_connection
                    _, stranger = await create(lambda: Stranger(hello), "127.0.0.1", self._port)
                    seen.came += 1
                    return stranger
            seen.refused += 1
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _stay(self, seen: Seen, hello: bytes) -> None:
        """Wait to be sent away, again and again."""
        while True:
            stranger = await self._come(seen, hello)
            start = time.monotonic()
            await stranger.gone
            seen.seconds.append(time.monotonic() - start)

    async def _flood(self, seen: Seen, late: bool) -> None:
        """Send shares until the connection is ended, again and again."""
        while True:
            stranger = await self._come(seen, _SUBSCRIBE + _AUTHORIZE)
            try:
                job = await stranger.job
            except asyncio.CancelledError:
                if not stranger.gone.done():
                    raise  # it is we who end
                seen.refused += 1  # banned
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            line = _LATE_SHARE if late else _BAD_SHARE % job
            start, sent, before = time.monotonic(), 0, stranger.lines
            while not stranger.gone.done():
                may_be_sent = stranger.lines - before + UNDER_WAY_MAX
                due = min(int((time.monotonic() - start) * FLOOD_PER_SECOND), may_be_sent) - sent
                stranger.transport.write(line * due)
                sent += due
                await asyncio.sleep(_TICK_SECONDS)
            seen.seconds.append(time.monotonic() - start)
            seen.shares.append(sent)


async def _run(port: int, silent: int, subscribed: int, flooders: int) -> None:
    crowd = Crowd(port, silent, subscribed, flooders)
    tasks = crowd.start()
    await crowd.there()
    print(json.dumps({"there": True}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for task in tasks:
        task.cancel()
    print(json.dumps({name: seen.figures() for name, seen in crowd.kinds.items() if seen.wanted}), flush=True)


def main() -> None:
    """See the module."""
    os.nice(_NICE)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    port, silent, subscribed, flooders = map(int, sys.argv[1:5])
    uvloop.run(_run(port, silent, subscribed, flooders))


if __name__ == "__main__":
    main()
