"""Simulated machines over real sockets: each hashes, submits what it finds, and remembers what it was told."""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import threading
import time
from collections.abc import Collection, Sequence
from typing import Any

from msgspec import Struct

import native
from pool.miner import MinerSession, Work
from pool.scenario.two_regions import Endpoint

CONNECT_SECONDS = 2.0
RECONNECT_SECONDS = 0.5
TURN_SECONDS = 0.02
READ_BYTES = 65536
# A search ends after so many nonces, whatever it found; a share takes a sixtieth of that on average.
NONCES_AT_ONCE = 1 << 19


class Answered(Struct, frozen=True):
    """A share that the pool has answered. hash: of its header, wire order. reason: why it was refused, empty for
    `true`."""

    hash: bytes
    login: str
    endpoint: Endpoint
    time_ms: int
    reason: str


class MachineSession(MinerSession):
    """One connection of a machine, without a socket."""

    def __init__(self, login: str) -> None:
        super().__init__(login, "x")
        self._claims: dict[int, bytes] = {}
        self.answers: list[tuple[bytes, str]] = []
        self.sent_to: Endpoint | None = None

    @property
    def open_claims(self) -> int:
        """Shares without an answer."""
        return len(self._claims)

    def mine(self) -> None:
        """Find a share and submit it."""
        work = self.next_work()
        nonce = None if work is None else native.search(work.header, work.target, 0, NONCES_AT_ONCE)
        if work is not None and nonce is not None:
            self.submit(work, nonce)

    def submit(self, work: Work, nonce: int) -> None:
        self._claims[self._next_id] = native.sha256d(work.header[:76] + nonce.to_bytes(4, "little"))
        super().submit(work, nonce)

    def _told(self, method: str, params: list[Any]) -> None:
        if method == "client.reconnect":
            self.sent_to = Endpoint(str(params[0]), int(params[1]))
        super()._told(method, params)

    def _answered(self, method: str, message: dict[str, Any]) -> None:
        super()._answered(method, message)
        if method == "mining.submit":
            reason = "" if message.get("result") is True else self.rejected[-1]
            self.answers.append((self._claims.pop(message["id"]), reason))


class Machine:
    """A machine with the endpoint that it knows. is_deaf: it ignores client.reconnect."""

    def __init__(self, login: str, home: Endpoint, is_deaf: bool, connect_at: float) -> None:
        self.login = login
        self.at = home
        self.is_deaf = is_deaf
        self.connect_at = connect_at
        self.mine_at: float | None = None  # while it has no work
        self.times_told = 0
        self.socket: socket.socket | None = None
        self.session = MachineSession(login)


class Machines(threading.Thread):
    """All of them, in a thread of their own. shares_per_second: of all together. deaf: who ignores client.reconnect."""

    def __init__(
        self, home: Endpoint, logins: Sequence[str], deaf: Collection[str], shares_per_second: float, seed: int
    ) -> None:
        super().__init__(name="machines", daemon=True)
        self._chance = random.Random(seed)  # noqa: S311 - the same seed is to give the same machines
        self._pause_seconds = len(logins) / shares_per_second
        now = time.monotonic()
        self.all = [
            # Not all at one moment: a pool bans who knocks too often, and a fleet's power comes on by rack.
            Machine(login, home, login in deaf, now + number * 0.005)
            for number, login in enumerate(logins)
        ]
        self._selector = selectors.DefaultSelector()
        self._ending = threading.Event()
        self._mining = threading.Event()
        self._mining.set()
        self._answers: list[Answered] = []
        self.problem: BaseException | None = None

    def answers(self) -> list[Answered]:
        """Every share that was answered so far, in that order."""
        return list(self._answers)

    def ready(self) -> int:
        """How many can mine."""
        return sum(each.session.authorized for each in self.all)

    def hold(self) -> None:
        """No new shares from now on."""
        self._mining.clear()

    def unanswered(self) -> int:
        """Shares that are on their way."""
        return sum(each.session.open_claims for each in self.all)

    def stop(self) -> None:
        """Switch them off."""
        self._ending.set()
        self.join()

    def run(self) -> None:
        try:
            while not self._ending.is_set():
                self._turn()
        except BaseException as error:  # noqa: BLE001 - told by whoever waits for the machines
            self.problem = error
        finally:
            for each in self.all:
                self._lose(each)
            self._selector.close()

    def _turn(self) -> None:
        now = time.monotonic()
        for each in self.all:
            if each.socket is None:
                if now >= each.connect_at:
                    self._connect(each)
            elif each.session.authorized and self._mining.is_set():
                if each.mine_at is not None and now >= each.mine_at:
                    each.session.mine()
                    self._write(each)
                    each.mine_at = now + self._pause()
                elif each.mine_at is None:
                    each.mine_at = now + self._pause()
        for key, _ in self._selector.select(TURN_SECONDS):
            self._read(key.data)

    def _pause(self) -> float:
        """The time to the next share of a machine: as with hashes, it knows nothing of the last one."""
        return self._chance.expovariate(1 / self._pause_seconds)

    def _connect(self, each: Machine) -> None:
        try:
            each.socket = socket.create_connection((each.at.host, each.at.port), CONNECT_SECONDS)
        except OSError:
            each.connect_at = time.monotonic() + RECONNECT_SECONDS
            return
        each.socket.setblocking(False)
        each.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(each.socket, selectors.EVENT_READ, each)
        each.session = MachineSession(each.login)
        self._write(each)

    def _read(self, each: Machine) -> None:
        if each.socket is None:
            return
        try:
            data = each.socket.recv(READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self._lose(each)
            return
        session = each.session
        session.receive(data)
        now_ms = time.time_ns() // 1_000_000
        self._answers += [Answered(share, each.login, each.at, now_ms, reason) for share, reason in session.answers]
        session.answers.clear()
        if session.sent_to is not None:
            each.times_told += 1
            target, session.sent_to = session.sent_to, None
            if not each.is_deaf:
                each.at = target
                self._lose(each)
                return
        self._write(each)

    def _write(self, each: Machine) -> None:
        if each.socket is None:
            return
        try:
            each.socket.sendall(each.session.outgoing())
        except OSError:
            self._lose(each)

    def _lose(self, each: Machine) -> None:
        if each.socket is None:
            return
        with contextlib.suppress(KeyError):
            self._selector.unregister(each.socket)
        each.socket.close()
        each.socket = None
        each.session = MachineSession(each.login)
        each.mine_at = None
        each.connect_at = time.monotonic() + self._chance.uniform(0, RECONNECT_SECONDS)
