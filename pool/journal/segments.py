"""Segment files: `%016d.seg`, named by the number of the first record; `%016d.segz` once they are compressed.

A segment ends where a later one begins: what it holds from that number on is void. This is how a group that was written
but refused (its sync failed, its write could not be undone) leaves neither a gap nor a trace: the next segment begins
with its number.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from pool.failpoints import hit
from pool.journal.format import HEADER_BYTES, MAGIC, PACKED_MAGIC, Damaged, Header, decode_header, encode_header

_SUFFIX = ".seg"
_PACKED_SUFFIX = ".segz"
_UNFINISHED_SUFFIX = ".new"
_FILE_MODE = 0o640


class JournalBusy(Exception):
    """Another process appends to this journal. The text says how to mend it."""


class JournalDamaged(Exception):
    """A journal holds something else than was written; it must not be appended to, nor read past that place."""

    def __init__(self, path: Path, offset: int, reason: str) -> None:
        super().__init__(
            f"{path}, byte {offset}: {reason}. Move the folder {path.parent} away and keep it: the pool starts a new "
            f"journal, and the old one is readable up to this place."
        )
        self.path = path
        self.offset = offset
        self.reason = reason


class Segment(Struct, frozen=True):
    """A segment that is there, compressed or not."""

    path: Path
    header: Header

    @property
    def first_seq(self) -> int:
        return self.header.first_seq

    @property
    def is_packed(self) -> bool:
        return is_packed(self.path)


class SegmentFile:
    """A segment that is appended to. size: bytes that are whole; anything behind them is undone."""

    def __init__(self, path: Path, descriptor: int, header: Header, size: int) -> None:
        self.path = path
        self.header = header
        self.size = size
        self._descriptor = descriptor

    def append(self, data: bytes) -> None:
        """Write all of it, or nothing of it and raise OSError.

        Raises TailStuck if what was written could not be taken back; nothing may follow it then.
        """
        try:
            _write_all(self._descriptor, data)
        except OSError as error:
            try:
                os.ftruncate(self._descriptor, self.size)
            except OSError as second:
                raise TailStuck(second.errno, f"{error}; then: {second}") from error
            raise
        self.size += len(data)

    def sync(self) -> None:
        """Return when the disk has it. After an OSError the kernel may have dropped what it had: never try again."""
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


class TailStuck(OSError):
    """A write failed, and so did undoing it."""


def create(folder: Path, header: Header, frames: bytes = b"", *, sync: bool = False) -> SegmentFile:
    """Make a segment that appears whole, in the place of one with the same first record if there is one.

    sync: also wait for the disk. Raises OSError; then no segment appeared.
    """
    path = segment_path(folder, header.first_seq)
    fresh = unfinished(path)
    data = encode_header(header) + frames
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, _FILE_MODE)
    try:
        _write_all(descriptor, data)
        if sync:
            os.fsync(descriptor)
        hit("journal-segment-written")
        fresh.rename(path)
        hit("journal-segment-renamed")
        if sync:
            sync_folder(folder)
    except OSError:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise
    return SegmentFile(path, descriptor, header, len(data))


def reopen(segment: Segment, size: int) -> SegmentFile:
    """Go on with a segment after its first `size` bytes."""
    descriptor = os.open(segment.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    return SegmentFile(segment.path, descriptor, segment.header, size)


def segment_path(folder: Path, first_seq: int) -> Path:
    return folder / f"{first_seq:016d}{_SUFFIX}"


def is_packed(path: Path) -> bool:
    """Whether this is the name of a compressed segment."""
    return path.suffix == _PACKED_SUFFIX


def packed_path(folder: Path, first_seq: int) -> Path:
    return folder / f"{first_seq:016d}{_PACKED_SUFFIX}"


def segment_paths(folder: Path) -> list[Path]:
    """All segments by their first record, superseded ones too; of one that is there twice, the compressed one last."""
    return sorted(path for suffix in (_SUFFIX, _PACKED_SUFFIX) for path in folder.glob(f"*{suffix}"))


def first_seq_of(path: Path) -> int:
    """The first record of a segment by its name. Raises JournalDamaged."""
    digits = path.name.partition(".")[0]
    if not digits.isdecimal():
        raise JournalDamaged(path, 0, "this is no name of a segment")
    return int(digits)


def unfinished_paths(folder: Path) -> list[Path]:
    """What a crash left of segments that never appeared."""
    return sorted(folder.glob(f"*{_UNFINISHED_SUFFIX}"))


def unfinished(path: Path) -> Path:
    """What a segment is called until it is whole."""
    return path.with_name(path.name + _UNFINISHED_SUFFIX)


def read_segment(path: Path) -> Segment:
    """A segment by its header. Raises JournalDamaged."""
    with path.open("rb") as file:
        data = file.read(HEADER_BYTES)
    try:
        header = decode_header(data, PACKED_MAGIC if is_packed(path) else MAGIC)
    except Damaged as damaged:
        raise JournalDamaged(path, 0, str(damaged)) from damaged
    if first_seq_of(path) != header.first_seq:
        raise JournalDamaged(path, 0, f"the file is named otherwise than its first record, {header.first_seq}")
    return Segment(path, header)


def listed(folder: Path, known: Mapping[tuple[str, int], Segment] | None = None) -> dict[tuple[str, int], Segment]:
    """All segments that are there now, superseded ones too, by name and inode. known: what need not be read again."""
    while True:
        try:
            found = {}
            for path in segment_paths(folder):
                key = (path.name, path.stat().st_ino)
                found[key] = (known or {}).get(key) or read_segment(path)
            return found
        except FileNotFoundError:
            continue  # compressed or removed in this moment


def live(segments: Iterable[Segment]) -> list[Segment]:
    """Those that no later-made segment supersedes whole, by first record; of one that is there twice the compressed."""
    kept: list[Segment] = []
    for segment in sorted(segments, key=lambda each: (each.header.ordinal, each.is_packed), reverse=True):
        if not kept or segment.first_seq < kept[-1].first_seq:
            kept.append(segment)
    return kept[::-1]


def sync_file(path: Path) -> None:
    """Return when the disk has the file."""
    _sync(path, os.O_RDWR)


def sync_folder(folder: Path) -> None:
    """Return when the disk has the folder's names."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
