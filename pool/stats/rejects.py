"""The newest refused shares of each worker, for whoever asks why."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

REJECTS_KEPT: Final = 50
"""Of each worker."""

WORKERS_KEPT: Final = 2_048
"""Workers with rejects; whose last one is the oldest goes first. With 50 each these are some 20 MB."""

LOGGED_WORKERS_MAX: Final = 10
"""Workers that one line of the log names: those with the most."""


class Reject(Struct, frozen=True, array_like=True):
    """One refused share.

    reason: as it is counted. text: what the miner was told. job_id: as it named it, empty if that is no id of ours.
    job_age_ms: how long before the job was made; None if the job is not known. id: its place in a journal,
    JOURNAL:NUMBER; empty from a process of a version before there were ids.
    """

    time_ms: int
    reason: str
    text: str
    job_id: str
    job_age_ms: int | None
    id: str = ""


class Refusals(Struct, frozen=True):
    """What was refused since the last summary. workers: counts by reason of those with the most, by login."""

    shares: int
    workers: Mapping[str, Mapping[str, int]]
    workers_total: int


class RecentRejects:
    """By login, the newest last; and what is new since it was last asked for."""

    def __init__(self) -> None:
        self._rejects: dict[str, deque[Reject]] = {}
        self._changed: dict[str, None] = {}
        self._forgotten: dict[str, None] = {}
        self._counts: dict[str, Counter[str]] = {}

    def note(self, login: str, reject: Reject) -> None:
        """A share was refused."""
        kept = self._rejects.pop(login, None)
        if kept is None:
            kept = deque(maxlen=REJECTS_KEPT)
            if len(self._rejects) >= WORKERS_KEPT:
                oldest = next(iter(self._rejects))
                del self._rejects[oldest]
                self._changed.pop(oldest, None)
                self._counts.pop(oldest, None)
                self._forgotten[oldest] = None
        kept.append(reject)
        self._rejects[login] = kept
        self._changed[login] = None
        self._forgotten.pop(login, None)
        self._counts.setdefault(login, Counter())[reject.reason] += 1

    def changes(self) -> tuple[dict[str, tuple[Reject, ...]], tuple[str, ...]]:
        """What changed, whole, and whose are forgotten; both since this was last asked."""
        changed, self._changed = self._changed, {}
        forgotten, self._forgotten = self._forgotten, {}
        return {login: tuple(self._rejects[login]) for login in changed}, tuple(forgotten)

    def again(self, changed: Mapping[str, object], forgotten: tuple[str, ...]) -> None:
        """These changes went nowhere: they are still to be told."""
        self._changed.update(dict.fromkeys(login for login in changed if login in self._rejects))
        self._forgotten.update(dict.fromkeys(login for login in forgotten if login not in self._rejects))
        while len(self._forgotten) > WORKERS_KEPT:
            del self._forgotten[next(iter(self._forgotten))]

    def summary(self) -> Refusals | None:
        """For the log: what was refused since the last one, if anything."""
        counts, self._counts = self._counts, {}
        if not counts:
            return None
        most = sorted(counts, key=lambda login: counts[login].total(), reverse=True)[:LOGGED_WORKERS_MAX]
        total = sum(each.total() for each in counts.values())
        return Refusals(total, {login: dict(counts[login]) for login in most}, len(counts))
