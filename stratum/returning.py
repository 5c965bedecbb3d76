"""Sessions that come back: the id of its last session gives a miner that one's extranonce1 and difficulties.

Nothing may be gained by it. What a session was told with a job holds for whoever resumes it, and the duplicates of a
tip are known by their hash, whatever the session (decision 0011).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Final

from pool.work.extranonce import EXTRANONCE1_BYTES
from stratum.difficulty import SessionDifficulty
from stratum.jobs import JobBook
from stratum.ports import Extranonces, Link, Neighbours
from stratum.resume import FormerRun

RESUME_SECONDS: Final = 3600.0
"""How long a session can be resumed after its end, or after a restart of the role."""

LEFT_MAX: Final = 65_536
"""Ended sessions that are kept for that; the oldest go first."""

_MAC_BYTES: Final = 12


class SessionIds:
    """Names of sessions that nobody can guess: an extranonce1, and a signature of it. key: secret, of the pool."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def name(self, extranonce1: bytes) -> str:
        return (extranonce1 + self._signature(extranonce1)).hex()

    def read(self, session_id: str) -> bytes | None:
        """The extranonce1 of a session of this pool, or None."""
        try:
            raw = bytes.fromhex(session_id)
        except ValueError:
            return None
        extranonce1 = raw[:EXTRANONCE1_BYTES]
        return extranonce1 if hmac.compare_digest(raw[EXTRANONCE1_BYTES:], self._signature(extranonce1)) else None

    def _signature(self, extranonce1: bytes) -> bytes:
        return hmac.new(self._key, extranonce1, hashlib.sha256).digest()[:_MAC_BYTES]


class Returning:
    """Who holds which extranonce1, and who held it lately.

    neighbours: None if there are none. end: ends a connection whose session goes on over another one.
    """

    def __init__(
        self,
        ids: SessionIds,
        extranonces: Extranonces,
        book: JobBook,
        neighbours: Neighbours | None,
        end: Callable[[Link], None],
    ) -> None:
        self._ids = ids
        self._neighbours = neighbours
        self._extranonces = extranonces
        self._book = book
        self._end = end
        self._live: dict[bytes, Link] = {}
        # By extranonce1, in the order in which they left: until when it may be resumed, and what it was told.
        self._left: dict[bytes, tuple[float, SessionDifficulty]] = {}
        # Of the run before: what each session was told with which job, and until when it may be resumed.
        self._former: Mapping[bytes, Mapping[str, float]] = {}
        self._former_until = 0.0

    def restore(self, former: FormerRun, now: float) -> None:
        """Sessions of the run before may be resumed. Before the first job."""
        known = [self._book.add_former(job) for job in former.jobs]
        if known and (last := known[-1]) is not None:  # all are of one tip
            for seen in former.accepted:
                last.tip.accepted.add(seen)
        self._former = former.told
        self._former_until = now + RESUME_SECONDS

    def session_id(self, extranonce1: bytes) -> str:
        """By which the session that holds it can be resumed."""
        return self._ids.name(extranonce1)

    def passes_on(self, link: Link, session_id: str | None) -> bool:
        """Give a connection that subscribes to the process which has the session it resumes. False if that is us, or
        cannot be; if true, the connection is to be closed here at once."""
        early = link.session.early
        extranonce1 = None if session_id is None else self._ids.read(session_id)
        if self._neighbours is None or early is None or extranonce1 is None:
            return False
        link.flush()
        return self._neighbours.pass_on(link, extranonce1, early)

    def enter(self, link: Link, session_id: str | None, now: float) -> tuple[bytes, bool]:
        """The extranonce1 of a session that subscribes: that of the session it resumes, or a new one; and whether it is
        resumed. Raises what the extranonces raise."""
        extranonce1 = None if session_id is None else self._ids.read(session_id)
        resumed = extranonce1 is not None and self._resume(link, extranonce1, now)
        if extranonce1 is None or not resumed:
            extranonce1 = self._extranonces.take()
            self._left.pop(extranonce1, None)
        self._live[extranonce1] = link
        return extranonce1, resumed

    def change(self, link: Link) -> bytes:
        """Another extranonce1 for a session; it holds the former ones too. Raises what the extranonces raise."""
        extranonce1 = self._extranonces.take()
        self._left.pop(extranonce1, None)
        self._live[extranonce1] = link
        return extranonce1

    def leave(self, link: Link, now: float) -> None:
        """The connection is gone; its session may be resumed for a while."""
        session = link.session
        for extranonce1 in (*(each for _, each in session.extranonces), session.extranonce1):
            if self._live.get(extranonce1) is link:
                del self._live[extranonce1]
                self._extranonces.release(extranonce1)
                if session.difficulty.newest:
                    self._left[extranonce1] = now + RESUME_SECONDS, session.difficulty
        while self._left and (len(self._left) > LEFT_MAX or next(iter(self._left.values()))[0] <= now):
            del self._left[next(iter(self._left))]

    def _resume(self, link: Link, extranonce1: bytes, now: float) -> bool:
        difficulty = link.session.difficulty
        holder = self._live.get(extranonce1)
        if holder is not None:
            # A connection that broke without our notice. Only its own host may say so.
            if holder.remote_address != link.remote_address:
                return False
            self._end(holder)
            difficulty.inherit(holder.session.difficulty)
            return True
        until, told = self._left.pop(extranonce1, (self._former_until, None))
        if until <= now or not self._extranonces.hold(extranonce1):
            return False
        if told is not None:
            difficulty.inherit(told)
        else:
            self._restore(difficulty, extranonce1)
        return True

    def _restore(self, difficulty: SessionDifficulty, extranonce1: bytes) -> None:
        """From the journal: only for the jobs that it has a share for is it certain what the session was told."""
        told = self._former.get(extranonce1, {})
        found = ((self._book.find(job_id), each) for job_id, each in told.items())
        difficulty.restore({live.number: each for live, each in found if live is not None}, self._book.former_number)
