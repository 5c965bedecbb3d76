"""When the sessions' shares are looked at, and how soon another difficulty reaches a miner.

A difficulty goes out with a job only. There is a job each 30 seconds; a session that cannot wait so long is sent a
variant of the newest one, which all sessions share that need one at that time (decision 0010).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Final

from pool.work.extranonce import ExtranoncesExhausted
from pool.work.job import Job
from pool.work.variant import NO_MARK, variant_of
from stratum.jobs import JobBook, LiveJob
from stratum.ports import Extranonces, Link
from stratum.session import Session
from stratum.states import State
from stratum.vardiff import BURST_RATIO

LOOKS: Final = 10
"""Sweeps in which every session is looked at once: a look costs a microsecond or two, and a share that waits would feel
10,352 at a time."""

VARIANT_SECONDS: Final = 5.0
"""Time between two variants: each is a record in the journal, and a job to be kept."""


class Retargeting:
    """The pace of all sessions. record: takes each variant before any session may get it."""

    def __init__(self, book: JobBook, marks: Extranonces, record: Callable[[Job], None]) -> None:
        self._book = book
        self._marks = marks
        self._record = record
        self._turn = 0
        self._hurried: dict[Link, None] = {}
        self._next_variant = 0.0

    def begin(self, session: Session, now: float) -> None:
        """The session has its first job."""
        self._pace(session, now)

    def first_job(self, session: Session, live: LiveJob, now: float) -> LiveJob:
        """The job that a session begins with: the newest, unless it resumes one that has it at another difficulty."""
        if live.number > session.difficulty.newest or not session.difficulty.differs(live.job.nbits):
            return live
        return self._variant(live, now) or live

    def fresh_job(self, session: Session, now: float) -> LiveJob | None:
        """A job that the session does not have yet, now; None if there can be none."""
        self._next_variant = min(self._next_variant, now)
        live = self._book.current
        if live is None:
            return None
        return live if live.number > session.difficulty.newest else self._variant(live, now)

    def renew(self, job: Job) -> Job:
        """A job in the place of one that an earlier run may have handed out: nothing hashed for that is of use for it.

        Raises what the extranonces raise.
        """
        return variant_of(job, self._mark())

    def hurry(self, link: Link) -> None:
        """Look at this one with the next sweep."""
        self._hurried[link] = None

    def due(self, links: Collection[Link]) -> Iterator[Link]:
        """Whom to look at in this sweep, of all the connections there are."""
        hurried, self._hurried = self._hurried, {}
        self._turn = (self._turn + 1) % LOOKS
        for link in dict.fromkeys([*hurried, *list(links)[self._turn :: LOOKS]]):
            if link in links and link.session.state is State.READY and link.session.difficulty.current is not None:
                yield link

    def look(self, link: Link, now: float) -> LiveJob | None:
        """Adapt a session's difficulty to its shares. Returns a job to send it now, if it should not wait for the
        next."""
        session, live = link.session, self._book.current
        before = session.difficulty.current
        wanted = self._pace(session, now)
        if live is None or before is None or wanted is None or not session.difficulty.adapt(wanted, live.job.nbits):
            return None
        if before / BURST_RATIO < wanted < before * BURST_RATIO:
            return None
        fresh = live if live.number > session.difficulty.newest else self._variant(live, now)
        if fresh is None:
            self._hurried[link] = None
        return fresh

    def _pace(self, session: Session, now: float) -> float | None:
        difficulty = session.difficulty.current
        return None if difficulty is None else session.pace.next_difficulty(difficulty, now)

    def _variant(self, live: LiveJob, now: float) -> LiveJob | None:
        if now < self._next_variant:
            return None
        self._next_variant = now + VARIANT_SECONDS
        try:
            job = variant_of(live.job, self._mark())
        except (ExtranoncesExhausted, OSError):
            return None  # new sessions fail too and say so; this one waits for the next job
        variant = self._book.add(job, now)
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
