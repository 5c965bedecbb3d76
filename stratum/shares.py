"""Submissions on their way: judged, recorded, answered.

The replies of one turn of the reactor leave together, once the journal has all of that turn's records.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pool.ports import CandidateSink, Clock, ShareLog
from pool.stats.rejects import RecentRejects
from pool.work.share import Outcome
from stratum.errors import ERROR_OF
from stratum.events import ShareSubmitted
from stratum.jobs import JobBook
from stratum.judge import forget, hand_in, judge, refusal_of
from stratum.outage import Outage
from stratum.ports import FoundBlocks, Link, Timers
from stratum.settling import Settling, Unsettled
from stratum.slices import Slices
from stratum.warden import Warden

# A member of an enumeration costs a lookup that shows, once a share (Python 3.11).
_ACCEPTED: Final = Outcome.ACCEPTED


class Shares:
    """All submissions of one process.

    accepted: an accepted share is being answered; difficulty: its own. refused: one is answered that is not. flush:
    write what a connection has outgoing. lost: the journal does not have its shares, which get no answer. fail: a bug
    met it. These two do not raise. send_away: resets every connection.
    """

    def __init__(
        self,
        book: JobBook,
        share_log: ShareLog,
        candidates: CandidateSink,
        found: FoundBlocks,
        clock: Clock,
        timers: Timers,
        *,
        accepted: Callable[[Link, float], None],
        refused: Callable[[Link, Outcome], None],
        flush: Callable[[Link], None],
        lost: Callable[[Link], None],
        fail: Callable[[Link, Exception], None],
        warden: Warden,
        send_away: Callable[[], None],
    ) -> None:
        self._book = book
        self._candidates = candidates
        self._clock = clock
        self._accepted = accepted
        self._refused = refused
        self._flush = flush
        self._lost = lost
        self._fail = fail
        self._journal = share_log.frontend
        self.settling = Settling(share_log, timers, answer=self._answer, lose=self._lose)
        self._found = found
        self.outage = Outage(clock, warden, self.settling, book, found, send_away)
        self.rejects = RecentRejects()
        self.slices = Slices()
        self.outcomes = [0] * len(Outcome)

    def take(self, link: Link, event: ShareSubmitted) -> None:
        """Judge a submission and record what came of it; the answer follows when the journal has it."""
        submission, book = event.submission, self._book
        live = None if submission is None else book.find(submission.job_id)
        stale = live is not None and book.is_stale(live)
        time_ms, slices, login = self._clock.time_ms(), self.slices, event.login
        if time_ms >= slices.until_ms:
            slices.change(time_ms)
        if login.turn != slices.turn:
            slices.look_up(login)
        share = judge(event, link.session.terms(live), live, stale, time_ms)
        if share.block_hash is not None and live is not None:
            # Before all else: a block does not wait for the journal.
            hand_in(self._candidates, share, live, str(login))
            self._found.note(share, live.job)
        self.outcomes[share.outcome] += 1
        self.settling.take_share(link, event.request_id, share, None if live is None else live.job)

    def _answer(self, shares: list[Unsettled]) -> None:
        self.outage.end()
        links: dict[Link, None] = {}
        for link, request_id, share, seq in shares:
            if share.block_hash is not None:
                self.outage.recorded(share)
            if link is None:
                continue
            links[link] = None
            try:
                if share.outcome is _ACCEPTED:
                    link.session.accept(request_id)
                    self._accepted(link, share.difficulty)
                else:
                    error = ERROR_OF[share.outcome]
                    link.session.reject(request_id, error)
                    share_id = f"{self._journal}:{seq}"
                    self.rejects.note(*refusal_of(share, self._book.find(share.job_id), error.text, share_id))
                    self._refused(link, share.outcome)
            except Exception as error:  # noqa: BLE001 - a bug ends the session that met it, the server lives
                self._fail(link, error)
        for link in links:
            try:
                self._flush(link)
            except Exception as error:  # noqa: BLE001 - the same
                self._fail(link, error)

    def _lose(self, shares: list[Unsettled], error: Exception) -> None:
        """The records are not safe: the miners get no answer but a reset, and go to their backup pools if it lasts."""
        self.outage.begin(shares, error)
        for _, _, share, _ in shares:
            live = self._book.find(share.job_id)
            if not self.outage.keep(share, None if live is None else live.job):
                forget(share, live)
        for link in dict.fromkeys(link for link, _, _, _ in shares if link is not None):
            self._lost(link)
