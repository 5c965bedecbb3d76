"""Many connections over real sockets in one thread: who has none connects, who has one acts in its turn and hears what
comes. What they are and say is a subclass's own.
"""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

CONNECT_SECONDS = 2.0
TURN_SECONDS = 0.02
READ_BYTES = 65536


class Connection(Protocol):
    """One of them. socket: while it is connected; connect_at: else when to try, monotonic."""

    socket: socket.socket | None
    connect_at: float

    def address(self) -> tuple[str, int]:
        """Where to connect."""

    def opened(self) -> None:
        """It is connected."""

    def closed(self, now: float) -> None:
        """It is so no more."""

    def outgoing(self) -> bytes:
        """The bytes to write, once."""


C = TypeVar("C", bound=Connection)


class Connections(threading.Thread, ABC, Generic[C]):
    """The loop. all: every one; reconnect_seconds: how long one waits before it tries again, at most."""

    def __init__(self, name: str, every: Sequence[C], reconnect_seconds: float, chance: random.Random) -> None:
        super().__init__(name=name, daemon=True)
        self.all = every
        self._reconnect_seconds = reconnect_seconds
        self._chance = chance
        self._selector = selectors.DefaultSelector()
        self._ending = threading.Event()
        self._mining = threading.Event()
        self._mining.set()
        self.problem: BaseException | None = None

    @property
    def is_mining(self) -> bool:
        """Whether new shares are sent."""
        return self._mining.is_set()

    def hold(self) -> None:
        """No new shares until `go_on`."""
        self._mining.clear()

    def go_on(self) -> None:
        """Mine again."""
        self._mining.set()

    def stop(self) -> None:
        """Switch them off, and end the thread."""
        self._ending.set()
        self.join()

    @abstractmethod
    def act(self, each: C, now: float) -> None:
        """What one that is connected does in a turn."""

    @abstractmethod
    def hear(self, each: C, data: bytes) -> bool:
        """What one does with bytes that came. Returns whether it stays connected."""

    def after_turn(self, now: float) -> None:
        """What all do together in a turn."""

    def run(self) -> None:
        try:
            while not self._ending.is_set():
                self._turn()
        except BaseException as error:  # noqa: BLE001 - told by whoever waits for them
            self.problem = error
        finally:
            for each in self.all:
                self.lose(each)
            self._selector.close()

    def write(self, each: C) -> None:
        """Write what one has to say."""
        if each.socket is None:
            return
        try:
            each.socket.sendall(each.outgoing())
        except OSError:
            self.lose(each)

    def lose(self, each: C) -> None:
        """Close its socket, if it has one. It comes again."""
        if each.socket is None:
            return
        with contextlib.suppress(KeyError):
            self._selector.unregister(each.socket)
        each.socket.close()
        each.socket = None
        now = time.monotonic()
        each.connect_at = now + self._chance.uniform(0, self._reconnect_seconds)
        each.closed(now)

    def _turn(self) -> None:
        now = time.monotonic()
        for each in self.all:
            if each.socket is not None:
                self.act(each, now)
            elif now >= each.connect_at:
                self._connect(each)
        self.after_turn(now)
        for key, _ in self._selector.select(TURN_SECONDS):
            self._read(key.data)

    def _connect(self, each: C) -> None:
        try:
            each.socket = socket.create_connection(each.address(), CONNECT_SECONDS)
        except OSError:
            each.connect_at = time.monotonic() + self._reconnect_seconds
            return
        each.socket.setblocking(False)
        each.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(each.socket, selectors.EVENT_READ, each)
        each.opened()
        self.write(each)

    def _read(self, each: C) -> None:
        if each.socket is None:
            return
        try:
            data = each.socket.recv(READ_BYTES)
        except OSError:
            data = b""
        if data and self.hear(each, data):
            self.write(each)
        else:
            self.lose(each)
