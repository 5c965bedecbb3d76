"""A stratum process as one of its region: it carries out the orders of planned moves, and tells other regions what
difficulty each worker has, so that who moves need not begin anew. Redis may be away: orders stay as they were known for
a while, and difficulties are those of this region.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread

from pool import events
from pool.fleet.orders import RegionOrder
from pool.ports import Clock, StoreUnavailable
from pool.store.redis_moves import ORDERS_MS
from stratum.login import parse_login
from stratum.redirects import Redirect, Redirects
from stratum.remembered import REMEMBERED_MS, RememberedDifficulties

T = TypeVar("T")

TURN_SECONDS: Final = 1.0
SHARE_EVERY: Final = 5
"""Turns between two looks at the difficulties of other regions."""

_PRUNE_EVERY: Final = 3600


class RegionStore(Protocol):
    """What is used of `RedisMoves`. Every method blocks and raises StoreUnavailable."""

    def report_told(self, region: str, told: Mapping[str, tuple[int, int]]) -> None: ...
    def orders(self, region: str) -> tuple[RegionOrder, ...]: ...
    def publish_difficulties(self, region: str, entries: Mapping[str, tuple[float, int]]) -> None: ...
    def difficulties(self, region: str) -> Mapping[str, tuple[float, int]]: ...
    def difficulties_elsewhere(self, region: str) -> Mapping[str, tuple[float, int]]: ...
    def forget_difficulties(self, region: str, logins: Sequence[str]) -> None: ...


class InThread(Protocol):
    """Runs a function elsewhere: `twisted.internet.threads.deferToThread`."""

    def __call__(self, work: Callable[[], T], /) -> Deferred[T]: ...


class Region:
    """The loop of one process. region: its name."""

    def __init__(
        self,
        region: str,
        store: RegionStore,
        redirects: Redirects,
        remembered: RememberedDifficulties,
        reactor: Any,
        clock: Clock,
        in_thread: InThread = deferToThread,
    ) -> None:
        self._region = region
        self._store = store
        self._redirects = redirects
        self._remembered = remembered
        self._clock = clock
        self._in_thread = in_thread
        self._loop = LoopingCall(self._turn)
        self._loop.clock = reactor
        self._turns = 0
        self._published_ms = 0
        self._told: dict[str, tuple[int, int]] = {}
        self._heard = clock.monotonic()

    def start(self) -> None:
        """Look now, then every second."""
        self._loop.start(TURN_SECONDS)

    def stop(self) -> None:
        """No more orders."""
        if self._loop.running:
            self._loop.stop()

    def _turn(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._safe_turn())

    async def _safe_turn(self) -> None:
        try:
            await self.turn()
        except Exception as error:  # noqa: BLE001 - a bug: or the loop would end with it
            events.bug("region", error)

    async def turn(self) -> None:
        """One look."""
        self._told.update(self._redirects.take_told())
        told = dict(self._told)
        try:
            orders = await self._in_thread(lambda: self._exchange(told))
        except StoreUnavailable:  # the sign of life says so, once
            if (self._clock.monotonic() - self._heard) * 1000 > ORDERS_MS:
                self._redirects.stand(())
            return
        self._heard = self._clock.monotonic()
        self._told = {login: each for login, each in self._told.items() if told.get(login) != each}
        self._redirects.stand(Redirect(*_fields(order)) for order in orders)
        if self._turns % SHARE_EVERY == 0:
            await self._share_difficulties(prune=self._turns % _PRUNE_EVERY == 0)
        self._turns += 1

    def _exchange(self, told: dict[str, tuple[int, int]]) -> tuple[RegionOrder, ...]:
        self._store.report_told(self._region, told)
        return self._store.orders(self._region)

    async def _share_difficulties(self, *, prune: bool) -> None:
        now_ms = self._clock.time_ms()
        fresh = self._remembered.noted_since(self._published_ms)

        def exchange() -> dict[str, tuple[float, int]]:
            self._store.publish_difficulties(self._region, fresh)
            if prune:
                kept = self._store.difficulties(self._region).items()
                self._store.forget_difficulties(
                    self._region, [login for login, (_, seen_ms) in kept if now_ms - seen_ms >= REMEMBERED_MS]
                )
            found = self._store.difficulties_elsewhere(self._region)
            return {login: each for login, each in found.items() if each[0] > 0 and parse_login(login) is not None}

        try:
            elsewhere = await self._in_thread(exchange)
        except StoreUnavailable:
            return
        self._published_ms = now_ms
        self._remembered.learn_elsewhere(elsewhere, self._clock.time_ms())


def _fields(order: RegionOrder) -> tuple[str, str, int, int, int, int]:
    return order.login, order.host, order.port, order.wait_seconds, order.grace_seconds, order.asked_ms
