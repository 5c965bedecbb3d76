"""Miners that follow a redirect, but for some that are deaf to it; each remembers what it was told and where it was."""

from __future__ import annotations

import random
import time

from tests.chaos.load import Connection, Load
from tests.chaos.memory import Memory
from tests.chaos.miner import Miner
from tests.namespaces import enter

Endpoint = tuple[str, int]


class Wanderer(Miner):
    """A miner that hears client.reconnect."""

    sent_to: Endpoint | None = None
    times_told = 0

    def _told(self, method: str, params: list[object]) -> None:
        if method == "client.reconnect":
            host, port, _wait = params
            self.sent_to = str(host), int(str(port))
            self.times_told += 1
        else:
            super()._told(method, params)


class Wanderers(Load):
    """Many of them in one namespace. deaf: who ignores it."""

    def __init__(
        self,
        namespace: str,
        home: Endpoint,
        logins: list[str],
        deaf: set[str],
        shares_per_second: float,
        memory: Memory,
        seed: int,
    ) -> None:
        super().__init__(0, logins, shares_per_second, 0.0, memory, seed)
        self._namespace = namespace
        self._deaf = deaf
        self.miners: dict[str, Wanderer] = {}
        chance, now = random.Random(seed), time.monotonic()
        for each, login in zip(self.all, logins, strict=True):
            each.at = home
            each.miner = self.miners[login] = Wanderer(login, memory, chance, now)

    @property
    def at(self) -> dict[str, Endpoint]:
        """By login, where each mines."""
        return {each.miner.login: each.at for each in self.all}

    def run(self) -> None:
        enter(self._namespace)
        super().run()

    def hear(self, each: Connection, data: bytes) -> bool:
        super().hear(each, data)
        miner = self.miners[each.miner.login]
        if miner.sent_to is None or miner.login in self._deaf:
            return True
        each.at, miner.sent_to = miner.sent_to, None
        return False
