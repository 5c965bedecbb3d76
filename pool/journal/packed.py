"""The bytes of a compressed segment, `%016d.segz`: what was appended, in blocks that are each compressed alone.

    header    as in a segment, with another magic
    blocks    zlib streams (RFC 1950), each of whole frames
    index     per block: u64 its first record | u64 where it begins in the segment | u64 where it begins in this file
    trailer   u32 blocks | u64 next sequence number | u64 size of the segment in bytes | u32 CRC of index and trailer

The index makes a record reachable with one block decompressed. Frames keep their checksums, and zlib adds its own.
"""

from __future__ import annotations

import bisect
import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, Protocol

from msgspec import Struct

from pool.journal.format import FRAME_BYTES_MAX, HEADER_BYTES, PACKED_MAGIC, Damaged, Header, decode_head, encode_header

# Smaller blocks compress worse, larger ones make a reader that seeks wait; a reader holds one of them.
BLOCK_BYTES = 256 * 1024
# Of what shares look like the fourth level keeps 31 % at 80 MB a second, the sixth 29 % at 34.
_LEVEL = 4
# No block comes near this: whatever an index says is not decompressed into more.
_BLOCK_BYTES_MAX = BLOCK_BYTES + FRAME_BYTES_MAX

_ENTRY = struct.Struct(">QQQ")
_TRAILER = struct.Struct(">IQQ")
_CRC = struct.Struct(">I")
_TRAILER_BYTES = _TRAILER.size + _CRC.size

# One read of a segment that is not compressed, if no frame is larger: about what the shipper and the statistics ask for
# at a time.
_CHUNK_BYTES = 256 * 1024


class Content(Protocol):
    """The bytes of a segment as they were appended, wherever they are now."""

    path: Path

    def read_at(self, offset: int) -> bytes:
        """The bytes from an offset on: to the end, or as many as are handy, but whole frames. Raises Damaged."""

    def place_of(self, seq: int) -> tuple[int, int]:
        """Where to begin to look for a record: an offset, and the number of the record that begins there."""


class PlainContent:
    """Of a segment that is not compressed and may still grow."""

    def __init__(self, path: Path, first_seq: int) -> None:
        self.path = path
        self._first_seq = first_seq

    def read_at(self, offset: int) -> bytes:
        with self.path.open("rb", buffering=0) as file:
            file.seek(offset)
            data = file.read(_CHUNK_BYTES)
            if len(data) == _CHUNK_BYTES and (head := decode_head(data, 0)) and head.frame_bytes > _CHUNK_BYTES:
                data += file.read(head.frame_bytes - _CHUNK_BYTES)
            return data

    def place_of(self, seq: int) -> tuple[int, int]:
        return HEADER_BYTES, self._first_seq


class PackedContent:
    """Of a compressed segment. Keeps the last block. Raises Damaged if the index is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            self._index = _read_index(file)
        self._block: tuple[int, bytes] = (0, b"")

    @property
    def next_seq(self) -> int:
        return self._index.next_seq

    @property
    def plain_bytes(self) -> int:
        """The size of the segment before it was compressed."""
        return self._index.plain_bytes

    def read_at(self, offset: int) -> bytes:
        if offset >= self._index.plain_bytes:
            return b""
        number = bisect.bisect_right(self._index.plain_offsets, offset) - 1
        if number < 0:
            raise Damaged("no block begins there")
        start, data = self._block
        if start != self._index.plain_offsets[number]:
            start, data = self._block = (self._index.plain_offsets[number], self._unpack(number))
        return data[offset - start :]

    def place_of(self, seq: int) -> tuple[int, int]:
        number = bisect.bisect_right(self._index.first_seqs, seq) - 1
        if number < 0:
            return HEADER_BYTES, self._index.first_seqs[0] if self._index.first_seqs else self.next_seq
        return self._index.plain_offsets[number], self._index.first_seqs[number]

    def _unpack(self, number: int) -> bytes:
        offsets = self._index.offsets
        with self.path.open("rb", buffering=0) as file:
            file.seek(offsets[number])
            packed = file.read(offsets[number + 1] - offsets[number])
        stream = zlib.decompressobj()
        try:
            data = stream.decompress(packed, _BLOCK_BYTES_MAX)
        except zlib.error as error:
            raise Damaged(f"a block cannot be decompressed: {error}") from error
        plain_ends = (*self._index.plain_offsets[1:], self._index.plain_bytes)
        if not stream.eof or len(data) != plain_ends[number] - self._index.plain_offsets[number]:
            raise Damaged("a block is not as long as the index says")
        return data


class PackedWriter:
    """Writes a compressed segment to `path`, which must not be there. Every method raises OSError."""

    def __init__(self, path: Path, header: Header) -> None:
        self.path = path
        self._file = path.open("xb", buffering=0)
        os.fchmod(self._file.fileno(), 0o640)
        self._write(encode_header(header, PACKED_MAGIC))
        self._offset = self._plain_bytes = HEADER_BYTES
        self._entries: list[bytes] = []

    def add(self, first_seq: int, frames: bytes) -> None:
        """Append whole frames, at most BLOCK_BYTES and one frame; the first begins with that record."""
        packed = zlib.compress(frames, _LEVEL)
        self._write(packed)
        self._entries.append(_ENTRY.pack(first_seq, self._plain_bytes, self._offset))
        self._offset += len(packed)
        self._plain_bytes += len(frames)

    def finish(self, next_seq: int) -> None:
        """Write the index; on return all of it is on the disk."""
        data = b"".join(self._entries) + _TRAILER.pack(len(self._entries), next_seq, self._plain_bytes)
        self._write(data + _CRC.pack(zlib.crc32(data)))
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]


class _Index(Struct, frozen=True):
    """offsets: of the blocks in the file, and of what follows them."""

    first_seqs: list[int]
    plain_offsets: list[int]
    offsets: list[int]
    next_seq: int
    plain_bytes: int


def _read_index(file: BinaryIO) -> _Index:
    size = file.seek(0, os.SEEK_END)
    if size < HEADER_BYTES + _TRAILER_BYTES:
        raise Damaged("it is cut off")
    file.seek(size - _TRAILER_BYTES)
    trailer = file.read(_TRAILER_BYTES)
    count, next_seq, plain_bytes = _TRAILER.unpack_from(trailer)
    start = size - _TRAILER_BYTES - count * _ENTRY.size
    if start < HEADER_BYTES:
        raise Damaged("its end does not match its checksum")
    file.seek(start)
    data = file.read(size - start)
    if zlib.crc32(data[: -_CRC.size]) != _CRC.unpack_from(data, len(data) - _CRC.size)[0]:
        raise Damaged("its end does not match its checksum")
    entries = list(_ENTRY.iter_unpack(data[: count * _ENTRY.size]))
    return _Index(
        first_seqs=[entry[0] for entry in entries],
        plain_offsets=[entry[1] for entry in entries],
        offsets=[*(entry[2] for entry in entries), start],
        next_seq=next_seq,
        plain_bytes=plain_bytes,
    )
