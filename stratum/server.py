"""All sessions of one stratum process: jobs to them, shares from them to `stratum.shares`.

A share goes: bytes, event, verdict, journal, reply.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final, cast

from twisted.internet.task import LoopingCall

from pool import events as log
from pool.ports import CandidateSink, Clock, ShareLog
from pool.work.job import Job
from pool.work.share import Outcome
from stratum.announcements import Announcements
from stratum.difficulty import DifficultyBounds
from stratum.drain import Draining
from stratum.errors import Banned
from stratum.events import (
    AuthorizationRequested,
    Closed,
    ConfigurationRequested,
    Event,
    RequestRefused,
    ShareSubmitted,
    SubscriptionRequested,
)
from stratum.jobs import JobBook, LiveJob
from stratum.limits import AUTHORIZE_SECONDS, CLOSE_SECONDS, READ_BYTES_MAX, CloseReason
from stratum.ports import Extranonces, FoundBlocks, Link, Neighbours, Timers
from stratum.presence import Presence, Present
from stratum.redirects import Redirects
from stratum.remembered import RememberedDifficulties
from stratum.resume import FormerRun
from stratum.retarget import LOOK_SECONDS, Retargeting
from stratum.returning import Returning, SessionIds
from stratum.session import Session
from stratum.settings import StratumSettings
from stratum.shares import Shares
from stratum.sources import Sources
from stratum.states import State
from stratum.warden import Warden

SWEEP_SECONDS: Final = 1.0

# A member of an enumeration costs a lookup that shows, once a share (Python 3.11).
_CLOSED: Final = State.CLOSED


class StratumServer:
    """The stratum role's core. Feed it connections and jobs; it judges, records and answers."""

    def __init__(
        self,
        settings: StratumSettings,
        clock: Clock,
        share_log: ShareLog,
        candidates: CandidateSink,
        found: FoundBlocks,
        extranonces: Extranonces,
        timers: Timers,
        session_ids: SessionIds,
        neighbours: Neighbours | None = None,
    ) -> None:
        self._settings = settings
        self.warden = Warden(
            lambda: self._links,
            clock,
            never=Sources(settings.never_banned),
            unauthorized_max=settings.unauthorized_per_address,
        )
        self._clock = clock
        self._timers = timers
        self._sweeping = LoopingCall(self._sweep)
        self._looking = LoopingCall.withCount(self._look)
        self._book = JobBook()
        # Every connection, and since when in Unix milliseconds.
        self._links: dict[Link, int] = {}
        self._present = Present()
        # When a connection must be authorized, or, once closed, gone.
        self._deadlines: dict[Link, float] = {}
        self._counters: Counter[str] = Counter()
        self._shares = Shares(
            self._book,
            share_log,
            candidates,
            found,
            clock,
            timers,
            accepted=self._accepted,
            refused=self._refused,
            flush=self._flush,
            lost=self._journal_failed,
            fail=self._fail,
            warden=self.warden,
            send_away=self._send_away,
        )
        self._settling = self._shares.settling
        self.outage = self._shares.outage
        self.rejects = self._shares.rejects
        self.slices = self._shares.slices
        self.draining = Draining(self._end_drained)
        self.redirects = Redirects(self._present.links_of, self._end_drained, clock)
        self._retargeting = Retargeting(
            self._book,
            extranonces,
            self._settling.take_job,
            clock,
            timers,
            lambda link, live: self._safely(link, self._issue, link, live, False),
        )
        self._returning = Returning(session_ids, extranonces, self._book, neighbours, self._hand_on)
        self.announcements = Announcements(
            lambda: self._links, self._retargeting, self._returning, partial(self._issue, clean=True)
        )
        self.remembered = RememberedDifficulties()
        self._resuming = False
        self._stopped = False

    @property
    def sessions(self) -> list[Session]:
        """Every connection's session, ready or not."""
        return [link.session for link in self._links]

    @property
    def session_count(self) -> int:
        """Connections, ready or not."""
        return len(self._links)

    @property
    def counters(self) -> dict[str, int]:
        """Since the start: shares by outcome (`share_accepted`, `share_stale`...), requests refused by reason
        (`refused_unknown_method`...), connections (`connected`, `closed_not_json`...), bans (`banned_worker`...)."""
        shares = {f"share_{outcome.name.lower()}": self._shares.outcomes[outcome] for outcome in Outcome}
        return {**shares, **self._counters, **self.warden.counters}

    def presence(self) -> list[Presence]:
        """Who is connected; agents and difficulties may have changed since, some seconds ago."""
        return self._present.everyone()

    def start(self) -> None:
        """Begin to end the connections that do nothing."""
        self._sweeping.clock = self._looking.clock = cast(Any, self._timers)
        self._sweeping.start(SWEEP_SECONDS, now=False)
        self._looking.start(LOOK_SECONDS, now=False)

    async def stop(self) -> None:
        """Settle what was judged, then reset every connection: after a reset miners return at once, after a mere close
        they wait (btcpool #322)."""
        for calls in (self._sweeping, self._looking):
            if calls.running:
                calls.stop()
        await self.outage.finish()
        await self._settling.finish()
        self._stopped = True
        for link in list(self._links):
            self._end(link, CloseReason.SHUTDOWN)
            link.abort()

    def restore(self, former: FormerRun) -> None:
        """Go on behind an earlier run with this journal; before the first job."""
        self._resuming = True
        self._returning.restore(former, self._clock.monotonic())

    def take_job(self, job: Job) -> None:
        """A job from the work role: into the journal, then to every session, unless it is known already."""
        if self._stopped:
            return  # the journal is closed next
        now = self._clock.monotonic()
        previous = self._book.current
        if previous is None and self._resuming:
            self._book.add_former(job)
            job = self._retargeting.renew(job)
        live = self._book.add(job, now)
        if live is None:
            return
        self._book.expire(now)
        self._settling.take_job(job)
        clean = previous is None or previous.tip is not live.tip
        for link in list(self._links):
            if link.session.state is State.READY:
                self._safely(link, self._issue, link, live, clean)

    @property
    def bounds(self) -> DifficultyBounds:
        """Of the difficulty, on ports that have none of their own."""
        return self._settings.difficulty

    def connected(self, link: Link) -> Session:
        """A new connection; returns its session."""
        self._links[link] = self._clock.time_ms()
        self._deadlines[link] = self._clock.monotonic() + AUTHORIZE_SECONDS
        self._counters["connected"] += 1
        self.warden.arrived(link)
        self._retargeting.enter(link)
        return Session(link.bounds, self._settings.version_mask)

    def passed_to_us(self, link: Link, early: bytes) -> None:
        """A neighbour met this connection first, received that, and answered what is before the subscription in it."""
        try:
            for event in link.session.receive(early):
                if isinstance(event, SubscriptionRequested) and not link.session.extranonce1:
                    link.session.outgoing()
                _STEPS[type(event)](self, link, event)
        except Exception as error:  # noqa: BLE001 - see _fail
            self._fail(link, error)
        self._flush(link)

    def turned_away(self, reason: CloseReason) -> None:
        """A connection ended before it had a session."""
        self._counters[f"closed_{reason}"] += 1

    def received(self, link: Link, data: bytes) -> None:
        """Bytes from a connection."""
        session = link.session
        try:
            share = session.submitted(data)
            if share is not None:
                self._shares.take(link, share)
            else:
                for event in session.receive(data):
                    _STEPS[type(event)](self, link, event)
                session.difficulty.mark(self._book.newest_number)
                self._flush(link)
        except Exception as error:  # noqa: BLE001 - a bug ends this session, the server lives
            self._fail(link, error)
            self._flush(link)
        self._settling.relieve(link)
        if session.flow.read(len(data)) > READ_BYTES_MAX:
            self.warden.read_its_share(link)

    def fell_behind(self, link: Link) -> None:
        """The connection's peer does not read what we write."""
        self._end(link, CloseReason.SLOW_READER)
        link.abort()

    def lost(self, link: Link) -> None:
        """The connection is gone."""
        self._links.pop(link, None)
        self._deadlines.pop(link, None)
        self._present.leave(link)
        self._retargeting.leave(link)
        self.redirects.leave(link)
        self.warden.left(link)
        self._counters["disconnected"] += 1
        self.remembered.note_session(link.session, self._clock.time_ms())
        self._returning.leave(link, self._clock.monotonic())

    def _subscribe(self, link: Link, request: SubscriptionRequested) -> None:
        session = link.session
        extranonce1 = session.extranonce1
        if not extranonce1:
            if self._returning.passes_on(link, request.session_id):
                self._end(link, CloseReason.PASSED_ON)
                return
            extranonce1, resumed = self._returning.enter(link, request.session_id, self._clock.monotonic())
            self._counters["resumed"] += resumed
            if not resumed:
                session.difficulty.begin()
        session.subscribe(request, extranonce1, self._returning.session_id(extranonce1))
        self._start_work(link)

    def _hand_on(self, link: Link) -> None:
        """The session goes on over another connection."""
        self._end(link, CloseReason.RESUMED_ELSEWHERE)
        self._safely(link, link.abort)

    def _authorize(self, link: Link, request: AuthorizationRequested) -> None:
        if self.warden.refuses(link, request.login):
            self._count_refusal(link, link.session.deny(request, Banned))
            return
        if not link.session.logins:
            known = self.remembered.recall(str(request.login), self._clock.time_ms())
            if known is not None:
                link.session.difficulty.recall(known)
        link.session.authorize(request)
        self._start_work(link)
        self._present.note(link, self._links[link])

    def _configure(self, link: Link, request: ConfigurationRequested) -> None:
        live = self._book.current
        link.session.configure(request, live.job.version if live is not None else 0)

    def _start_work(self, link: Link) -> None:
        """The first job, once the session can take one and there is one."""
        session = link.session
        if session.state is State.READY:
            self._deadlines.pop(link, None)
            self.warden.authorized(link)
            if not session.issued:
                self._retargeting.begin(link)

    def _take(self, link: Link, event: ShareSubmitted) -> None:
        self._shares.take(link, event)

    def _count_refusal(self, link: Link, event: RequestRefused) -> None:
        self._counters[f"refused_{event.error.reason}"] += 1

    def _closed(self, link: Link, event: Closed) -> None:
        self._counters[f"closed_{event.reason}"] += 1
        self.warden.closed(link, event.reason)
        if link in self._links:
            self._deadlines[link] = self._clock.monotonic() + CLOSE_SECONDS

    def _end(self, link: Link, reason: CloseReason) -> None:
        if link.session.state is not State.CLOSED:
            self._closed(link, link.session.close(reason))

    def _end_drained(self, link: Link, reason: CloseReason) -> None:
        self._end(link, reason)
        self._safely(link, link.abort)

    def _fail(self, link: Link, error: Exception) -> None:
        """A bug: it ends the session that met it, the server lives."""
        log.bug("stratum session", error)
        self._end(link, CloseReason.BUG)
        with suppress(Exception):  # perhaps the very thing that failed; the sweep tries again
            link.abort()

    def _flush(self, link: Link) -> None:
        """Write what is outgoing. A closed session's connection lives until its last share is answered."""
        link.flush()
        session = link.session
        if session.state is _CLOSED and not session.has_open_shares:
            link.close()

    def _issue(self, link: Link, live: LiveJob, clean: bool) -> None:
        link.session.issue(live, clean, self._book.oldest_number)
        link.flush()

    def _accepted(self, link: Link, difficulty: float) -> None:
        if link.session.flow.take(difficulty):
            self._retargeting.hurry(link)

    def _refused(self, link: Link, outcome: Outcome) -> None:
        if self.warden.refused_share(link, outcome):
            self._end(link, CloseReason.TOO_MANY_BAD_SHARES)

    def _journal_failed(self, link: Link) -> None:
        self._end(link, CloseReason.JOURNAL_FAILED)
        self._safely(link, link.abort)

    def _send_away(self) -> None:
        for link in list(self._links):
            self._journal_failed(link)

    def _safely(self, link: Link, action: Callable[..., None], *arguments: object) -> None:
        """What is done to many links in turn must not end with the one that fails."""
        try:
            action(*arguments)
        except Exception as error:  # noqa: BLE001 - see _fail
            self._fail(link, error)

    def _sweep(self) -> None:
        try:
            self.warden.next_second()
            self._end_late()
            self.outage.sweep()
            self.draining.wave(self._links)
            self.redirects.wave()
        except Exception as error:  # noqa: BLE001 - or the sweeping would end with it
            log.bug("stratum sweep", error)

    def _end_late(self) -> None:
        """End what is late: connections without a worker, then those that do not go; forget old jobs."""
        now = self._clock.monotonic()
        self._book.expire(now)
        for link in [link for link, deadline in self._deadlines.items() if deadline <= now]:
            if link.session.state is State.CLOSED:
                self._safely(link, link.abort)
            else:
                self._end(link, CloseReason.NOT_AUTHORIZED_IN_TIME)
                self._safely(link, self._flush, link)

    def _look(self, parts: int) -> None:
        """Look whether shares come too often or too seldom; who needs another difficulty soon gets a job for it."""
        try:
            now = self._clock.monotonic()
            for link in self._retargeting.due(parts):
                self._safely(link, self._retargeting.look, link, now)
                self._present.note(link, self._links[link])
                self.remembered.note_session(link.session, self._clock.time_ms())
            self._retargeting.looked(self._links, now)
        except Exception as error:  # noqa: BLE001 - or the looking would end with it
            log.bug("stratum looks", error)


_STEPS: Final[Mapping[type[Event], Callable[[StratumServer, Link, Any], None]]] = {
    SubscriptionRequested: StratumServer._subscribe,
    AuthorizationRequested: StratumServer._authorize,
    ConfigurationRequested: StratumServer._configure,
    ShareSubmitted: StratumServer._take,
    RequestRefused: StratumServer._count_refusal,
    Closed: StratumServer._closed,
}
