"""The load: many miners over real sockets, in a thread of their own, that hash each share they send."""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import threading
import time

import native
from tests.chaos.memory import Memory
from tests.chaos.miner import Miner, Work

CONNECT_SECONDS = 2.0
RECONNECT_SECONDS = 0.3
TURN_SECONDS = 0.02
READ_BYTES = 65536
# Of one extranonce2 the hunter searches so many nonces at a time: a few hundredths of a second with SHA-NI.
SLICE_NONCES = 1 << 18


class Connection:
    """A miner and its socket, while it has one."""

    def __init__(self, miner: Miner) -> None:
        self.miner = miner
        self.socket: socket.socket | None = None
        self.connect_at = 0.0
        self.mine_at = 0.0


class Load(threading.Thread):
    """Miners at work. shares_per_second: of all together. hunted_hps: hashes per second in search of blocks, where a
    share seldom is one; 0 where every share is."""

    def __init__(
        self, port: int, logins: list[str], shares_per_second: float, hunted_hps: float, memory: Memory, seed: int
    ) -> None:
        super().__init__(name="miners")
        self._port = port
        self._chance = random.Random(seed)
        self._pause_seconds = len(logins) / shares_per_second
        self._hunted_hps = hunted_hps
        now = time.monotonic()
        self._connections = [Connection(Miner(login, memory, self._chance, now)) for login in logins]
        self._selector = selectors.DefaultSelector()
        self._ending = threading.Event()
        self._mining = threading.Event()
        self._mining.set()
        self._hunt: tuple[Connection, Work, int] | None = None
        self._hunt_at = 0.0
        self.problem: BaseException | None = None

    def hold(self) -> None:
        """No new shares until `go_on`."""
        self._mining.clear()

    def go_on(self) -> None:
        """Mine again."""
        self._mining.set()

    @property
    def size(self) -> int:
        """All miners."""
        return len(self._connections)

    @property
    def unanswered(self) -> int:
        """Shares that are on their way."""
        return sum(each.miner.unanswered for each in self._connections)

    @property
    def ready(self) -> int:
        """Miners that can mine."""
        return sum(each.miner.is_ready for each in self._connections)

    def stop(self) -> None:
        """End the miners and their thread."""
        self._ending.set()
        self.join()

    def run(self) -> None:
        try:
            while not self._ending.is_set():
                self._turn()
        except BaseException as error:  # noqa: BLE001
            self.problem = error  # told by who watches over the run
        finally:
            for each in self._connections:
                if each.socket is not None:
                    self._lose(each)
            self._selector.close()

    def _turn(self) -> None:
        now = time.monotonic()
        for each in self._connections:
            if each.socket is None:
                if now >= each.connect_at:
                    self._connect(each)
            elif self._mining.is_set() and now >= each.mine_at and each.miner.is_ready:
                each.mine_at = now + self._chance.expovariate(1 / self._pause_seconds)
                each.miner.mine()
                self._write(each)
        if self._hunted_hps and self._mining.is_set():
            self._hunt_a_block(now)
        for key, _ in self._selector.select(TURN_SECONDS):
            self._read(key.data)

    def _connect(self, each: Connection) -> None:
        try:
            each.socket = socket.create_connection(("127.0.0.1", self._port), CONNECT_SECONDS)
        except OSError:
            each.connect_at = time.monotonic() + RECONNECT_SECONDS
            return
        each.socket.setblocking(False)
        each.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(each.socket, selectors.EVENT_READ, each)
        each.miner.connected()
        self._write(each)

    def _read(self, each: Connection) -> None:
        assert each.socket is not None
        try:
            data = each.socket.recv(READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self._lose(each)
            return
        each.miner.receive(data, time.monotonic())
        self._write(each)

    def _write(self, each: Connection) -> None:
        assert each.socket is not None
        try:
            each.socket.sendall(each.miner.outgoing())
        except OSError:
            self._lose(each)

    def _lose(self, each: Connection) -> None:
        assert each.socket is not None
        now = time.monotonic()
        with contextlib.suppress(KeyError):
            self._selector.unregister(each.socket)
        each.socket.close()
        each.socket = None
        each.connect_at = now + self._chance.uniform(0, RECONNECT_SECONDS)
        each.miner.lost(now)

    def _hunt_a_block(self, now: float) -> None:
        """Search on, a slice at a time, in the work of one miner or another."""
        if now < self._hunt_at:
            return
        self._hunt_at = now + SLICE_NONCES / self._hunted_hps
        each, work, first = self._hunt or (None, None, 0)
        if each is None or work is None or not each.miner.is_working_on(work) or first + SLICE_NONCES > 1 << 32:
            each = self._chance.choice(self._connections)
            work, first = each.miner.work(), 0
            if work is None:
                return
        nonce = native.search(work.header, work.network_target, first, SLICE_NONCES)
        self._hunt = each, work, first + SLICE_NONCES
        if nonce is not None:
            self._hunt = None
            each.miner.submit(work, nonce)
            self._write(each)
