"""Miners without fresh work are let go, to their own backup pools, and taken in again when there is some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from pool import events
from pool.ports import Clock
from pool.work.job import Job
from stratum.limits import CloseReason
from stratum.server import StratumServer

LOOK_SECONDS = 1.0


class Release:
    """Watches how old the work is: by what each job says of the age of its template, and by our own clock since it
    came. So it does not matter whether the nodes are away from the work role or the work role from us, and no clock of
    another machine is trusted.

    seconds: how old it may get. abort: resets the connections that have no session yet.
    """

    def __init__(
        self, seconds: float, server: StratumServer, abort: Callable[[CloseReason], None], clock: Clock, reactor: Any
    ) -> None:
        self._seconds = seconds
        self._server = server
        self._abort = abort
        self._clock = clock
        # When a node gave the newest template; before the first one, since when there is none.
        self._given_at = clock.monotonic()
        self._looking = LoopingCall(self._look)
        self._looking.clock = reactor
        self.is_released = False

    @property
    def age_seconds(self) -> float:
        """Since a node gave the newest template."""
        return self._clock.monotonic() - self._given_at

    def start(self) -> None:
        """Begin to look."""
        self._looking.start(LOOK_SECONDS, now=False)

    def stop(self) -> None:
        """Leave the miners to whoever ends the process."""
        if self._looking.running:
            self._looking.stop()

    def take_job(self, job: Job) -> None:
        """A job has come, and was given to the server."""
        # An older job may come again, before the current one, when the work role comes back.
        self._given_at = max(self._given_at, self._clock.monotonic() - job.template_age_ms / 1000)
        if self.is_released and self.age_seconds < self._seconds:
            self.is_released = False
            self._server.warden.open(CloseReason.NO_WORK)
            self._server.draining.hurry()
            events.miners_welcome()

    def _look(self) -> None:
        if self.age_seconds < self._seconds:
            return
        if not self.is_released:
            self.is_released = True
            self._server.warden.shut(CloseReason.NO_WORK)
            events.miners_released(self._server.session_count, round(self.age_seconds))
        self._abort(CloseReason.NO_WORK)
        if self._server.session_count and not self._server.draining.is_under_way:
            # After a reset miners turn to their backup pools at once, after a mere close they wait (btcpool #322).
            Deferred.fromCoroutine(self._server.draining.begin(1, None, CloseReason.NO_WORK))
