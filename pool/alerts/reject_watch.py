"""Whether more shares are refused than usual, beyond luck."""

from __future__ import annotations

from collections import deque
from typing import Final

from msgspec import Struct

from pool.alerts.alert import Alert
from pool.alerts.tail import at_least
from pool.dashboard.rows import Activity

WINDOW_SECONDS: Final = 600.0
USUAL_SECONDS: Final = 3600.0
"""What is usual is looked up in so long a time before the window."""

P_MAX: Final = 1e-7
PART_MIN: Final = 0.02
"""Below this part nobody loses much, however improbable it is."""

USUAL_PART_MIN: Final = 0.005
"""A pool without a refused share in an hour is not alarmed by a few stale ones."""


class _Seen(Struct, frozen=True):
    at: float
    accepted: int
    rejected: int


class RejectWatch:
    """Looks at the counters of the whole pool, now and then."""

    def __init__(self) -> None:
        self._seen: deque[_Seen] = deque()

    def look(self, activity: Activity, now: float) -> list[Alert]:
        """The alarm, if there is one."""
        seen = _Seen(now, activity.accepted, activity.rejected_total)
        if self._seen and (seen.accepted < self._seen[-1].accepted or seen.rejected < self._seen[-1].rejected):
            self._seen.clear()  # the statistics were folded anew
        self._seen.append(seen)
        while now - self._seen[0].at > WINDOW_SECONDS + USUAL_SECONDS:
            self._seen.popleft()
        begun = next(each for each in self._seen if each.at >= now - WINDOW_SECONDS)
        first = self._seen[0]
        accepted, rejected = seen.accepted - begun.accepted, seen.rejected - begun.rejected
        shares = accepted + rejected
        before = begun.accepted - first.accepted + begun.rejected - first.rejected
        usual = max(USUAL_PART_MIN, (begun.rejected - first.rejected) / before) if before else USUAL_PART_MIN
        if not shares or rejected / shares < PART_MIN or at_least(rejected, usual * shares) >= P_MAX:
            return []
        most = max(activity.rejected, key=lambda reason: activity.rejected[reason])
        return [
            Alert(
                "rejects",
                "warn",
                f"{rejected / shares:.1%} of the shares are refused",
                f"{rejected} of {shares} in ten minutes; {usual:.1%} are usual. Most of all time: {most}.",
                "The overview has them by reason; workers sorted by refused shares show whose they are. "
                "docs/runbooks.md, SteppeManyRejects.",
            )
        ]
