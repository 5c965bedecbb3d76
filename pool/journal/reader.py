"""Reading a journal from any place on, also while another thread or process writes, compresses or shortens it."""

from __future__ import annotations

import bisect
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pool.journal.format import FRAME_BYTES_MAX, Damaged, Group, Head, decode_group, decode_head
from pool.journal.packed import Content, PackedContent, PlainContent
from pool.journal.segments import JournalDamaged, Segment, listed, live

# As `first_seq`: from the first record that there is, whatever was removed before it.
OLDEST: Final = 0

# A folder's time of change need not move with a change within one tick of the file system's clock (10 ms at most).
_TICK_NS = 1_000_000_000


class RecordsGone(Exception):
    """The journal begins behind the record asked for: what was before it was removed, as `journal_keep_days` says."""

    def __init__(self, folder: Path, wanted_seq: int, first_seq: int) -> None:
        super().__init__(
            f"{folder} begins with record {first_seq}; record {wanted_seq} and those up to there were removed. Put the "
            f"segments that a backup has of them into the folder, under their names."
        )
        self.wanted_seq = wanted_seq
        self.first_seq = first_seq


class Reader:
    """Whole groups in order, from the one that holds `first_seq`.

    next_seq: number of the next record to read; OLDEST before the first one is known. No file stays open between reads,
    and nothing is read beyond what was asked for: one who asks up to `Journal.durable_seq` never sees a group that is
    refused later.
    """

    def __init__(self, folder: Path, first_seq: int = 1) -> None:
        self._folder = folder
        self._known: dict[tuple[str, int], Segment] = {}
        self._live: list[Segment] = []
        self._listed_ns: int | None = None  # the folder's time of change that this list is of, if that can be told
        self.seek(first_seq)

    def seek(self, seq: int) -> None:
        """Go on with the group that holds record `seq`."""
        self.next_seq = seq
        self._content: Content | None = None
        self._first_seq = 0  # of the segment that it is the content of
        self._offset = 0
        self._expected = 0  # number of the record at the offset; below next_seq only until that is found

    def read(
        self, last_seq: int | None = None, *, bytes_max: int = FRAME_BYTES_MAX, records_max: int = 1 << 20
    ) -> list[Group]:
        """The next groups up to record `last_seq`, or to the end as it is now for None.

        At least one group if there is one, then as many as fit. Raises JournalDamaged, also if the journal ends before
        `last_seq`; RecordsGone; OSError.
        """
        taken = _Taken(bytes_max, records_max)
        if last_seq is not None and self.next_seq > last_seq:
            return taken.groups
        try:
            self._read_on(taken, last_seq)
        except (FileNotFoundError, JournalDamaged, RecordsGone):
            # A segment may have been compressed or removed while the folder was listed; then it is right at the second
            # look. What was read before the place that is not is good.
            self._listed_ns = self._content = None
            if not taken.groups:
                self._read_on(taken, last_seq)
        return taken.groups

    def _read_on(self, taken: _Taken, last_seq: int | None) -> None:
        segments = self._segments()
        while segments and (last_seq is None or self.next_seq <= last_seq):
            content, end = self._enter(segments)
            self._take(content, taken, last_seq, end)
            if taken.full or (last_seq is not None and self._expected > last_seq):
                break
            if end is None or self._expected < end:  # the segment is at its end
                wanted = last_seq if end is None else end - 1
                if wanted is not None:
                    raise JournalDamaged(content.path, self._offset, f"it ends before record {wanted}")
                break

    def _segments(self) -> list[Segment]:
        """What is there now, by first record; headers are read once, and nothing while the folder does not change."""
        try:
            changed_ns = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return []
        if changed_ns != self._listed_ns:
            self._listed_ns = changed_ns if time.time_ns() - changed_ns > _TICK_NS else None
            self._known = listed(self._folder, self._known)
            self._live = live(self._known.values())
        return self._live

    def _enter(self, segments: list[Segment]) -> tuple[Content, int | None]:
        """Find the segment to read on in, and the first record of the one behind it."""
        seq = self._expected if self._first_seq else self.next_seq
        place = bisect.bisect_right(segments, seq, key=lambda segment: segment.first_seq) - 1
        if place < 0:
            if seq != OLDEST:
                raise RecordsGone(self._folder, seq, segments[0].first_seq)
            place, self.next_seq = 0, segments[0].first_seq
        segment = segments[place]
        content = self._content
        if content is None or content.path != segment.path:
            content = self._content = content_of(segment)
        if self._first_seq != segment.first_seq:
            self._first_seq = segment.first_seq
            self._offset, self._expected = content.place_of(self.next_seq)
        return content, segments[place + 1].first_seq if place + 1 < len(segments) else None

    def _take(self, content: Content, taken: _Taken, last_seq: int | None, end: int | None) -> None:
        """Read on within a segment, to record `end` or `last_seq` or the end of the file."""
        try:
            data, place = content.read_at(self._offset), 0
            while (end is None or self._expected < end) and (last_seq is None or self._expected <= last_seq):
                size = self._step(data, place, taken)
                if taken.full or (size == 0 and place == 0):
                    return
                if size == 0:  # cut off by the end of the chunk, perhaps not by that of the segment
                    data, place = content.read_at(self._offset), 0
                place += size
        except Damaged as damaged:
            raise JournalDamaged(content.path, self._offset, str(damaged)) from damaged

    def _step(self, data: bytes, place: int, taken: _Taken) -> int:
        """Pass one frame, taking its group if it is wanted. Returns its size; 0 if it is not whole or not taken."""
        head = decode_head(data, place)
        if head is None or place + head.frame_bytes > len(data):
            return 0
        if head.first_seq != self._expected:
            raise Damaged(f"record {head.first_seq} stands where {self._expected} belongs")
        if head.last_seq >= self.next_seq:
            if not taken.fits(head):
                return 0
            taken.groups.append(decode_group(head, data, place))
            self.next_seq = head.last_seq + 1
        self._offset += head.frame_bytes
        self._expected = head.last_seq + 1
        return head.frame_bytes


class _Taken:
    """Groups up to a limit; the first one is always taken."""

    def __init__(self, bytes_max: int, records_max: int) -> None:
        self.groups: list[Group] = []
        self.full = False
        self._bytes_left = bytes_max
        self._records_left = records_max

    def fits(self, head: Head) -> bool:
        """Whether the group behind this head may still be taken; it is counted."""
        self._bytes_left -= head.payload_bytes
        self._records_left -= head.count
        self.full = bool(self.groups) and (self._bytes_left < 0 or self._records_left < 0)
        return not self.full


def groups(folder: Path, first_seq: int = 1) -> Iterator[Group]:
    """All groups from record `first_seq` on, to the end as it is when it is reached."""
    reader = Reader(folder, first_seq)
    while found := reader.read():
        yield from found


def content_of(segment: Segment) -> Content:
    """Its bytes. Raises JournalDamaged, FileNotFoundError."""
    return packed_content(segment.path) if segment.is_packed else PlainContent(segment.path, segment.first_seq)


def packed_content(path: Path) -> PackedContent:
    """Those of a compressed segment. Raises JournalDamaged, FileNotFoundError."""
    try:
        return PackedContent(path)
    except Damaged as damaged:
        raise JournalDamaged(path, 0, str(damaged)) from damaged


def tail(folder: Path, bytes_max: int) -> Iterator[Group]:
    """The groups of the newest segments, of as many as had no more bytes together; of the newest in any case."""
    first: Segment | None = None
    for segment in reversed(live(listed(folder).values())):
        bytes_max -= _plain_bytes(segment)
        if first is not None and bytes_max < 0:
            break
        first = segment
    if first is not None:
        yield from groups(folder, first.first_seq)


def recent(folder: Path, since_s: float) -> Iterator[Group]:
    """The groups of every segment that was written to since a time (Unix seconds), and of the one before: jobs stand in
    front of their shares, sometimes at the end of the segment before."""
    segments = live(listed(folder).values())
    first = next((i for i, each in enumerate(segments) if written_s(each) >= since_s), len(segments))
    if segments:
        yield from groups(folder, segments[max(0, first - 1)].first_seq)


def written_s(segment: Segment) -> float:
    """When a segment was last written to, Unix seconds; compressing keeps it. Infinite if it is just gone."""
    try:
        return segment.path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _plain_bytes(segment: Segment) -> int:
    try:
        content = content_of(segment)
        return content.plain_bytes if isinstance(content, PackedContent) else segment.path.stat().st_size
    except FileNotFoundError:
        return 0
