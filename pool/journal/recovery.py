"""Opening a journal after whatever ended it: what never reached the disk goes, everything else must be whole.

A power cut may keep a later page of a file and lose an earlier one, and a later file and lose part of the one before.
So what is broken is not always the last thing there is. But each group says which record was on the disk when it was
written, and what is broken at or before such a record was damaged later: then nothing is touched, and a person must
look.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from pool.journal import events
from pool.journal.format import HEADER_BYTES, Damaged, decode_group, decode_head, synced_behind
from pool.journal.reader import packed_content
from pool.journal.segments import (
    JournalDamaged,
    Segment,
    first_seq_of,
    is_packed,
    live,
    read_segment,
    segment_paths,
    sync_file,
    sync_folder,
    unfinished_paths,
)

_MISSING = "records are missing from here to the next segment"


class Tail(Struct, frozen=True):
    """Where a journal goes on. segment: the one to append to, after its first `size` bytes; None: a new one."""

    next_seq: int
    ordinal: int
    segment: Segment | None
    size: int


class _End(Struct, frozen=True):
    """The end of one segment.

    Its whole groups take `size` bytes; cut_bytes follow that are no group, because of `reason`. synced_seq: the last
    record that any whole group in it says was on the disk. header: whether that is whole.
    """

    path: Path
    first_seq: int
    next_seq: int
    size: int
    cut_bytes: int
    synced_seq: int
    reason: str = _MISSING
    header: bool = True


def recover(folder: Path, frontend: str) -> Tail:
    """Repair what a crash can leave, put all of it on disk, and find the end.

    Cut away is only what is not whole, and what stands behind that, if nothing says that it was on the disk: such a
    group was never acknowledged in a journal that is synced, and stands in the window that mode `relaxed` may lose.
    Raises JournalDamaged for anything else, OSError if the disk fails.
    """
    for path in unfinished_paths(folder):
        path.unlink()
    paths = segment_paths(folder)
    segments = {path: segment for path in paths if (segment := _readable(path, frontend)) is not None}
    _check_ordinals(segments.values())
    kept = live(segments.values())
    headers = [segment.header for segment in kept]
    for path, segment in segments.items():
        # Of one that is there twice the plain one stays, until who compresses has looked at the other.
        if segment.header not in headers:
            path.unlink()
            events.journal_segment_dropped(path, "a later segment holds its records")
    names = {segment.path for segment in kept} | {path for path in paths if path not in segments}
    end = _end(sorted(names))
    for segment in kept:
        if segment.path.exists():
            sync_file(segment.path)
    sync_folder(folder)
    ordinal = max((segment.header.ordinal for segment in segments.values()), default=0)
    if end is None:
        return Tail(1, ordinal, None, 0)
    last = segments[end.path]
    return Tail(end.next_seq, ordinal, None if last.is_packed else last, end.size)


def _check_ordinals(segments: Iterable[Segment]) -> None:
    """Refuse what no journal makes: which segment supersedes which could not be told. Raises JournalDamaged."""
    first_seqs: dict[int, int] = {}
    for segment in segments:
        first_seq = first_seqs.setdefault(segment.header.ordinal, segment.first_seq)
        if first_seq != segment.first_seq:
            raise JournalDamaged(
                segment.path,
                0,
                f"this segment and the one that begins with record {first_seq} are of two copies of the journal, which "
                f"went on apart: leave one copy here, whole",
            )


def whole_part(path: Path) -> tuple[int, int]:
    """The bytes of a segment up to the end of its last whole group, and the number of the record behind that; nothing
    is changed, and another process may append. Raises JournalDamaged, OSError."""
    if is_packed(path):
        return path.stat().st_size, packed_content(path).next_seq
    end = _scan(path)
    return end.size, end.next_seq


def _readable(path: Path, frontend: str) -> Segment | None:
    """A segment; None if its header is not there, as a power cut may leave it."""
    try:
        segment = read_segment(path)
    except JournalDamaged:
        # Whether that may be is seen when all of it is looked at: `_end`.
        if _has_header(path):
            raise
        return None
    if segment.header.frontend != frontend:
        raise JournalDamaged(path, 0, f"the segment belongs to journal {segment.header.frontend}")
    return segment


def _has_header(path: Path) -> bool:
    """Whether there is anything where it belongs; a compressed segment was whole when it got its name."""
    with path.open("rb") as file:
        data = file.read(HEADER_BYTES)
    return is_packed(path) or (len(data) == HEADER_BYTES and any(data))


def _end(paths: list[Path]) -> _End | None:
    """The end of what is whole; what is not, and what stands behind it, is removed."""
    ends: list[_End] = []
    synced_seq = 0
    for path in reversed(paths):
        ends.insert(0, _scan(path))
        synced_seq = max(synced_seq, ends[0].synced_seq)
        if len(ends) > 1 and ends[0].header and synced_seq >= ends[0].first_seq - 1:
            break  # all before it was on the disk, and is looked at when it is read
    whole: _End | None = None
    for place, end in enumerate(ends):
        next_seq = end.first_seq if whole is None else whole.next_seq
        if not end.header or end.first_seq > next_seq:
            _drop(whole, ends[place:], next_seq, max(synced_seq, whole.synced_seq if whole else 0))
            break
        if whole is not None and whole.synced_seq >= end.first_seq:
            reason = f"record {end.first_seq} was on the disk, in {whole.path.name}; this segment is of another copy"
            raise JournalDamaged(end.path, 0, reason)
        whole = end
    if whole is not None and whole.cut_bytes:
        if synced_seq >= whole.next_seq:
            raise JournalDamaged(whole.path, whole.size, whole.reason)
        os.truncate(whole.path, whole.size)
        events.journal_tail_cut(whole.path, whole.size, whole.cut_bytes)
    return whole


def _drop(whole: _End | None, behind: list[_End], next_seq: int, synced_seq: int) -> None:
    """Remove segments that stand behind records that are missing, from next_seq on."""
    if synced_seq >= next_seq:
        at = whole or behind[0]
        raise JournalDamaged(at.path, at.size, at.reason)
    if whole is None and next_seq > 1:
        raise JournalDamaged(behind[0].path, 0, "the header is not there, and neither is the segment before it")
    for end in reversed(behind):
        end.path.unlink()
        events.journal_segment_dropped(end.path, f"record {next_seq}, before it, never reached the disk")


def _scan(path: Path) -> _End:
    """Where the whole groups of a segment end. Raises JournalDamaged for records that stand where others belong."""
    first_seq = first_seq_of(path)
    if is_packed(path):
        next_seq = packed_content(path).next_seq
        return _End(path, first_seq, next_seq, 0, 0, next_seq - 1)
    data = path.read_bytes()
    if not _has_header(path):
        return _End(path, first_seq, first_seq, 0, len(data), synced_behind(data, 0, first_seq), header=False)
    next_seq, offset, synced_seq, reason = first_seq, HEADER_BYTES, 0, ""
    while offset < len(data):
        try:
            head = decode_head(data, offset)
            if head is None or offset + head.frame_bytes > len(data):
                break
            decode_group(head, data, offset)
        except Damaged as damaged:
            reason = str(damaged)
            break
        if head.first_seq != next_seq:
            raise JournalDamaged(path, offset, f"record {head.first_seq} stands where {next_seq} belongs")
        synced_seq = max(synced_seq, head.synced_seq)
        next_seq, offset = head.last_seq + 1, offset + head.frame_bytes
    cut_bytes = len(data) - offset
    if cut_bytes:
        synced_seq = max(synced_seq, synced_behind(data, offset, next_seq))
    return _End(path, first_seq, next_seq, offset, cut_bytes, synced_seq, reason or _MISSING)
