"""Miners that follow a redirect, but for some that are deaf to it; each remembers what it was told and where it was."""

from __future__ import annotations

import random
import selectors
import socket
import time

from tests.chaos.load import CONNECT_SECONDS, RECONNECT_SECONDS, Connection, Load
from tests.chaos.memory import Memory
from tests.chaos.miner import Miner
from tests.regtest.wan import enter

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
        self.at: dict[str, Endpoint] = dict.fromkeys(logins, home)
        chance, now = random.Random(seed), time.monotonic()
        for each, login in zip(self._connections, logins, strict=True):
            each.miner = self.miners[login] = Wanderer(login, memory, chance, now)

    def run(self) -> None:
        enter(self._namespace)
        super().run()

    def _connect(self, each: Connection) -> None:
        try:
            each.socket = socket.create_connection(self.at[each.miner.login], CONNECT_SECONDS)
        except OSError:
            each.connect_at = time.monotonic() + RECONNECT_SECONDS
            return
        each.socket.setblocking(False)
        each.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(each.socket, selectors.EVENT_READ, each)
        each.miner.connected()
        self._write(each)

    def _read(self, each: Connection) -> None:
        super()._read(each)
        miner = self.miners[each.miner.login]
        if miner.sent_to is not None and miner.login not in self._deaf:
            self.at[miner.login], miner.sent_to = miner.sent_to, None
            if each.socket is not None:
                self._lose(each)
