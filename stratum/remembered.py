"""The difficulty that each worker had, for when it comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stratum.session import Session

REMEMBERED_MS: Final = 24 * 3600 * 1000
"""How long: over a day's maintenance. A machine that was away longer may be another."""

ELSEWHERE_PART: Final = 0.25
"""Of what a worker had in another region, where it starts here: a machine that was moved may run slower, and must
neither wait minutes for its first share nor flood us."""

REMEMBERED_MAX: Final = 65_536
"""Workers at most, six times the machines of the largest site; who was not seen for longest goes first. Names are the
miners' own, so there must be an end."""


class RememberedDifficulties:
    """By login: a difficulty that accepted shares have proven, and when that was, in Unix milliseconds."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[float, int]] = {}
        self._elsewhere: dict[str, tuple[float, int]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def note(self, login: str, difficulty: float, now_ms: int) -> None:
        """The worker finds shares of that difficulty now."""
        self._entries[login] = difficulty, now_ms
        if len(self._entries) > REMEMBERED_MAX + REMEMBERED_MAX // 8:
            self._prune(now_ms)

    def note_session(self, session: Session, now_ms: int) -> None:
        """Of its first worker, what its shares have proven; a proxy's others have the same."""
        if session.pace.proven is not None and session.logins:
            self.note(str(next(iter(session.logins.values()))), session.pace.proven, now_ms)

    def recall(self, login: str, now_ms: int) -> float | None:
        """What the worker is to start with, if it was seen not too long ago."""
        here, elsewhere = self._entries.get(login), self._elsewhere.get(login)
        if elsewhere is not None and (here is None or here[1] < elsewhere[1]):
            here = elsewhere[0] * ELSEWHERE_PART, elsewhere[1]
        return here[0] if here is not None and now_ms - here[1] < REMEMBERED_MS else None

    def noted_since(self, time_ms: int) -> dict[str, tuple[float, int]]:
        """Who was seen here since then."""
        return {login: entry for login, entry in self._entries.items() if entry[1] >= time_ms}

    def learn_elsewhere(self, entries: Mapping[str, tuple[float, int]], now_ms: int) -> None:
        """What workers have in other regions, in place of what was known of it."""
        self._elsewhere = _fresh({login: (d, min(seen_ms, now_ms)) for login, (d, seen_ms) in entries.items()}, now_ms)

    def entries(self, now_ms: int) -> dict[str, tuple[float, int]]:
        """All that is worth keeping."""
        self._prune(now_ms)
        return dict(self._entries)

    def learn(self, entries: Mapping[str, tuple[float, int]], now_ms: int) -> None:
        """Take in what an earlier run or another process knew; what is newer holds. Times to come count as now."""
        for login, (difficulty, seen_ms) in entries.items():
            known = self._entries.get(login)
            if known is None or known[1] < seen_ms:
                self._entries[login] = difficulty, min(seen_ms, now_ms)
        self._prune(now_ms)

    def _prune(self, now_ms: int) -> None:
        self._entries = _fresh(self._entries, now_ms)


def _fresh(entries: Mapping[str, tuple[float, int]], now_ms: int) -> dict[str, tuple[float, int]]:
    """Those that are worth keeping."""
    fresh = {login: entry for login, entry in entries.items() if now_ms - entry[1] < REMEMBERED_MS}
    if len(fresh) > REMEMBERED_MAX:
        newest = sorted(fresh.items(), key=lambda item: item[1][1], reverse=True)
        fresh = dict(newest[:REMEMBERED_MAX])
    return fresh
