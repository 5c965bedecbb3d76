"""What the server lets its connections do: who may come in, how fast they may send, whose offences count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from pool import events as log
from pool.ports import Clock
from pool.work.share import Outcome
from stratum.bans import Bans, Key, origin_of
from stratum.limits import BAD_SHARES_MAX, BAD_SHARES_SECONDS, LATE_SHARES_MAX, CloseReason
from stratum.login import Login
from stratum.ports import Link
from stratum.sources import Sources

OFFENCES: Final = frozenset(
    {
        CloseReason.LINE_TOO_LONG,
        CloseReason.TOO_DEEP,
        CloseReason.MALFORMED_MESSAGE,
        CloseReason.TOO_MANY_MESSAGES,
        CloseReason.TOO_MANY_BAD_SHARES,
    }
)
"""Ends of a session that count against its worker and its address."""

# What comes too late is the network's fault or ours, within limits.
_LATE_SHARES: Final = frozenset({Outcome.STALE, Outcome.UNKNOWN_JOB})


class Warden:
    """Keeps the limits that reach beyond one session.

    links: every connection that has a session. unauthorized_max: connections of one origin without a worker.
    """

    def __init__(
        self, links: Callable[[], Iterable[Link]], clock: Clock, *, never: Sources, unauthorized_max: int
    ) -> None:
        self._links = links
        self._clock = clock
        self._never = never
        self._unauthorized_max = unauthorized_max
        self._bans = Bans(never)
        # Connections without a worker, by origin, those that have no session yet among them.
        self._unauthorized: Counter[str] = Counter()
        self._without_worker: set[Link] = set()
        self._throttled: set[Link] = set()
        self._second = 0
        # Since when, and since which accepted share, a session sends refused ones, and how many bad and late ones.
        self._refused: dict[Link, tuple[float, int, int, int]] = {}
        self.counters: Counter[str] = Counter()
        # Why nobody may come in at all, while that is so.
        self._shut: set[CloseReason] = set()

    def shut(self, reason: CloseReason) -> None:
        """Let nobody in."""
        self._shut.add(reason)

    def open(self, reason: CloseReason) -> None:
        """This is no more a reason to let nobody in."""
        self._shut.discard(reason)

    def admit(self, address: str) -> CloseReason | None:
        """Whether a connection may come in, counted from now on as one without a worker; or why not."""
        if self._shut:
            return min(self._shut)
        origin = origin_of(address)
        if self._bans.until(origin, None, self._clock.monotonic()) is not None:
            return CloseReason.ADDRESS_BANNED
        if self._unauthorized[origin] >= self._unauthorized_max and address not in self._never:
            return CloseReason.TOO_MANY_UNAUTHORIZED
        self._unauthorized[origin] += 1
        return None

    def settled(self, address: str) -> None:
        """A connection that was admitted is gone before it had a session, or has a worker now."""
        origin = origin_of(address)
        left = self._unauthorized[origin] - 1
        if left > 0:
            self._unauthorized[origin] = left
        else:
            del self._unauthorized[origin]

    def arrived(self, link: Link) -> None:
        """A connection that was admitted has a session now."""
        self._without_worker.add(link)
        link.read_since = self._second

    def authorized(self, link: Link) -> None:
        """Its session has a worker now."""
        if link in self._without_worker:
            self._without_worker.remove(link)
            self.settled(link.remote_address)

    def refuses(self, link: Link, login: Login) -> bool:
        """Whether a worker is banned there."""
        return self._bans.until(origin_of(link.remote_address), str(login), self._clock.monotonic()) is not None

    def left(self, link: Link) -> None:
        """A connection that had a session is gone."""
        self.authorized(link)  # or never will be
        self._throttled.discard(link)
        self._refused.pop(link, None)
        if link.session.flow.accepted:
            origin, now = origin_of(link.remote_address), self._clock.monotonic()
            for login in link.session.logins.values():
                self._bans.proved_good(origin, str(login), now)

    def closed(self, link: Link, reason: CloseReason) -> None:
        """We ended a session."""
        if reason not in OFFENCES:
            return
        logins = {str(login) for login in link.session.logins.values()}
        login = logins.pop() if len(logins) == 1 else None
        for ban in self._bans.offended(link.remote_address, login, self._clock.monotonic(), self._is_good):
            if ban.login is None:
                self.counters["banned_address"] += 1
                log.address_banned(ban.origin, ban.seconds, reason)
            else:
                self.counters["banned_worker"] += 1
                log.worker_banned(ban.origin, ban.login, ban.seconds, reason)

    def refused_share(self, link: Link, outcome: Outcome) -> bool:
        """A share was refused; returns whether it is one too many."""
        now = self._clock.monotonic()
        since, accepted, bad, late = self._refused.get(link, (now, link.session.flow.accepted, 0, 0))
        if accepted != link.session.flow.accepted or now - since > BAD_SHARES_SECONDS:
            since, bad, late = now, 0, 0
        if outcome in _LATE_SHARES:
            late += 1
        else:
            bad += 1
        self._refused[link] = (since, link.session.flow.accepted, bad, late)
        return bad >= BAD_SHARES_MAX or late >= LATE_SHARES_MAX

    def read_its_share(self, link: Link) -> None:
        """It sent what it may in a second. If it took no longer, read on in the next: TCP makes it wait, nothing is
        lost."""
        if link.read_since != self._second:
            link.read_since, link.session.flow.read_bytes = self._second, 0
        elif link not in self._throttled:
            self._throttled.add(link)
            self.counters["throttled"] += 1
            link.pause()

    def next_second(self) -> None:
        """Who had to wait may send again. The others begin anew when they have sent their share: to tell each of ten
        thousand would take a millisecond."""
        self._second += 1
        throttled, self._throttled = self._throttled, set()
        for link in throttled:
            link.read_since, link.session.flow.read_bytes = self._second, 0
            link.resume()

    def _is_good(self, key: Key) -> bool:
        """Whether a live session of that origin, and worker, has an accepted share."""
        origin, login = key
        return any(
            link.session.flow.accepted
            and origin_of(link.remote_address) == origin
            and (login is None or any(str(each) == login for each in link.session.logins.values()))
            for link in self._links()
        )
