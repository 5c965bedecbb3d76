"""The machine's clocks as the port `Clock`."""

import time


class SystemClock:
    """Implements `pool.ports.Clock`."""

    def time_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()
