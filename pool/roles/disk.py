"""How much room there is on the disk of a folder; an alarm before there is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.task import LoopingCall

from pool import disk_events

# A disk of ten thousand machines' shares fills by a megabyte in this time.
LOOK_SECONDS = 5.0

# The alarm ends this much above its limit, so that it does not come and go.
_ABOVE = 1.05

_MIB = 1024 * 1024


class Disk:
    """Watches one folder's disk from `start` to `stop`.

    low_percent, low_mib: below either the room is low; 0 for never. statvfs: as `os.statvfs`. each: also done at each
    look.
    """

    def __init__(
        self,
        folder: Path,
        low_percent: int,
        low_mib: int,
        reactor: Any,
        *,
        statvfs: Callable[[Path], os.statvfs_result] = os.statvfs,
        each: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder = folder
        self._low_percent = low_percent
        self._low_bytes = low_mib * _MIB
        self._statvfs = statvfs
        self._each = each
        self._loop = LoopingCall(self._look)
        self._loop.clock = reactor
        self._free_bytes = self._total_bytes = 0
        self._is_low = False

    def start(self) -> None:
        """Look now, then again and again."""
        self._loop.start(LOOK_SECONDS)

    def stop(self) -> None:
        """No more looks."""
        if self._loop.running:
            self._loop.stop()

    def status(self) -> dict[str, object] | None:
        """For the sign of life; None while nothing is known."""
        if not self._total_bytes:
            return None
        return {"free_bytes": self._free_bytes, "total_bytes": self._total_bytes, "is_low": self._is_low}

    def _look(self) -> None:
        try:
            found = self._statvfs(self._folder)
        except OSError:
            return  # who writes there says so
        self._free_bytes, self._total_bytes = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
        limit = max(self._low_bytes, self._total_bytes * self._low_percent // 100)
        if not self._is_low and self._free_bytes < limit:
            self._is_low = True
            disk_events.disk_low(self._folder, self._free_bytes, self._total_bytes)
        elif self._is_low and self._free_bytes >= limit * _ABOVE:
            self._is_low = False
            disk_events.disk_has_room(self._folder, self._free_bytes)
        self._each()
