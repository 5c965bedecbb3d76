"""Judged shares on their way through the journal to their answers.

The shares of one turn of the reactor are committed as one group, and answered in the order in which they came.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from twisted.internet.defer import Deferred

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
            self._timers.callLater(0, self._start)

    def _start(self) -> None:
        Deferred.fromCoroutine(self._settle())

    async def _settle(self) -> None:
        try:
            while self._unsettled or self._recording:
                await self._settle_group()
        except Exception as error:  # noqa: BLE001 - the next share starts anew
            log.bug("stratum replies", error)
        finally:
            self._running = False
        if self._done is not None:
            done, self._done = self._done, None
            done.callback(None)

    async def _settle_group(self) -> None:
        shares, self._unsettled = self._unsettled, []
        jobs, self._recording = self._recording, []
        try:
            await self._share_log.commit()
        except Exception as error:  # noqa: BLE001 - whatever it is, no miner may be told `true`
            self._unrecorded.update(job.job_id for job in jobs)
            self._lose(shares, error)
        else:
            self._answer(shares)
        paused, self._paused = self._paused, []
        for link in paused:
            with suppress(Exception):  # it is gone, or goes by itself
                link.resume()
