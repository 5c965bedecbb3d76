"""The load: many miners over real sockets, in a thread of their own, that hash each share they send."""

from __future__ import annotations

import random
import socket
import time

import native
from pool.scenario.connections import Connections
from tests.chaos.memory import Memory
from tests.chaos.miner import Miner, Work

RECONNECT_SECONDS = 0.3
# Of one extranonce2 the hunter searches so many nonces at a time: a few hundredths of a second with SHA-NI.
SLICE_NONCES = 1 << 18


class Connection:
    """A miner and its socket, while it has one."""

    def __init__(self, miner: Miner, port: int) -> None:
        self.miner = miner
        self.at = "127.0.0.1", port
        self.socket: socket.socket | None = None
        self.connect_at = 0.0
        self.mine_at = 0.0

    def address(self) -> tuple[str, int]:
        """Where to connect."""
        return self.at

    def opened(self) -> None:
        """It is connected."""
        self.miner.connected()

    def closed(self, now: float) -> None:
        """It is so no more."""
        self.miner.lost(now)

    def outgoing(self) -> bytes:
        """The bytes to write, once."""
        return self.miner.outgoing()


class Load(Connections[Connection]):
    """Miners at work. shares_per_second: of all together. hunted_hps: hashes per second in search of blocks, where a
    share seldom is one; 0 where every share is."""

    def __init__(
        self, port: int, logins: list[str], shares_per_second: float, hunted_hps: float, memory: Memory, seed: int
    ) -> None:
        chance, now = random.Random(seed), time.monotonic()
        every = [Connection(Miner(login, memory, chance, now), port) for login in logins]
        super().__init__("miners", every, RECONNECT_SECONDS, chance)
        self._pause_seconds = len(logins) / shares_per_second
        self._hunted_hps = hunted_hps
        self._hunt: tuple[Connection, Work, int] | None = None
        self._hunt_at = 0.0

    @property
    def size(self) -> int:
        """All miners."""
        return len(self.all)

    @property
    def unanswered(self) -> int:
        """Shares that are on their way."""
        return sum(each.miner.unanswered for each in self.all)

    @property
    def ready(self) -> int:
        """Miners that can mine."""
        return sum(each.miner.is_ready for each in self.all)

    def act(self, each: Connection, now: float) -> None:
        if self.is_mining and now >= each.mine_at and each.miner.is_ready:
            each.mine_at = now + self._chance.expovariate(1 / self._pause_seconds)
            each.miner.mine()
            self.write(each)

    def hear(self, each: Connection, data: bytes) -> bool:
        each.miner.receive(data, time.monotonic())
        return True

    def after_turn(self, now: float) -> None:
        """Search for a block on, a slice at a time, in the work of one miner or another."""
        if not self._hunted_hps or not self.is_mining or now < self._hunt_at:
            return
        self._hunt_at = now + SLICE_NONCES / self._hunted_hps
        each, work, first = self._hunt or (None, None, 0)
        if each is None or work is None or not each.miner.is_working_on(work) or first + SLICE_NONCES > 1 << 32:
            each = self._chance.choice(self.all)
            work, first = each.miner.work(), 0
            if work is None:
                return
        nonce = native.search(work.header, work.network_target, first, SLICE_NONCES)
        self._hunt = each, work, first + SLICE_NONCES
        if nonce is not None:
            self._hunt = None
            each.miner.submit(work, nonce)
            self.write(each)
