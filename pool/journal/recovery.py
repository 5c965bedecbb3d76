"""Opening a journal after whatever ended it: the cut-off tail goes, everything else must be whole."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from pool import events
from pool.journal.format import HEADER_BYTES, Damaged, decode_frame, whole_frame_behind
from pool.journal.segments import (
    JournalDamaged,
    Segment,
    live,
    read_segment,
    segment_paths,
    sync_folder,
    unfinished_paths,
)


class Tail(Struct, frozen=True):
    """Where a journal goes on. segment: the one to append to, after its first `size` bytes; None in a new journal."""

    next_seq: int
    ordinal: int
    segment: Segment | None
    size: int


class _End(Struct, frozen=True):
    """The end of one segment: its whole groups take `size` bytes; cut_bytes follow that are no group."""

    segment: Segment
    next_seq: int
    size: int
    cut_bytes: int


def recover(folder: Path, frontend: str) -> Tail:
    """Repair what a crash can leave, put all of it on disk, and find the end.

    Cut away is only what is not whole and has nothing whole behind it: such a group was never acknowledged in a journal
    that is synced, and stands in the window that mode `relaxed` may lose. Raises JournalDamaged for anything else,
    OSError if the disk fails.
    """
    for path in unfinished_paths(folder):
        path.unlink()
    segments = _readable(folder)
    for segment in segments:
        if segment.header.frontend != frontend:
            raise JournalDamaged(segment.path, 0, f"the segment belongs to journal {segment.header.frontend}")
    kept = live(segments)
    for segment in segments:
        if segment not in kept:
            segment.path.unlink()
            events.journal_segment_dropped(segment.path, "a later segment holds its records")
    end = _end(kept)
    for segment in kept:
        _sync(segment.path)
    sync_folder(folder)
    ordinal = max((segment.header.ordinal for segment in segments), default=0)
    if end is None:
        return Tail(1, ordinal, None, 0)
    return Tail(end.next_seq, ordinal, end.segment, end.size)


def _end(kept: list[Segment]) -> _End | None:
    """The end of the last segment that has something to go on from; tails that were cut off are removed."""
    while kept:
        last = _scan(kept[-1])
        before = _scan(kept[-2]) if len(kept) > 1 else None
        if before is not None and before.next_seq < last.segment.first_seq:
            if last.next_seq > last.segment.first_seq:
                raise JournalDamaged(
                    before.segment.path, before.size, "records are missing from here to the next segment"
                )
            kept.pop().path.unlink()
            events.journal_segment_dropped(last.segment.path, "it is empty, and the one before it was cut off")
            continue
        if last.cut_bytes:
            os.truncate(last.segment.path, last.size)
            events.journal_tail_cut(last.segment.path, last.size, last.cut_bytes)
        return last
    return None


def _readable(folder: Path) -> list[Segment]:
    """All segments; a last one that a power cut left empty is removed."""
    paths = segment_paths(folder)
    if paths and _is_blank(paths[-1]):
        paths[-1].unlink()
        events.journal_segment_dropped(paths[-1], "nothing of it reached the disk")
        return _readable(folder)
    return [read_segment(path) for path in paths]


def _is_blank(path: Path) -> bool:
    """Whether not even the header was written: the name reached the disk before the bytes."""
    if path.stat().st_size < HEADER_BYTES:
        return True
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            if any(chunk):
                return False
    return True


def _scan(segment: Segment) -> _End:
    """Where the whole groups of a segment end. Raises JournalDamaged if any stands behind one that is not whole."""
    data = segment.path.read_bytes()
    next_seq, offset = segment.first_seq, HEADER_BYTES
    while offset < len(data):
        try:
            found = decode_frame(data, offset)
        except Damaged as damaged:
            if whole_frame_behind(data, offset, next_seq):
                raise JournalDamaged(segment.path, offset, str(damaged)) from damaged
            break
        if found is None:
            break
        group, end = found
        if group.first_seq != next_seq:
            raise JournalDamaged(segment.path, offset, f"record {group.first_seq} stands where {next_seq} belongs")
        next_seq, offset = group.last_seq + 1, end
    return _End(segment, next_seq, offset, len(data) - offset)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
