"""Workers that are sent to another endpoint: asked to go (client.reconnect), and reset a little later where that did
nothing. Whoever comes back all the same mines on here: no share is ever refused for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from pool.ports import Clock
from stratum.limits import CloseReason
from stratum.ports import Link
from stratum.states import State


class Redirect(Struct, frozen=True):
    """An order about one worker. host, port: where to go. wait_seconds: what it is told to wait; grace_seconds: after
    both its connection is reset. asked_ms: when it was given; only connections that are older are meant."""

    login: str
    host: str
    port: int
    wait_seconds: int
    grace_seconds: int
    asked_ms: int


class Redirects:
    """The orders that stand, and who is going by them.

    links_of: the connections of a login, each with the Unix milliseconds when it came. reset: ends a connection.
    """

    def __init__(
        self,
        links_of: Callable[[str], Iterable[tuple[Link, int]]],
        reset: Callable[[Link, CloseReason], None],
        clock: Clock,
    ) -> None:
        self._links_of = links_of
        self._reset = reset
        self._clock = clock
        self._standing: dict[str, Redirect] = {}
        # Who was told, by which order, and until when it may take its time.
        self._leaving: dict[Link, tuple[Redirect, float]] = {}
        self._told: dict[str, tuple[int, int]] = {}

    def stand(self, orders: Iterable[Redirect]) -> None:
        """These orders stand from now on, and no others."""
        self._standing = {order.login: order for order in orders}

    def take_told(self) -> dict[str, tuple[int, int]]:
        """By login, who was told since the last call: `asked_ms` of the order, and when."""
        told, self._told = self._told, {}
        return told

    def wave(self) -> None:
        """Call it each second."""
        now = self._clock.monotonic()
        for order in self._standing.values():
            for link, since_ms in list(self._links_of(order.login)):
                if link not in self._leaving and since_ms < order.asked_ms and self._may_go(link):
                    link.session.redirect(order.host, order.port, order.wait_seconds)
                    link.flush()
                    self._leaving[link] = order, now + order.wait_seconds + order.grace_seconds
                    self._told.setdefault(order.login, (order.asked_ms, self._clock.time_ms()))
        for link, (order, until) in list(self._leaving.items()):
            if link.session.state is State.CLOSED or self._standing.get(order.login) != order:
                del self._leaving[link]  # it went, or nobody wants it to go any more
            elif now >= until and not link.session.has_open_shares:
                del self._leaving[link]
                self._reset(link, CloseReason.REDIRECTED)

    def leave(self, link: Link) -> None:
        """The connection is gone."""
        self._leaving.pop(link, None)

    def _may_go(self, link: Link) -> bool:
        """A proxy goes when all of its workers are to go: it would take the others with it."""
        session = link.session
        return session.state is State.READY and all(str(each) in self._standing for each in session.logins.values())
