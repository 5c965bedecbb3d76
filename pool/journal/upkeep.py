"""The threads that keep a journal small: one compresses what is full, one removes what is old."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pool.journal.loop import Loop
from pool.journal.packing import Packing
from pool.journal.retention import Retention
from pool.journal.shipper import Shipped

_JOIN_SECONDS = 2.0


class Upkeep:
    """Of one journal, from `start` to `stop`; while the journal is open.

    keep_days: 0 for ever. folded_seq, committed_seq, end: as in `Retention`. among: as in `Packing`.
    """

    def __init__(
        self,
        journal: Shipped,
        keep_days: int,
        *,
        folded_seq: Callable[[], int],
        committed_seq: Callable[[], int],
        end: Callable[[], None] | None = None,
        among: int = 1,
    ) -> None:
        names = threading.Lock()
        self._packing = Packing(journal.folder, lambda: journal.durable_seq, names, among=among)
        self.loops = [Loop("packing", self._packing.step)]
        if keep_days:
            retention = Retention(
                journal.folder,
                keep_days,
                names,
                durable_seq=lambda: journal.durable_seq,
                folded_seq=folded_seq,
                committed_seq=committed_seq,
                end=end,
            )
            self.loops.append(Loop("retention", retention.step))

    def start(self) -> None:
        """Begin the threads."""
        for loop in self.loops:
            loop.start()

    def stop(self) -> None:
        """End them; what is half compressed is left off. Blocks."""
        ended = [loop.stop(_JOIN_SECONDS) for loop in self.loops]
        if all(ended):
            self._packing.close()
