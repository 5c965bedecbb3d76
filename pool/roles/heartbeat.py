"""A role's sign of life in Redis: a small dict every second, gone when the role is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread

from pool import events
from pool.config import Config
from pool.ports import StoreUnavailable
from pool.roles.redis_link import open_redis

BEAT_SECONDS = 1.0
# A role whose last beat is older is taken for dead.
LIFE_SECONDS = 10


class Heartbeat:
    """Publishes what `status` returns under the role's name; Redis may be away."""

    def __init__(
        self, config: Config, reactor: Any, role: str, name: str, status: Callable[[], Mapping[str, object]]
    ) -> None:
        self._redis = open_redis(config)
        self._role = role
        self._name = name
        self._status = status
        self._loop = LoopingCall(self._beat)
        self._loop.clock = reactor
        self._down = False

    def start(self) -> None:
        """Beat now, then every second."""
        self._loop.start(BEAT_SECONDS)

    def stop(self) -> None:
        """No more beats; the last one fades."""
        if self._loop.running:
            self._loop.stop()

    def _beat(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._publish(dict(self._status())))

    async def _publish(self, data: dict[str, object]) -> None:
        try:
            await deferToThread(self._redis.publish_role, self._role, self._name, data, LIFE_SECONDS)
        except StoreUnavailable as error:
            if not self._down:
                self._down = True
                events.redis_unavailable(self._role, str(error))
        else:
            if self._down:
                self._down = False
                events.redis_ready(self._role)
