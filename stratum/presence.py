"""Who is connected."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from msgspec import Struct

from stratum.ports import Link


class Presence(Struct, frozen=True, array_like=True, gc=False):
    """A worker that is connected now; a worker with two machines is there twice. difficulty: None before its first job.
    agent: printable ASCII, untrusted."""

    account: str
    worker: str
    remote_address: str
    agent: str
    difficulty: float | None
    since_ms: int


class Present:
    """The workers of all connections as they were when each was noted last: to go through ten thousand sessions at one
    time takes 30 ms, in which shares wait."""

    def __init__(self) -> None:
        self._of: dict[Link, tuple[Presence, ...]] = {}
        self._links: dict[str, set[Link]] = {}

    def note(self, link: Link, since_ms: int) -> None:
        """A connection has another worker, or may have another difficulty. since_ms: when it came."""
        session = link.session
        agent, difficulty, known = session.agent, session.difficulty.current, self._of.get(link)
        if known and (len(known), known[0].agent, known[0].difficulty) == (len(session.logins), agent, difficulty):
            return
        for login in session.logins.values():
            self._links.setdefault(str(login), set()).add(link)
        self._of[link] = tuple(
            Presence(login.account, login.worker, link.remote_address, agent, difficulty, since_ms)
            for login in session.logins.values()
        )

    def leave(self, link: Link) -> None:
        """It is gone."""
        self._of.pop(link, None)
        for login in map(str, link.session.logins.values()):
            links = self._links.get(login, set())
            links.discard(link)
            if not links:
                self._links.pop(login, None)

    def links_of(self, login: str) -> Iterator[tuple[Link, int]]:
        """The connections of a worker, each with the time when it came."""
        for link in self._links.get(login, ()):
            yield link, self._of[link][0].since_ms

    def everyone(self) -> list[Presence]:
        return list(chain.from_iterable(self._of.values()))
