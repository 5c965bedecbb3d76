"""The two threads that carry a journal to Redis: its records to accounting, its counts to the dashboard."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pool.journal.loop import Loop
from pool.journal.segments import JournalDamaged
from pool.journal.shipping import ShareStream, Shipping
from pool.journal.statistics import Statistics, TallyBoard
from pool.ports import StoreUnavailable

# What may be left when a role ends: the last moment of a journal that was shipped all along, or the buffer of a long
# outage, which the next start ships.
_LAST_SECONDS = 2.0
_JOIN_SECONDS = 6.0


class Store(ShareStream, TallyBoard, Protocol):
    """Redis, as far as a journal needs it."""


class Shipped(Protocol):
    """A journal, as far as it is shipped. durable_seq: its last record that is on the disk; asked from any thread."""

    folder: Path
    frontend: str
    durable_seq: int


class Shipper:
    """Ships and counts what is durable in a journal, through every outage, from `start` to `stop`."""

    def __init__(self, journal: Shipped, store: Store, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._shipping = Shipping(journal.folder, journal.frontend, lambda: journal.durable_seq, store)
        self._statistics = Statistics(journal.folder, journal.frontend, lambda: journal.durable_seq, store, monotonic)
        self.loops = (Loop("shipper", self._shipping.step), Loop("statistics", self._statistics.step))

    @property
    def folded_seq(self) -> int:
        """The last record that no start folds into the statistics again; may be asked from any thread."""
        return self._statistics.kept_seq

    def start(self) -> None:
        """Begin both threads."""
        for loop in self.loops:
            loop.start()

    def stop(self) -> None:
        """End both threads; what a closed journal still holds is shipped if that takes but a moment. Blocks."""
        ended = [loop.stop(_JOIN_SECONDS) for loop in self.loops]
        if not all(ended):
            return
        deadline = self._monotonic() + _LAST_SECONDS
        with contextlib.suppress(StoreUnavailable, JournalDamaged, OSError):
            while self._shipping.step() == 0.0 and self._monotonic() < deadline:
                pass
        self._statistics.keep()
