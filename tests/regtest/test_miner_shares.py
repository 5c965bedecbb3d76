"""`steppe miner --shares` beside a pool that takes its time: it gets as many shares as are wanted, and not one more."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from pool.miner import mine

# Every hash is a share.
DIFFICULTY = 1e-10
JOB = ["1f", "00" * 32, "01000000", "ffffffff", [], "20000000", "207fffff", "66554433", True]


class SlowPool:
    """One connection, of which the test says when it is answered."""

    def __init__(self, listener: socket.socket) -> None:
        self._socket, _ = listener.accept()
        self._unread = b""

    def close(self) -> None:
        self._socket.close()

    def hear(self, method: str) -> int:
        """The next request, which is of this kind; returns its id."""
        self._socket.settimeout(30)
        while b"\n" not in self._unread:
            data = self._socket.recv(4096)
            assert data, "the miner is gone"
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        request: dict[str, Any] = json.loads(line)
        assert request["method"] == method
        return int(request["id"])

    def say(self, **message: object) -> None:
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def greet(self) -> None:
        self.say(id=self.hear("mining.subscribe"), result=[[], "00000001", 8], error=None)
        self.say(id=self.hear("mining.authorize"), result=True, error=None)
        self.say(id=None, method="mining.set_difficulty", params=[DIFFICULTY])
        self.say(id=None, method="mining.notify", params=JOB)

    def hears_nothing(self) -> bool:
        """For a moment."""
        self._socket.settimeout(0.5)
        with suppress(TimeoutError):
            self._unread += self._socket.recv(4096)
        return not self._unread


@contextmanager
def mining(shares: int) -> Iterator[SlowPool]:
    """A miner that wants so many; at the end it has them and is gone."""
    given_up = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        thread = threading.Thread(
            target=mine,
            args=(*listener.getsockname(), "alice.cpu", "x"),
            kwargs={"rate_hps": None, "shares": shares, "say": lambda text: None, "stop": given_up.is_set},
            daemon=True,
        )
        thread.start()
        pool = SlowPool(listener)
        try:
            pool.greet()
            yield pool
            thread.join(30)
            assert not thread.is_alive()
        finally:
            given_up.set()
            pool.close()


@pytest.mark.parametrize("shares", [1, 3])
def test_shares_that_may_be_enough_are_waited_for(shares: int) -> None:
    with mining(shares) as pool:
        numbers = [pool.hear("mining.submit") for _ in range(shares)]
        assert pool.hears_nothing()
        for number in numbers:
            pool.say(id=number, result=True, error=None)


def test_for_one_that_is_refused_another_is_sent() -> None:
    with mining(1) as pool:
        pool.say(id=pool.hear("mining.submit"), result=None, error=[21, "stale", None])
        pool.say(id=pool.hear("mining.submit"), result=True, error=None)
