"""Reading a journal from any place on, also while another thread or process writes it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from pool.journal.format import FRAME_BYTES_MAX, HEADER_BYTES, Damaged, Group, Head, decode_group, decode_head
from pool.journal.segments import JournalDamaged, Segment, live, read_segment, segment_paths

# One read from the file, if no frame is larger: about what the shipper and the statistics ask for at a time.
_CHUNK_BYTES = 256 * 1024


class Reader:
    """Whole groups in order, from the one that holds `first_seq`, or from the first there is if older ones are gone.

    next_seq: number of the next record to read. No file stays open between reads, and nothing is read beyond what was
    asked for: one who asks up to `Journal.durable_seq` never sees a group that is refused later.
    """

    def __init__(self, folder: Path, first_seq: int = 1) -> None:
        self._folder = folder
        self._known: dict[tuple[str, int], Segment] = {}
        self.seek(first_seq)

    def seek(self, seq: int) -> None:
        """Go on with the group that holds record `seq`."""
        self.next_seq = seq
        self._path: Path | None = None
        self._offset = 0
        self._expected = 0  # number of the record at the offset; below next_seq only until that is found

    def read(
        self, last_seq: int | None = None, *, bytes_max: int = FRAME_BYTES_MAX, records_max: int = 1 << 20
    ) -> list[Group]:
        """The next groups up to record `last_seq`, or to the end as it is now for None.

        At least one group if there is one, then as many as fit. Raises JournalDamaged, also if the journal ends before
        `last_seq`; OSError.
        """
        taken = _Taken(bytes_max, records_max)
        if last_seq is not None and self.next_seq > last_seq:
            return taken.groups
        segments = self._segments()
        while last_seq is None or self.next_seq <= last_seq:
            if not segments:
                break
            path, end = self._enter(segments)
            self._take(path, taken, last_seq, end)
            if taken.full or (last_seq is not None and self._expected > last_seq):
                break
            if end is None or self._expected < end:  # the file is at its end
                wanted = last_seq if end is None else end - 1
                if wanted is not None:
                    raise JournalDamaged(path, self._offset, f"it ends before record {wanted}")
                break
        return taken.groups

    def _segments(self) -> list[Segment]:
        """What is there now, by first record; headers are read once."""
        known = {}
        for path in segment_paths(self._folder):
            with contextlib.suppress(FileNotFoundError):  # one that was superseded in this moment
                key = (path.name, path.stat().st_ino)
                known[key] = self._known.get(key) or read_segment(path)
        self._known = known
        return live(known.values())

    def _enter(self, segments: list[Segment]) -> tuple[Path, int | None]:
        """Find the segment to read on in, and the first record of the one behind it."""
        seq = self.next_seq if self._path is None else self._expected
        place = max((i for i, segment in enumerate(segments) if segment.first_seq <= seq), default=0)
        segment = segments[place]
        if self._path != segment.path:
            self._path, self._offset, self._expected = segment.path, HEADER_BYTES, segment.first_seq
            self.next_seq = max(self.next_seq, segment.first_seq)
        return segment.path, segments[place + 1].first_seq if place + 1 < len(segments) else None

    def _take(self, path: Path, taken: _Taken, last_seq: int | None, end: int | None) -> None:
        """Read on within a segment, to record `end` or `last_seq` or the end of the file."""
        with path.open("rb") as file:
            file.seek(self._offset)
            asked = _CHUNK_BYTES
            data, place = file.read(asked), 0
            while (end is None or self._expected < end) and (last_seq is None or self._expected <= last_seq):
                try:
                    size = self._step(data, place, taken)
                except Damaged as damaged:
                    raise JournalDamaged(path, self._offset, str(damaged)) from damaged
                if taken.full or (size == 0 and place == 0 and (len(data) < asked or asked == FRAME_BYTES_MAX)):
                    return
                if size == 0:  # cut off by the end of the chunk, perhaps not by that of the file
                    file.seek(self._offset)
                    asked = _CHUNK_BYTES if place else FRAME_BYTES_MAX
                    data, place = file.read(asked), 0
                place += size

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


def tail(folder: Path, bytes_max: int) -> Iterator[Group]:
    """The groups of the newest segments, of as many as have no more bytes together; of the newest in any case."""
    first: Segment | None = None
    for segment in reversed(live(read_segment(path) for path in segment_paths(folder))):
        bytes_max -= segment.path.stat().st_size
        if first is not None and bytes_max < 0:
            break
        first = segment
    if first is not None:
        yield from groups(folder, first.first_seq)


def recent(folder: Path, since_s: float) -> Iterator[Group]:
    """The groups of every segment that was written to since a time (Unix seconds), and of the one before: jobs stand in
    front of their shares, sometimes at the end of the segment before."""
    segments = live(read_segment(path) for path in segment_paths(folder))
    first = next((i for i, each in enumerate(segments) if each.path.stat().st_mtime >= since_s), len(segments))
    if segments:
        yield from groups(folder, segments[max(0, first - 1)].first_seq)
