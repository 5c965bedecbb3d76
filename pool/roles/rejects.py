"""Refused shares on their way to the API and into the log."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread

from pool import events
from pool.config import Config
from pool.ports import StoreUnavailable
from pool.roles.redis_link import open_redis
from pool.stats.rejects import RecentRejects

PUBLISH_SECONDS: Final = 2.0
LOG_SECONDS: Final = 60.0


class RejectReport:
    """Tells Redis every two seconds whose rejects changed, and the log once a minute how many there were. name: of the
    process. Redis may be away."""

    def __init__(self, config: Config, reactor: Any, name: str, rejects: RecentRejects) -> None:
        self._redis = open_redis(config)
        self._name = name
        self._rejects = rejects
        self._publishing = LoopingCall(self._publish)
        self._logging = LoopingCall(self._log)
        self._publishing.clock = self._logging.clock = reactor

    def start(self) -> None:
        self._publishing.start(PUBLISH_SECONDS, now=False)
        self._logging.start(LOG_SECONDS, now=False)

    def stop(self) -> None:
        for loop in (self._publishing, self._logging):
            if loop.running:
                loop.stop()

    def _publish(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._tell())

    async def _tell(self) -> None:
        changed, forgotten = self._rejects.changes()
        if not changed and not forgotten:
            return
        try:
            await deferToThread(self._redis.publish_rejects, self._name, changed, forgotten)
        except StoreUnavailable:
            self._rejects.again(changed, forgotten)  # the heartbeat says that Redis is away

    def _log(self) -> None:
        if (refused := self._rejects.summary()) is not None:
            workers = {login: dict(counts) for login, counts in refused.workers.items()}
            events.shares_refused(refused.shares, refused.workers_total, workers)
