"""Something that one process of all does, in a thread of its own, again and again: by a lease that each of its
transactions renews. Why it is so: docs/decisions/0071-moves-are-orders-that-stand.md.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Final

from sqlalchemy import Connection

from payout.ports import LedgerUnavailable
from payout.store.leases import SqlLeases
from pool import events
from pool.ports import Clock, StoreUnavailable
from pool.roles.processes import has_ended, this_process

STOP_SECONDS: Final = 10.0

REST_PART: Final = 0.1
"""Of the time between two looks it rests in any case."""


class LeaseLoop(ABC):
    """The loop. name: of thread and lease; lease_ms: how long it holds; every_seconds: from the beginning of one look
    to that of the next."""

    def __init__(self, name: str, lease_ms: int, every_seconds: float, clock: Clock, holder: str | None) -> None:
        self._name = name
        self._lease_ms = lease_ms
        self._every_seconds = every_seconds
        self._clock = clock
        self._holder = holder or this_process()
        self._trouble: str | None = None
        self._must_end = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._must_end.set()
        self._thread.join(STOP_SECONDS)

    def tick(self) -> None:
        """One look; what the world refuses is said once, and once more when it is over."""
        try:
            self._look()
        except (LedgerUnavailable, StoreUnavailable) as error:
            if self._trouble != str(error):
                self._trouble = str(error)
                self._waits(str(error))
        else:
            if self._trouble is not None:
                self._trouble = None
                self._goes_on()

    @abstractmethod
    def _look(self) -> None:
        """Look, and do what is due. Raises LedgerUnavailable, StoreUnavailable."""

    @abstractmethod
    def _waits(self, message: str) -> None:
        """Tell what keeps it."""

    @abstractmethod
    def _goes_on(self) -> None:
        """Tell that this is over."""

    def _holds(self, connection: Connection, now_ms: int) -> int | None:
        """The fence of this process if it is the one that does it, which is another one as soon as another process was
        in between; else None. connection: of the transaction that writes what it did."""
        leases = SqlLeases(connection)
        holder = leases.holder(self._name)
        dead = holder if holder is not None and has_ended(holder) else None
        return leases.take(self._name, self._holder, now_ms, now_ms + self._lease_ms, dead)

    def _run(self) -> None:
        pause = self._every_seconds
        while not self._must_end.wait(pause):
            began = self._clock.monotonic()
            try:
                self.tick()
            except Exception as error:  # noqa: BLE001 - a thread has nobody above it: the next look is a new try
                events.bug(self._name, error)
            pause = pause_after(self._clock.monotonic() - began, self._every_seconds)


def pause_after(took_seconds: float, every_seconds: float) -> float:
    """How long to rest after a look, so that looks keep their pace; a little in any case, for whatever makes them slow
    has others to serve."""
    return max(every_seconds - took_seconds, every_seconds * REST_PART)
