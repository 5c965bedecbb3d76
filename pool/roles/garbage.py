"""When Python looks for garbage that holds itself in cycles: by our clock, not whenever so many objects were made.

By itself it goes through everything again whenever a quarter more lives than the last time, some 15 microseconds for
each session: with ten thousand 0.15 seconds, in which no share is answered, and at full load every few seconds. And
there is next to nothing to find, because a session that ends takes its own cycles apart; all else is freed at once.
"""

from __future__ import annotations

import gc
from typing import Any, Final, Protocol

from twisted.internet.task import LoopingCall

YOUNG_SECONDS: Final = 1.0
"""What was made since the last time: never much."""

ALL_SECONDS: Final = 600.0


class Collector(Protocol):
    """Python's `gc`."""

    def disable(self) -> None: ...

    def collect(self, generation: int, /) -> int: ...


class GarbageCollection:
    """Collects when it is time, from `start` to `stop`; Python by itself does no more."""

    def __init__(self, reactor: Any, collector: Collector = gc) -> None:
        self._collector = collector
        self._young = LoopingCall(collector.collect, 1)
        self._all = LoopingCall(collector.collect, 2)
        self._young.clock = self._all.clock = reactor

    def start(self) -> None:
        self._collector.disable()
        self._young.start(YOUNG_SECONDS, now=False)
        self._all.start(ALL_SECONDS, now=False)

    def stop(self) -> None:
        for loop in (self._young, self._all):
            if loop.running:
                loop.stop()
