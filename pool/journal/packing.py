"""Compressing sealed segments, a block at a time, in the background.

The order of steps: write the compressed one under another name, sync it, read all of it again, rename it, sync the
folder, remove the plain one. Both are whole whenever both are there, so a crash between any two steps leaves a journal
that reads the same. A segment that retention removes meanwhile does not come back: what is behind it may be gone too,
and a journal with a gap cannot be read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from itertools import pairwise
from pathlib import Path

from pool import disk_events
from pool.failpoints import hit
from pool.journal import events
from pool.journal.format import HEADER_BYTES, Damaged, decode_group, decode_head
from pool.journal.packed import BLOCK_BYTES, Content, PackedWriter
from pool.journal.reader import content_of, packed_content
from pool.journal.segments import (
    JournalDamaged,
    Segment,
    listed,
    live,
    packed_path,
    segment_path,
    sync_folder,
    unfinished,
)

# A segment is full each five minutes at 2,000 shares a second.
_IDLE_SECONDS = 10.0
# After a failure; the disk may be full.
_FAILED_SECONDS = 60.0
# The thread rests so long that it is a fifth of a core at most. A lower priority would be worse: a thread that is not
# scheduled while it holds the interpreter holds up the sessions.
_TURN = 5.0


class Packing:
    """Compresses what is sealed and on the disk; `step` is to be called again and again (see `pool.journal.loop`).

    durable_seq: of the journal; called from the thread of the steps. names: held while a sealed segment gets its
    compressed name, and by `Retention` while one is removed. among: how many are at work at once, in a fifth of a core
    together.
    """

    def __init__(
        self,
        folder: Path,
        durable_seq: Callable[[], int],
        names: threading.Lock,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        among: int = 1,
    ) -> None:
        self._folder = folder
        self._durable_seq = durable_seq
        self._names = names
        self._monotonic = monotonic
        self._rest = _TURN * among - 1
        self._work: Generator[None] | None = None
        self._failing = False

    def step(self) -> float:
        """Do a block's work, if there is any; returns the seconds until the next step is due. Raises JournalDamaged."""
        before = self._monotonic()
        if self._work is None:
            found = self._next()
            if found is None:
                return _IDLE_SECONDS
            self._work = _pack(self._folder, *found, self._names)
        try:
            next(self._work)
        except StopIteration:
            self._work = None
            self._failing = False
        except FileNotFoundError:
            self._work = None  # retention was faster
        except OSError as error:
            self._work = None
            if not self._failing:
                self._failing = True
                disk_events.journal_not_packed(self._folder, str(error))
            return _FAILED_SECONDS
        except JournalDamaged:
            self._work = None
            raise
        return (self._monotonic() - before) * self._rest

    def close(self) -> None:
        """Leave off; what is half done goes."""
        if self._work is not None:
            self._work.close()
            self._work = None

    def _next(self) -> tuple[Segment, int] | None:
        """The oldest segment to compress and the first record behind it."""
        segments = live(listed(self._folder).values())
        durable_seq = self._durable_seq()
        for segment, behind in pairwise(segments):
            if behind.first_seq - 1 > durable_seq:
                break
            if not segment.is_packed or segment_path(self._folder, segment.first_seq).exists():
                return segment, behind.first_seq
        return None


def _pack(folder: Path, segment: Segment, end: int, names: threading.Lock) -> Generator[None]:
    """Compress a segment that ends before record `end`; each step is a block, written or read again."""
    plain, packed = segment_path(folder, segment.first_seq), packed_path(folder, segment.first_seq)
    if segment.is_packed:  # a crash came between the last two steps
        try:
            yield from _check(packed, segment.first_seq, end)
        except JournalDamaged as damaged:
            packed.unlink()
            sync_folder(folder)
            events.journal_segment_dropped(packed, damaged.reason)
            return
    else:
        yield from _make(packed, segment, end, names)
        sync_folder(folder)
    hit("journal-pack-synced")
    plain.unlink()
    hit("journal-pack-plain-removed")
    sync_folder(folder)


def _make(packed: Path, segment: Segment, end: int, names: threading.Lock) -> Generator[None]:
    fresh = unfinished(packed)
    try:
        yield from _write(fresh, segment, end)
        hit("journal-pack-written")
        try:
            yield from _check(fresh, segment.first_seq, end)
        except JournalDamaged as damaged:
            raise OSError(errno.EIO, f"what was written does not come back: {damaged.reason}", fresh) from damaged
        with names:
            segment.path.stat()  # raises if it is gone
            fresh.rename(packed)
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
    hit("journal-pack-renamed")


def _write(path: Path, segment: Segment, end: int) -> Generator[None]:
    path.unlink(missing_ok=True)
    writer = PackedWriter(path, segment.header)
    try:
        for first_seq, frames in _blocks(content_of(segment), segment.first_seq, end):
            writer.add(first_seq, frames)
            yield
        writer.finish(end)
    finally:
        writer.close()
    written = segment.path.stat()
    os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns))


def _check(path: Path, first_seq: int, end: int) -> Generator[None]:
    """Read all of a compressed segment. Raises JournalDamaged."""
    content = packed_content(path)
    if content.next_seq != end:
        raise JournalDamaged(path, 0, f"it ends with record {content.next_seq - 1}, not {end - 1}")
    for _ in _blocks(content, first_seq, end):
        yield


def _blocks(content: Content, seq: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The frames up to record `end` in blocks, each with its first record. Raises JournalDamaged."""
    offset = HEADER_BYTES
    while seq < end:
        try:
            data = content.read_at(offset)
            first_seq, place = seq, 0
            while seq < end and place < BLOCK_BYTES:
                head = decode_head(data, place)
                if head is None or place + head.frame_bytes > len(data):
                    break
                if head.first_seq != seq:
                    raise Damaged(f"record {head.first_seq} stands where {seq} belongs")
                decode_group(head, data, place)
                seq, place = head.last_seq + 1, place + head.frame_bytes
            if place == 0:
                raise Damaged(f"it ends before record {end - 1}")
        except Damaged as damaged:
            raise JournalDamaged(content.path, offset, str(damaged)) from damaged
        yield first_seq, data[:place]
        offset += place
