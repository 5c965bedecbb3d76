"""Removing old segments, once nothing needs them any more.

A segment goes when all of this holds: it was last written to longer ago than `keep_days`; the ledger itself says that
it has every record of it; the statistics are kept in a file that begins behind it; a later segment is on the disk. The
oldest goes first, and is gone from the disk before the next one: whatever crash comes, a journal has no gap. Numbers
go on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from pool import disk_events
from pool.failpoints import hit
from pool.journal.reader import written_s
from pool.journal.segments import Segment, first_seq_of, listed, live, segment_paths, sync_folder

_LOOK_SECONDS = 600.0
_DAY_SECONDS = 86_400


class LedgerAway(Exception):
    """The ledger cannot be asked; the text says why."""


class Retention:
    """Shortens one journal; `step` is to be called again and again (see `pool.journal.loop`).

    keep_days: at least 1. committed_seq: the journal's last record in the ledger, 0 for none; asked of the ledger, for
    what Redis says may be of another one; raises LedgerAway. folded_seq: the last record that the statistics need not
    read again. durable_seq: of the journal. All are called from the thread of the steps. names: as in `Packing`.
    """

    def __init__(
        self,
        folder: Path,
        keep_days: int,
        names: threading.Lock,
        *,
        durable_seq: Callable[[], int],
        folded_seq: Callable[[], int],
        committed_seq: Callable[[], int],
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._keep_seconds = keep_days * _DAY_SECONDS
        self._names = names
        self._durable_seq = durable_seq
        self._folded_seq = folded_seq
        self._committed_seq = committed_seq
        self._now_s = now_s
        self._reason: str | None = None

    def step(self) -> float:
        """Remove what may go; returns the seconds until the next step is due. Raises JournalDamaged, OSError."""
        segments = live(listed(self._folder).values())
        old = self._old(segments)
        if old:
            try:
                needed_seq = min(self._committed_seq(), self._folded_seq(), self._durable_seq()) + 1
            except LedgerAway as away:
                self._wait(str(away))
                return _LOOK_SECONDS
            self._remove(old, [*segments[1:]], needed_seq)
        return _LOOK_SECONDS

    def _old(self, segments: list[Segment]) -> list[Segment]:
        """The oldest segments that nobody wrote to for long enough; never the last one."""
        before_s = self._now_s() - self._keep_seconds
        old = []
        for segment in segments[:-1]:
            if written_s(segment) >= before_s:
                break
            old.append(segment)
        return old

    def _remove(self, old: list[Segment], behind: list[Segment], needed_seq: int) -> None:
        reason = None
        for segment, next_one in zip(old, behind, strict=False):
            if next_one.first_seq > needed_seq:
                reason = f"{segment.path.name} has records from {needed_seq} on that the ledger or the statistics lack"
                break
            with self._names:
                for path in segment_paths(self._folder):
                    if first_seq_of(path) == segment.first_seq:
                        path.unlink(missing_ok=True)  # what is compressed is on the disk: the plain one may just go
            hit("journal-segment-removed")
            sync_folder(self._folder)
            disk_events.journal_shortened(self._folder, segment.path, next_one.first_seq)
        self._wait(reason)

    def _wait(self, reason: str | None) -> None:
        if reason is not None and self._reason is None:
            disk_events.journal_not_removed(self._folder, reason)
        self._reason = reason
