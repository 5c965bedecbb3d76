"""How fast a fleet is told to go: so many machines, so often."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

DEFAULT_PACE = "10%/15min"
MINUTE_MS = 60_000
SECOND_MS = 1_000
CATCH_UP_MS = 5_000
"""After a pause of whoever tells them, so much of what was missed is made up for at once, and no more: or ten minutes
of a stopped role would become one burst."""

_RATE = re.compile(r"([1-9][0-9]{0,4})/min")
_WAVE = re.compile(r"([1-9][0-9]?|100)%/([1-9][0-9]{0,3})(min|s)")


class BadPace(ValueError):
    """It is no pace. The text says what one looks like."""


class Pace(Struct, frozen=True):
    """A wave of `size` machines each `every_ms`."""

    size: int
    every_ms: int

    def slots(self, last_ms: int | None, in_last: int, since_ms: int, now_ms: int) -> Iterator[int]:
        """When each next machine is due, without end. last_ms: the slot of whoever was told last, None for nobody;
        in_last: how many had that one. since_ms: since when anybody may be told."""
        slot_ms, left = since_ms, self.size
        if last_ms is not None:
            if last_ms >= since_ms and in_last < self.size and now_ms - last_ms <= CATCH_UP_MS:
                slot_ms, left = last_ms, self.size - in_last
            else:
                slot_ms = max(last_ms + self.every_ms, since_ms)
        slot_ms = max(slot_ms, now_ms - CATCH_UP_MS)
        while True:
            for _ in range(left):
                yield slot_ms
            slot_ms, left = slot_ms + self.every_ms, self.size

    def schedule(self, count: int, since_ms: int) -> list[int]:
        """When each of so many machines is due if nobody interferes."""
        return list(islice(self.slots(None, 0, since_ms, since_ms), count))

    def lasts_ms(self, count: int) -> int:
        """From the first machine to the last."""
        return max(0, -(-count // self.size) - 1) * self.every_ms


def parse_pace(text: str, count: int) -> Pace:
    """`20/min`: machine by machine, evenly; `10%/15min` or `10%/30s`: waves of a tenth of the whole, which is `count`.
    Raises BadPace."""
    if match := _RATE.fullmatch(text):
        rate = int(match[1])
        size = -(-rate // (MINUTE_MS // 1000))  # no finer than a second: whoever tells them looks once in one
        return Pace(size, size * MINUTE_MS // rate)
    if match := _WAVE.fullmatch(text):
        unit_ms = MINUTE_MS if match[3] == "min" else SECOND_MS
        return Pace(max(1, -(-count * int(match[1]) // 100)), int(match[2]) * unit_ms)
    raise BadPace(
        f"{text!r} is no pace: write 20/min (machines each minute), 10%/15min or 10%/30s (a tenth of all in each wave)"
    )
