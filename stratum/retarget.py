"""When the sessions' shares are looked at, and how soon another difficulty reaches a miner.

A difficulty goes out with a job only. There is a job each 30 seconds; a session that cannot wait so long is sent a
variant of the newest one, which all sessions share that need one at that time (decision 0010).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Final

from pool.ports import Clock
from pool.work.extranonce import ExtranoncesExhausted
from pool.work.job import Job
from pool.work.variant import NO_MARK, variant_of
from stratum.jobs import JobBook, LiveJob
from stratum.ports import Extranonces, Link, Timers
from stratum.session import Session
from stratum.states import State
from stratum.vardiff import BURST_RATIO

LOOK_SECONDS: Final = 0.05
LOOKS: Final = 200
"""Every so many seconds this part of all sessions is looked at: a look costs some ten microseconds, and a share that
waits would feel those at 10,352, or at a tenth of them."""

ROUND_SECONDS: Final = 10
"""Then every session has been looked at."""

SILENCE_SECONDS: Final = 50.0
"""Without a job for all from the work role. It makes one each 30 seconds, also while its node is away."""

VARIANT_SECONDS: Final = 5.0
"""Time between two variants for those who find too many shares or none: each is a record in the journal, and a job
to be kept."""

FIRST_JOB_SECONDS: Final = 0.25
"""The same for sessions that begin with a difficulty of their own; miners expect their first job within a second. Only
while such sessions come."""


class Retargeting:
    """The pace of all sessions. record: takes each variant before any session may get it."""

    def __init__(
        self,
        book: JobBook,
        marks: Extranonces,
        record: Callable[[Job], None],
        clock: Clock,
        timers: Timers,
        issue: Callable[[Link, LiveJob], None],
    ) -> None:
        self._book = book
        self._marks = marks
        self._record = record
        self._clock = clock
        self._timers = timers
        self._issue = issue
        # Everyone by the turn that is theirs, and which one each has: nobody else is gone through in a turn.
        self._turns: list[dict[Link, None]] = [{} for _ in range(LOOKS)]
        self._turn_of: dict[Link, int] = {}
        self._next_place = self._turn = 0
        self._hurried: dict[Link, None] = {}
        # Who needs a job that is made from now on; and whether it is on its way.
        self._waiting: dict[Link, None] = {}
        self._coming = False
        self._next_variant = self._next_first_job = 0.0

    def enter(self, link: Link) -> None:
        """A connection to look at from now on."""
        self._turn_of[link] = place = self._next_place
        self._turns[place][link] = None
        self._next_place = (place + 1) % LOOKS

    def leave(self, link: Link) -> None:
        """It is gone."""
        place = self._turn_of.pop(link, None)
        if place is not None:
            del self._turns[place][link]

    def begin(self, link: Link) -> None:
        """Send a session its first job: the newest, if that may have its difficulty, else a variant very soon."""
        difficulty, live = link.session.difficulty, self._book.current
        difficulty.mark(self._book.newest_number)
        if live is None:
            return
        again = live.number == difficulty.newest and not difficulty.differs(live.job.nbits)
        if again or difficulty.may_take(live.number):
            self._send(link, live)
            return
        self._waiting[link] = None
        if not self._coming:
            self._coming = True
            wait = self._next_first_job - self._clock.monotonic()
            if wait <= 0:
                self._first_jobs()
            else:
                self._timers.callLater(wait, self._first_jobs)

    def fresh_job(self, session: Session) -> LiveJob | None:
        """A job that nobody has yet, or that this session may take; None if there can be none."""
        live = self._book.current
        session.difficulty.mark(self._book.newest_number)
        return live if live is None or session.difficulty.may_take(live.number) else self._variant(live)

    def renew(self, job: Job) -> Job:
        """A job in the place of one that an earlier run may have handed out: nothing hashed for that is of use for it.

        Raises what the extranonces raise.
        """
        return variant_of(job, self._mark())

    def hurry(self, link: Link) -> None:
        """Look at this one very soon."""
        self._hurried[link] = None

    def due(self, parts: int) -> Iterator[Link]:
        """Whom to look at now. parts: how many are due, more than one after a delay."""
        found, self._hurried = self._hurried, {}
        for turn in range(self._turn + 1, self._turn + 1 + min(parts, LOOKS)):
            found.update(self._turns[turn % LOOKS])
        self._turn = (self._turn + parts) % LOOKS
        for link in found:
            there = link in self._turn_of and link.session.state is State.READY
            if there and link.session.difficulty.current is not None:
                yield link

    def look(self, link: Link, now: float) -> None:
        """Adapt a session's difficulty to its shares; who should not wait for the next job will get a variant."""
        session, live = link.session, self._book.current
        before = session.difficulty.current
        if live is None or before is None:
            return
        wanted = session.pace.next_difficulty(before, now)
        changes = wanted is not None and session.difficulty.adapt(wanted, live.job.nbits)
        session.difficulty.mark(self._book.newest_number)
        if wanted is not None and changes and not before / BURST_RATIO < wanted < before * BURST_RATIO:
            self._waiting[link] = None

    def looked(self, links: Collection[Link], now: float) -> None:
        """These are done: one variant for all who wait, or for everyone if none has heard of us for too long."""
        if now - self._book.told_all_at >= SILENCE_SECONDS:
            self._break_silence(links, now)
        if self._waiting and now >= self._next_variant:
            self._next_variant = now + VARIANT_SECONDS
            self._send_variant()

    def _break_silence(self, links: Collection[Link], now: float) -> None:
        """The work role is away. Miners take a long silence for a dead pool (cgminer after 90 s)."""
        live = self._book.current
        variant = None if live is None else self._variant(live)
        if variant is None:
            return
        self._book.told_all_at = now
        for link in list(links):
            if link.session.state is State.READY:
                self._send(link, variant)
                self._waiting.pop(link, None)

    def _first_jobs(self) -> None:
        self._coming = False
        self._next_first_job = self._clock.monotonic() + FIRST_JOB_SECONDS
        self._send_variant()

    def _send_variant(self) -> None:
        live = self._book.current
        variant = None if live is None else self._variant(live)
        waiting, self._waiting = self._waiting, {}
        for link in waiting:
            session = link.session
            if variant is None or session.state is not State.READY:
                continue
            if not session.issued or session.difficulty.differs(variant.job.nbits):
                self._send(link, variant)

    def _send(self, link: Link, live: LiveJob) -> None:
        first = not link.session.issued
        self._issue(link, live)
        if first and (difficulty := link.session.difficulty.current) is not None:
            link.session.pace.next_difficulty(difficulty, self._clock.monotonic())

    def _variant(self, live: LiveJob) -> LiveJob | None:
        try:
            job = variant_of(live.job, self._mark())
        except (ExtranoncesExhausted, OSError):
            return None  # new sessions fail too and say so; the others wait for the next job
        variant = self._book.add(job, self._clock.monotonic())
        if variant is not None:
            self._record(job)
        return variant

    def _mark(self) -> bytes:
        """An extranonce that nobody holds: no variant of this pool has it, in whatever process, nor had it shortly
        before a restart."""
        mark = NO_MARK
        while mark == NO_MARK:
            mark = self._marks.take()
            self._marks.release(mark)
        return mark
