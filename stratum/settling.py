"""Judged shares on their way through the journal to their answers.

The shares of one turn of the reactor are committed as one group, and answered in the order in which they came.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pool import events as log
from pool.ports import ShareLog
from pool.work.job import Job
from pool.work.share import Share
from stratum.limits import UNSETTLED_SHARES_MAX
from stratum.ports import Link, Timers

# With the id to answer, and the number of its record if the commit succeeds; without a link nobody waits for an answer.
# A plain tuple: one is made a share.
Unsettled = tuple[Link | None, bytes | None, Share, int]


class Settling:
    """Commits what was appended and has its shares answered, until nothing new has come meanwhile.

    answer: the journal has these shares. lose: it has not, for the reason given, and may not have them later; no miner
    may be told `true`. Neither raises.
    """

    def __init__(
        self,
        share_log: ShareLog,
        timers: Timers,
        *,
        answer: Callable[[list[Unsettled]], None],
        lose: Callable[[list[Unsettled], Exception], None],
    ) -> None:
        self._share_log = share_log
        self._timers = timers
        self._answer = answer
        self._lose = lose
        # Shares whose records the journal may not have yet, in the order of their replies.
        self._unsettled: list[Unsettled] = []
        # Jobs whose record went with them, and jobs whose record was refused and has to come before their next share.
        self._recording: list[Job] = []
        self._unrecorded: set[str] = set()
        self._paused: list[Link] = []
        self._running = False
        self._done: Deferred[None] | None = None

    def take_job(self, job: Job) -> None:
        """Record a job; it stands before its first share."""
        self._unrecorded.discard(job.job_id)
        self._recording.append(job)
        self._share_log.append(job)
        self._soon()

    def take_share(self, link: Link | None, request_id: bytes | None, share: Share, job: Job | None) -> None:
        """Record a share and have it answered. job: the one it is for, if known."""
        if job is not None and job.job_id in self._unrecorded:
            self.take_job(job)
        self._unsettled.append((link, request_id, share, self._share_log.append(share)))
        self._soon()

    def relieve(self, link: Link) -> None:
        """Read nothing more from a connection for now, if too many shares wait."""
        if len(self._unsettled) > UNSETTLED_SHARES_MAX:
            link.pause()
            self._paused.append(link)

    async def finish(self) -> None:
        """Returns when everything is settled; nothing may be taken any more."""
        if self._running:
            self._done = Deferred()
            await self._done

    async def pause(self, seconds: float) -> None:
        """Give the journal time."""
        over: Deferred[None] = Deferred()
        self._timers.callLater(seconds, over.callback, None)
        await over

    def _soon(self) -> None:
        if not self._running:
            self._running = True
            self._timers.soon(self._settle)

    def _settle(self) -> None:
        try:
            while self._unsettled or self._recording:
                later = self._settle_group()
                if later is not None:
                    Deferred.fromCoroutine(later).addErrback(_log_bug).addCallback(lambda _: self._settle())
                    return
        except Exception as error:  # noqa: BLE001 - the next share starts anew
            log.bug("stratum replies", error)
        self._running = False
        if self._done is not None:
            done, self._done = self._done, None
            done.callback(None)

    def _settle_group(self) -> Coroutine[Any, Any, None] | None:
        """Commit and answer what is there. Where the journal waits for its disk, what does so and answers then."""
        shares, self._unsettled = self._unsettled, []
        jobs, self._recording = self._recording, []
        try:
            on_disk = self._share_log.commit()
        except Exception as error:  # noqa: BLE001 - whatever it is, no miner may be told `true`
            self._refused(shares, jobs, error)
            return None
        if on_disk is not None:
            return self._wait_for(on_disk, shares, jobs)
        self._recorded(shares)
        return None

    async def _wait_for(self, on_disk: Awaitable[None], shares: list[Unsettled], jobs: list[Job]) -> None:
        try:
            await on_disk
        except Exception as error:  # noqa: BLE001 - the same
            self._refused(shares, jobs, error)
        else:
            self._recorded(shares)

    def _recorded(self, shares: list[Unsettled]) -> None:
        self._answer(shares)
        self._resume()

    def _refused(self, shares: list[Unsettled], jobs: list[Job], error: Exception) -> None:
        self._unrecorded.update(job.job_id for job in jobs)
        self._lose(shares, error)
        self._resume()

    def _resume(self) -> None:
        paused, self._paused = self._paused, []
        for link in paused:
            with suppress(Exception):  # it is gone, or goes by itself
                link.resume()


def _log_bug(failure: Failure) -> None:
    log.bug("stratum replies", failure.value or Exception(failure.getErrorMessage()))
