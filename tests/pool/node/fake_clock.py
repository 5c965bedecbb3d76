"""The two clocks of `pool.ports.Clock`, driven by a Twisted Clock."""

from __future__ import annotations

from twisted.internet.task import Clock


class FakeClock:
    """Wall clock and monotonic clock of one `task.Clock`; the wall clock may be set back."""

    def __init__(self, reactor: Clock, start_ms: int = 1_700_000_000_000) -> None:
        self._reactor = reactor
        self.start_ms = start_ms

    def time_ms(self) -> int:
        return self.start_ms + int(self._reactor.seconds() * 1000)

    def monotonic(self) -> float:
        return self._reactor.seconds()
