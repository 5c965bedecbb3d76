"""pool.roles.neighbours on real sockets: a connection goes from one process to the other. Both are on one loop here;
that two real ones do it is shown in tests/regtest/test_processes.py."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from twisted.internet.protocol import Protocol

from pool.roles.neighbours import Neighbours, Passed
from stratum.difficulty import DifficultyBounds
from tests.stratum.scene import logged

SECONDS_MAX = 20.0
BOUNDS = DifficultyBounds(64.0, 1.0, 4096.0)


class Echo(Protocol):
    """Says what it got before, then whatever comes."""

    transport: Any

    def __init__(self, early: bytes) -> None:
        self._early = early

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        self.transport.write(self._early)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        self.transport.write(data)


class GivenLink:
    """A connection that can be given away, if there is a handle. Satisfies as much of `Link` as is asked for."""

    remote_address = "203.0.113.7"
    bounds = BOUNDS

    def __init__(self, handle: int | None) -> None:
        self._handle = handle

    def spare_handle(self) -> int | None:
        return self._handle


class Two:
    """Ours is range 5, theirs 6, which takes whom it wants; and a connection to give away."""

    def __init__(self, folder: Path) -> None:
        loop = asyncio.get_running_loop()
        self.willing = True
        self.came: list[Passed] = []
        self.lost: list[Passed] = []
        self.ours = Neighbours(loop, folder, 5, take=self._take, lost=self.lost.append)
        self.theirs = Neighbours(loop, folder, 6, take=self._take, lost=self.lost.append)
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as door:
            self.miner = socket.create_connection(door.getsockname())
            self.pool_side, _ = door.accept()
        self.miner.setblocking(False)
        self.link: Any = GivenLink(self.pool_side.fileno())

    def give(self, to: int = 6) -> bool:
        given = self.ours.pass_on(self.link, bytes([to, 0, 0, 1]), b"early ")
        self.pool_side.close()
        return given

    async def heard(self, count: int) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.miner, count)

    def _take(self, passed: Passed) -> Echo | None:
        self.came.append(passed)
        return Echo(passed.early) if self.willing else None


def on_a_loop(test: Callable[[Two], Awaitable[None]], folder: Path) -> None:
    async def run() -> None:
        two = Two(folder)
        try:
            await asyncio.wait_for(test(two), SECONDS_MAX)
        finally:
            two.ours.stop()
            two.theirs.stop()
            two.miner.close()
            two.pool_side.close()
            await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def test_a_connection_goes_on_in_the_other_process_with_what_came_before(tmp_path: Path) -> None:
    async def test(two: Two) -> None:
        two.ours.start()
        two.theirs.start()
        assert two.give()
        assert await two.heard(100) == b"early "
        two.miner.send(b"more")
        assert await two.heard(100) == b"more"
        assert two.came == [Passed("203.0.113.7", BOUNDS, b"early ")]

    on_a_loop(test, tmp_path / "sessions")


def test_who_may_not_come_in_there_is_closed(tmp_path: Path) -> None:
    async def test(two: Two) -> None:
        two.ours.start()
        two.theirs.start()
        two.willing = False
        assert two.give()
        assert await two.heard(1) == b""

    on_a_loop(test, tmp_path / "sessions")


@pytest.mark.parametrize("to", [5, 7])
def test_nothing_is_given_to_ourselves_or_to_nobody(tmp_path: Path, to: int) -> None:
    async def test(two: Two) -> None:
        two.ours.start()
        assert not two.give(to)

    on_a_loop(test, tmp_path / "sessions")


def test_a_connection_that_cannot_be_taken_out_of_its_transport_stays(tmp_path: Path) -> None:
    async def test(two: Two) -> None:
        two.ours.start()
        two.theirs.start()
        two.link = GivenLink(None)
        assert not two.give()

    on_a_loop(test, tmp_path / "sessions")


def test_a_process_that_has_stopped_is_given_nothing(tmp_path: Path) -> None:
    async def test(two: Two) -> None:
        two.ours.start()
        two.theirs.start()
        two.theirs.stop()
        assert not two.give()

    on_a_loop(test, tmp_path / "sessions")


def test_before_it_has_started_nothing_is_given(tmp_path: Path) -> None:
    async def test(two: Two) -> None:
        assert not two.give()

    on_a_loop(test, tmp_path / "sessions")


def test_a_socket_that_a_killed_process_left_is_taken_over(tmp_path: Path) -> None:
    async def test(two: Two) -> None:
        (tmp_path / "sessions").mkdir()
        for name in ("5.sock", "6.sock"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left:
                left.bind(str(tmp_path / "sessions" / name))
        two.ours.start()
        two.theirs.start()
        assert two.give()
        assert await two.heard(100) == b"early "

    on_a_loop(test, tmp_path / "sessions")


@pytest.mark.parametrize("data", [b"", b"\x93", b"\x93\xa1a\x80\xc4\x01x", b"x" * 30_000])
def test_a_datagram_that_is_none_of_ours_ends_its_connection_and_no_more(tmp_path: Path, data: bytes) -> None:
    async def test(two: Two) -> None:
        two.theirs.start()
        with logged() as events, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
            handles = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, two.pool_side.fileno().to_bytes(4, "little"))]
            stranger.sendmsg([data], handles, 0, str(two.folder / "6.sock"))
            two.pool_side.close()
            assert await two.heard(1) == b""
        assert [event["event"] for event in events if "event" in event] == ["bug"]
        assert two.came == []

    on_a_loop(test, tmp_path / "sessions")
