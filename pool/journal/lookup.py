"""Single records of a journal by their number, each share with its job."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pool.journal.folder import frontend_of
from pool.journal.reader import Reader, RecordsGone
from pool.journal.records import decode
from pool.journal.segments import listed, live
from pool.ports import Record
from pool.work.job import Job
from pool.work.share import Share

JOBS_KEPT: Final = 20_000
"""Jobs remembered while reading on: an accepted share is for one of its tip, and there is a variant a session."""


def journals_in(roots: Iterable[Path]) -> dict[str, Path]:
    """The folders of the journals in these, by the id of each. Raises JournalDamaged."""
    return {frontend_of(marker.parent): marker.parent for root in roots for marker in sorted(root.glob("*/frontend"))}


class Lookup:
    """Records by rising number: what is asked for in that order is read once.

    Reading begins a segment before, since jobs stand in front of their shares, sometimes at the end of the segment
    before. Every method raises JournalDamaged, RecordsUnreadable, OSError.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reader: Reader | None = None
        self._groups: list[tuple[int, list[Record]]] = []
        self._next_seq = 0
        self._jobs: dict[str, Job] = {}

    def record(self, seq: int) -> Record | None:
        """A record; None if the journal does not have it, or not any more."""
        if self._reader is None or (seq < self._next_seq and not self._holds(seq)):
            self._begin(seq)
        while seq >= self._next_seq:
            if self._reader is None or not self._read_on(self._reader):
                return None
        for first_seq, records in self._groups:
            if first_seq <= seq < first_seq + len(records):
                return records[seq - first_seq]
        return None

    def job_of(self, share: Share) -> Job | None:
        """The job of a share that was just looked up; None if it does not stand before it."""
        return self._jobs.get(share.job_id)

    def _holds(self, seq: int) -> bool:
        return any(first_seq <= seq < first_seq + len(records) for first_seq, records in self._groups)

    def _begin(self, seq: int) -> None:
        starts = [segment.first_seq for segment in live(listed(self._folder).values())]
        place = bisect.bisect_right(starts, seq) - 1
        self._groups, self._jobs, self._next_seq, self._reader = [], {}, 0, None
        if place >= 0:
            self._reader = Reader(self._folder, starts[max(0, place - 1)])

    def _read_on(self, reader: Reader) -> bool:
        try:
            found = reader.read(bytes_max=1 << 20)
        except RecordsGone:  # removed since the segments were listed
            found = []
        self._groups = [(group.first_seq, decode(group.count, group.payload)) for group in found]
        for _, records in self._groups:
            for record in records:
                if isinstance(record, Job):
                    self._jobs[record.job_id] = record
        while len(self._jobs) > JOBS_KEPT:
            del self._jobs[next(iter(self._jobs))]
        if found:
            self._next_seq = found[-1].last_seq + 1
        return bool(found)


def shares_between(folder: Path, first_seq: int, last_seq: int) -> Iterator[tuple[int, Share]]:
    """The shares from one record to another, whatever became of them. Raises as Lookup does, and RecordsGone."""
    reader = Reader(folder, first_seq)
    while found := reader.read(last_seq):
        for group in found:
            for seq, record in enumerate(decode(group.count, group.payload), group.first_seq):
                if first_seq <= seq <= last_seq and isinstance(record, Share):
                    yield seq, record
