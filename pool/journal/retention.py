"""Removing old segments, once nothing needs them any more.

A segment goes when all of this holds: it was last written to longer ago than `keep_days`; the ledger itself says that
it has every record of it; the statistics are kept in a file that begins behind it; a later segment is on the disk. The
oldest goes first, and is gone from the disk before the next one: whatever crash comes, a journal has no gap. Numbers
go on.

The last segment of a journal that nobody appends to goes likewise, behind an empty one that says where the numbers end.
Nothing of such a journal goes before the ledger has all of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from pool import disk_events
from pool.failpoints import hit
from pool.journal.reader import written_s
from pool.journal.segments import Segment, first_seq_of, listed, live, segment_paths, sync_file, sync_folder

_LOOK_SECONDS = 600.0
_DAY_SECONDS = 86_400


class LedgerAway(Exception):
    """The ledger cannot be asked; the text says why."""


class Retention:
    """Shortens one journal; `step` is to be called again and again (see `pool.journal.loop`).

    keep_days: at least 1. committed_seq: the journal's last record in the ledger, 0 for none; asked of the ledger, for
    what Redis says may be of another one; raises LedgerAway. folded_seq: the last record that the statistics need not
    read again. durable_seq: of the journal. end: puts an empty segment on the disk, behind all records; None if records
    are still appended. All are called from the thread of the steps. names: as in `Packing`.
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
        end: Callable[[], None] | None = None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._keep_seconds = keep_days * _DAY_SECONDS
        self._names = names
        self._durable_seq = durable_seq
        self._folded_seq = folded_seq
        self._committed_seq = committed_seq
        self._end = end
        self._now_s = now_s
        self._reason: str | None = None

    def step(self) -> float:
        """Remove what may go; returns the seconds until the next step is due. Raises JournalDamaged, OSError."""
        if self._old(self._segments()):
            try:
                committed_seq = self._committed_seq()
            except LedgerAway as away:
                self._wait(str(away))
            else:
                self._wait(self._remove(committed_seq, self._durable_seq()))  # in this order: the ledger is behind
        return _LOOK_SECONDS

    def _segments(self) -> list[Segment]:
        return live(listed(self._folder).values())

    def _old(self, segments: list[Segment]) -> list[Segment]:
        """The oldest segments that nobody wrote to for long enough; the last one only if nobody will."""
        before_s = self._now_s() - self._keep_seconds
        old = []
        for segment in segments:
            if written_s(segment) >= before_s or (segment is segments[-1] and not self._ends_with(segment)):
                break
            old.append(segment)
        return old

    def _ends_with(self, segment: Segment) -> bool:
        """Whether the last record of all stands in it, and none will follow."""
        return self._end is not None and segment.first_seq <= self._durable_seq()

    def _remove(self, committed_seq: int, durable_seq: int) -> str | None:
        """Remove what is old and not needed; why the rest of it stays, if any does."""
        if committed_seq > durable_seq:
            return f"the ledger has records up to {committed_seq}, this journal up to {durable_seq}: it is an old copy"
        if self._end is not None and committed_seq < durable_seq:
            return f"the ledger lacks the records from {committed_seq + 1} on"
        needed_seq = min(committed_seq, self._folded_seq()) + 1
        segments = self._segments()
        # What is relied on: the segment that is left, and the name of the file of the statistics.
        sync_file(segments[-1].path)
        sync_folder(self._folder)
        next_seqs = [*(segment.first_seq for segment in segments[1:]), durable_seq + 1]
        for segment, next_seq in zip(self._old(segments), next_seqs, strict=False):
            if next_seq > needed_seq:
                return f"{segment.path.name} has records from {needed_seq} on that the ledger or the statistics lack"
            if self._end is not None and segment is segments[-1]:
                self._end()
            with self._names:
                for path in segment_paths(self._folder):
                    if first_seq_of(path) == segment.first_seq:
                        path.unlink(missing_ok=True)  # what is compressed is on the disk: the plain one may just go
            hit("journal-segment-removed")
            sync_folder(self._folder)
            disk_events.journal_shortened(self._folder, segment.path, next_seq)
        return None

    def _wait(self, reason: str | None) -> None:
        if reason is not None and self._reason is None:
            disk_events.journal_not_removed(self._folder, reason)
        self._reason = reason
