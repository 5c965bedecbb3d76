"""Emptying a stratum process: its miners are sent away in waves, so that they do not all come to the next door at once.

Each is asked to go elsewhere, if there is a place to name, and reset a little later: after a reset miners return at
once, after a mere close they wait (btcpool #322). Until its turn comes, everyone mines on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct
from twisted.internet.defer import Deferred

from stratum.limits import CloseReason
from stratum.ports import Link
from stratum.states import State

GRACE_WAVES: Final = 3
"""Waves between the request to reconnect and the reset: a reset may overtake what its receiver has not read yet."""


class Target(Struct, frozen=True):
    """Where miners are sent. wait_seconds: what they are told to wait before."""

    host: str
    port: int
    wait_seconds: int = 0


class Draining:
    """How a server gets rid of its miners, at its end or while there is no work. reset: ends a connection."""

    def __init__(self, reset: Callable[[Link, CloseReason], None]) -> None:
        self._reset = reset
        self._drain: Drain | None = None
        self._over: Deferred[None] | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether somebody is still to go."""
        return self._drain is not None

    async def begin(self, waves: int, target: Target | None, reason: CloseReason = CloseReason.DRAINED) -> None:
        """Send everyone away in so many waves, to the target if there is one; returns when all are gone, or when
        somebody is in a hurry. To be preceded by closing the doors."""
        self._drain = Drain(waves, target, lambda link: self._reset(link, reason))
        self._over = Deferred()
        await self._over

    def wave(self, links: Iterable[Link]) -> None:
        """Call it at even times."""
        if self._drain is not None and self._drain.wave(links):
            self.hurry()

    def hurry(self) -> None:
        """Wait no longer."""
        self._drain = None
        over, self._over = self._over, None
        if over is not None:
            over.callback(None)


class Drain:
    """Call `wave` at even times, so many times in all.

    target: where to go; None to leave that to the miners. reset: ends a connection.
    """

    def __init__(self, waves: int, target: Target | None, reset: Callable[[Link], None]) -> None:
        self._waves_left = max(1, waves)
        self._target = target
        self._reset = reset
        # Who is on its way, and for how many waves more it may take its time.
        self._leaving: dict[Link, int] = {}

    def wave(self, links: Iterable[Link]) -> bool:
        """Send the next part of the connections away; returns whether it was the last one, and nobody is left."""
        here = dict.fromkeys(links)
        self._leaving = {link: waves - 1 for link, waves in self._leaving.items() if link in here}
        staying = [link for link in here if link not in self._leaving]
        for link in staying[: math.ceil(len(staying) / max(1, self._waves_left))]:
            self._leaving[link] = self._send_away(link)
        self._waves_left -= 1
        for link, waves in list(self._leaving.items()):
            # Whose shares wait for the journal gets its answers first.
            if waves <= 0 and not link.session.has_open_shares:
                del self._leaving[link], here[link]
                self._reset(link)
        return not here

    def _send_away(self, link: Link) -> int:
        """Returns after how many waves it is to be reset."""
        if self._target is None or link.session.state is not State.READY:
            return 0
        link.session.redirect(self._target.host, self._target.port, self._target.wait_seconds)
        link.flush()
        return GRACE_WAVES
