"""Simulated machines over real sockets: each hashes, submits what it finds, and remembers what it was told."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Collection, Sequence
from typing import Any

from msgspec import Struct

import native
from pool.bitcoin.target import TARGET_MAX
from pool.miner import MinerSession, Work
from pool.scenario.connections import Connections
from pool.scenario.two_regions import Endpoint

RECONNECT_SECONDS = 0.5
# Not all at one moment: a fleet's power comes on by rack.
APART_SECONDS = 0.005
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
    """One connection of a machine, without a socket. chip_target: of the hashes that its chips report, as the ticket
    mask of real ones has it, however easy the pool's target is."""

    def __init__(self, login: str, chip_target: int = TARGET_MAX) -> None:
        super().__init__(login, "x")
        self._chip_target = chip_target
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
        if work is None:
            return
        target = min(int.from_bytes(work.target, "little"), self._chip_target).to_bytes(32, "little")
        nonce = native.search(work.header, target, 0, NONCES_AT_ONCE)
        if nonce is not None:
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
    """A machine with the endpoint that it knows. is_deaf: it ignores client.reconnect. mine_at: when its next share is
    due, None while it has no work."""

    def __init__(self, login: str, home: Endpoint, is_deaf: bool, connect_at: float, chip_target: int) -> None:
        self.login = login
        self._chip_target = chip_target
        self.at = home
        self.is_deaf = is_deaf
        self.connect_at = connect_at
        self.mine_at: float | None = None
        self.times_told = 0
        self.socket: socket.socket | None = None
        self.session = MachineSession(login, chip_target)

    def address(self) -> tuple[str, int]:
        """Where to connect."""
        return self.at.host, self.at.port

    def opened(self) -> None:
        """It is connected."""

    def closed(self, now: float) -> None:
        """It is so no more, and begins anew."""
        self.session = MachineSession(self.login, self._chip_target)
        self.mine_at = None

    def outgoing(self) -> bytes:
        """The bytes to write, once."""
        return self.session.outgoing()


class Machines(Connections[Machine]):
    """All of them.

    deaf: who ignores client.reconnect. share_seconds: the mean time between two shares of one. first_seconds: that to
    the first share on a connection of one that was sent elsewhere, and to another one after one that was refused; None
    if these come as any other. chip_target: of the hashes that they report.
    """

    def __init__(
        self,
        home: Endpoint,
        logins: Sequence[str],
        deaf: Collection[str],
        share_seconds: float,
        seed: int,
        *,
        first_seconds: float | None = None,
        chip_target: int = TARGET_MAX,
    ) -> None:
        chance = random.Random(seed)  # noqa: S311 - the same seed is to give the same machines
        now = time.monotonic()
        every = [
            Machine(login, home, login in deaf, now + number * APART_SECONDS, chip_target)
            for number, login in enumerate(logins)
        ]
        super().__init__("machines", every, RECONNECT_SECONDS, chance)
        self._share_seconds = share_seconds
        self._first_seconds = share_seconds if first_seconds is None else first_seconds
        self._retries = first_seconds is not None
        self._answers: list[Answered] = []

    def answers(self) -> list[Answered]:
        """Every share that was answered so far, in that order."""
        return list(self._answers)

    def ready(self) -> int:
        """How many can mine."""
        return sum(each.session.authorized for each in self.all)

    def unanswered(self) -> int:
        """Shares that are on their way."""
        return sum(each.session.open_claims for each in self.all)

    def act(self, each: Machine, now: float) -> None:
        if not (each.session.authorized and self.is_mining):
            return
        if each.mine_at is None:
            each.mine_at = now + self._pause(self._first_seconds if each.times_told else self._share_seconds)
        if now >= each.mine_at:
            each.session.mine()
            self.write(each)
            each.mine_at = now + self._pause(self._share_seconds)

    def hear(self, each: Machine, data: bytes) -> bool:
        session = each.session
        session.receive(data)
        now_ms = time.time_ns() // 1_000_000
        if self._retries and any(reason for _, reason in session.answers):
            each.mine_at = time.monotonic() + self._pause(self._first_seconds)
        self._answers += [Answered(share, each.login, each.at, now_ms, reason) for share, reason in session.answers]
        session.answers.clear()
        if session.sent_to is None:
            return True
        each.times_told += 1
        target, session.sent_to = session.sent_to, None
        if each.is_deaf:
            return True
        each.at = target
        return False

    def _pause(self, mean_seconds: float) -> float:
        """The time to the next share of a machine: as with hashes, it knows nothing of the last one."""
        return self._chance.expovariate(1 / mean_seconds) if mean_seconds else 0.0
