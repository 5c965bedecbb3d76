"""What flows over one connection, counted, in plain Python: the definition of `native.flow`."""

from __future__ import annotations

import math


class Flow:
    """The numbers of a session that each share changes, so that they are in one place of its memory.

    accepted: shares accepted over it. read_bytes: read from it, since whoever sets it to 0 did that. fresh: difficulty
    of the accepted shares, likewise. alarm: how much of that is worth a look at once.
    """

    __slots__ = ("accepted", "alarm", "fresh", "read_bytes")

    def __init__(self) -> None:
        self.accepted = 0
        self.read_bytes = 0
        self.fresh = 0.0
        self.alarm = math.inf

    def take(self, difficulty: float) -> bool:
        """Count an accepted share. Returns whether there is need for a look; once until `alarm` is set again."""
        self.accepted += 1
        self.fresh += difficulty
        if self.fresh < self.alarm:
            return False
        self.alarm = math.inf
        return True

    def read(self, count: int) -> int:
        """Count bytes that came in. Returns `read_bytes`."""
        self.read_bytes += count
        return self.read_bytes
