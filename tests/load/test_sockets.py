"""The fast endpoint on a real uvloop loop and real sockets; what it serves is the pool of the unit tests."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvloop
from twisted.internet.defer import Deferred

from stratum.endpoint import FastEndpoint, FastTransport
from stratum.front import FrontFactory
from stratum.protocol import StratumFactory, StratumProtocol
from stratum.sources import Sources
from tests.stratum.scene import AUTHORIZE, SUBSCRIBE, Pool, make_job, pool_with_job, submit

SECONDS_MAX = 20.0


def on_a_loop(test: Callable[[Pool, int], Awaitable[None]], interface: str = "127.0.0.1") -> None:
    """Run a test beside a listening pool; it is given the pool and its port."""

    async def run() -> None:
        pool = pool_with_job()
        loop = asyncio.get_running_loop()
        port = await FastEndpoint(loop, 0, interface).listen(StratumFactory(pool.server)).asFuture(loop)
        try:
            await asyncio.wait_for(test(pool, port.getHost().port), SECONDS_MAX)
        finally:
            Deferred.fromCoroutine(pool.server.stop())
            await port.stopListening().asFuture(loop)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


async def ready(port: int, host: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A miner that was sent its first job."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(SUBSCRIBE + AUTHORIZE)
    while b'"method":"mining.notify"' not in (line := await reader.readline()):
        assert line
    return reader, writer


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_share_is_answered(host: str) -> None:
    async def test(pool: Pool, port: int) -> None:
        reader, writer = await ready(port, host)
        writer.write(submit())
        while not pool.share_log.open:
            await asyncio.sleep(0)
        pool.turn()
        assert json.loads(await reader.readline()) == {"id": 4, "result": True, "error": None}
        writer.close()

    on_a_loop(test, host)


def test_small_writes_are_not_held_back_and_dead_peers_are_found() -> None:
    async def run() -> None:
        pool, loop = pool_with_job(), asyncio.get_running_loop()
        made: list[StratumProtocol] = []

        class Watched(StratumFactory):
            def buildProtocol(self, addr: Any) -> StratumProtocol:  # noqa: N802 - Twisted's name
                made.append(super().buildProtocol(addr))
                return made[0]

        front = FrontFactory(
            Watched(pool.server),
            pool.reactor,
            proxies=Sources([]),
            warden=pool.server.warden,
            tls=lambda: None,
            turned_away=lambda reason: None,
        )
        port = await FastEndpoint(loop, 0, "127.0.0.1").listen(front).asFuture(loop)
        _, writer = await ready(port.getHost().port)
        transport = made[0].transport
        found = transport.getTcpNoDelay(), transport.getTcpKeepAlive()
        writer.close()
        await pool.server.stop()
        await port.stopListening().asFuture(loop)
        assert found == (True, True)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(run(), SECONDS_MAX))


def test_who_leaves_is_noticed() -> None:
    async def test(pool: Pool, port: int) -> None:
        _, writer = await ready(port)
        writer.close()
        while pool.server.sessions:
            await asyncio.sleep(0)

    on_a_loop(test)


def test_a_session_that_is_gone_leaves_nothing_to_the_garbage_collector() -> None:
    async def test(pool: Pool, port: int) -> None:
        def sessions() -> int:
            return sum(isinstance(each, StratumProtocol | FastTransport) for each in gc.get_objects())

        gc.collect()
        gc.disable()
        try:
            before = sessions()
            _, writer = await ready(port)
            writer.close()
            while pool.server.sessions:
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert sessions() == before
        finally:
            gc.enable()

    on_a_loop(test)


def test_who_does_not_read_is_reset_and_delays_nobody() -> None:
    async def test(pool: Pool, port: int) -> None:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", port))
        deaf.sendall(SUBSCRIBE + AUTHORIZE)
        reader, writer = await ready(port)
        job = 0
        while "closed_slow_reader" not in pool.server.counters:
            job += 1
            pool.server.take_job(make_job(f"c{job}", branch=(b"\x11" * 32,) * 16))
            assert b"mining.notify" in await reader.readline()
        while len(pool.server.sessions) > 1:
            await asyncio.sleep(0)
        deaf.close()
        writer.close()

    on_a_loop(test)


def test_a_stop_resets_so_that_miners_return_at_once() -> None:
    async def test(pool: Pool, port: int) -> None:
        reader, writer = await ready(port)
        Deferred.fromCoroutine(pool.server.stop())
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()

    on_a_loop(test)
