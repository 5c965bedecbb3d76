"""Shares that are blocks, kept until the journal has them.

A block goes to the nodes before its share is in the journal, and the books learn of a block by its share alone. So the
share stands here from the moment at which the block is on its way: whoever kills the process then, or while the journal
takes nothing, does not keep it from the books.

The file has its size from the start and is written over in place, so that a full disk takes it too; it is not among
the journals, which may have a disk of their own. What is written survives kill -9. It waits for no disk: a power cut in
that moment may take it, as it may take the share.
"""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from pool import disk_events, failpoints
from pool.journal.reader import OLDEST, RecordsGone, groups
from pool.journal.records import decode
from pool.work.job import Job
from pool.work.share import Share

FILE_BYTES: Final = 512 * 1024
"""Twenty-three shares with the largest jobs there can be; with mainnet's usual ones a hundred."""

_HEAD: Final = struct.Struct("<II")  # bytes and CRC-32 of the entry behind it; no entry has no bytes
_END: Final = _HEAD.pack(0, 0)
_encoder: Final = msgspec.msgpack.Encoder()


class _Entry(Struct, frozen=True, array_like=True):
    """frontend: whose journal. first_seq: if that has the share, its record is not before this one."""

    frontend: str
    first_seq: int
    job: Job
    share: Share


class FoundBlocks:
    """The file of one journal. Satisfies `stratum.ports.FoundBlocks`.

    path: made with its folder if missing. journal, frontend, durable_seq: the journal's folder, id and last record on
    the disk. If there can be no file that is said once, and nothing is kept.
    """

    def __init__(self, path: Path, journal: Path, frontend: str, durable_seq: Callable[[], int]) -> None:
        self._path = path
        self._journal = journal
        self._frontend = frontend
        self._durable_seq = durable_seq
        self._end = 0
        self._is_refused = False
        self._descriptor: int | None = None
        self._left: tuple[_Entry, ...] = ()
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            size = os.fstat(descriptor).st_size
            _write(descriptor, bytes(max(FILE_BYTES - size, 0)), size)
            data = os.pread(descriptor, FILE_BYTES, 0)
            self._left = tuple(entry for entry in self._entries(data) if entry.frontend == frontend)
        except OSError as error:
            self._refuse(str(error))
        self._open = {entry.share.block_hash for entry in self._left}

    def close(self) -> None:
        """What is not settled stays for the next run."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def missing(self) -> list[tuple[Share, Job]]:
        """Of the run before: what is not in the journal either. Reads that from there on: for a thread, before the
        first `note`. Raises JournalDamaged, OSError."""
        if not self._left:
            return []
        for block_hash in _blocks_from(self._journal, min(entry.first_seq for entry in self._left)):
            self.settle(block_hash)
        return [(entry.share, entry.job) for entry in self._left if entry.share.block_hash in self._open]

    def note(self, share: Share, job: Job) -> None:
        """A block is on its way; the journal does not have its share yet. Does not raise."""
        if share.block_hash in self._open or self._descriptor is None:
            return
        entry = _encoder.encode(_Entry(self._frontend, self._durable_seq() + 1, job, share))
        data = _HEAD.pack(len(entry), zlib.crc32(entry)) + entry
        if self._end + len(data) + len(_END) > FILE_BYTES:
            self._refuse("it is full")
            return
        try:
            _write(self._descriptor, data + _END, self._end)
        except OSError as error:
            self._refuse(str(error))
            return
        self._end += len(data)
        self._open.add(share.block_hash)
        failpoints.hit("block-noted")

    def settle(self, block_hash: bytes) -> None:
        """The journal has the share of that block. Does not raise."""
        if block_hash not in self._open:
            return
        self._open.discard(block_hash)
        if not self._open and self._descriptor is not None:
            self._end = 0
            try:
                _write(self._descriptor, _END, 0)
            except OSError as error:
                self._refuse(str(error))  # the next run finds them in the journal

    def _refuse(self, reason: str) -> None:
        if not self._is_refused:
            self._is_refused = True
            disk_events.found_blocks_not_kept(self._path, reason)

    def _entries(self, data: bytes) -> Iterator[_Entry]:
        """All up to the end, or up to one that a kill cut off."""
        while self._end + _HEAD.size <= len(data):
            size, checksum = _HEAD.unpack_from(data, self._end)
            start = self._end + _HEAD.size
            entry = data[start : start + size]
            if not size or len(entry) < size or zlib.crc32(entry) != checksum:
                return
            try:
                yield msgspec.msgpack.decode(entry, type=_Entry)
            except msgspec.MsgspecError as error:  # of another version
                self._refuse(str(error))
                return
            self._end = start + size


def _write(descriptor: int, data: bytes, place: int) -> None:
    if os.pwrite(descriptor, data, place) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _blocks_from(folder: Path, first_seq: int) -> Iterator[bytes]:
    """The hashes of the blocks that the journal has from that record on."""
    try:
        for group in groups(folder, first_seq):
            for record in decode(group.count, group.payload):
                if isinstance(record, Share) and record.block_hash is not None:
                    yield record.block_hash
    except RecordsGone:
        if first_seq != OLDEST:
            yield from _blocks_from(folder, OLDEST)
