"""The bytes of a segment file: a header, then frames of one group of records each.

    header  magic 8 bytes | u32 version | u32 ordinal | u64 first sequence number | frontend 16 bytes ASCII | u32 CRC
    frame   u32 payload length | u32 count | u64 first sequence number | u64 synced sequence number
            u32 CRC of the payload | u32 CRC of this head | payload

All integers are big-endian; CRCs are CRC-32 as in zlib. The frame's head has a CRC of its own so that a damaged length
is told from a frame that was cut off by a crash. The synced number is the last record that was known to be on the disk
when the frame was written: what is broken up to there was damaged later, what is broken behind it may never have been
written, since a power cut may keep a later page of a file and lose an earlier one.
"""

from __future__ import annotations

import struct
from zlib import crc32

from msgspec import Struct

MAGIC = b"STEPPESJ"
# Of a compressed segment, whose header is the same: `pool.journal.packed`.
PACKED_MAGIC = b"STEPPESZ"
VERSION = 2
FRONTEND_CHARACTERS = 16

# A group is what one turn of the reactor appended; one that grows beyond this is closed and the next one opened.
GROUP_BYTES_MAX = 256 * 1024
# The last record may pass that limit. None comes near this: a job of 16 KiB would be too large for any miner.
PAYLOAD_BYTES_MAX = 1024 * 1024

_HEADER = struct.Struct(f">8sIIQ{FRONTEND_CHARACTERS}s")
_HEAD = struct.Struct(">IIQQI")
_CRC = struct.Struct(">I")

HEADER_BYTES = _HEADER.size + _CRC.size
HEAD_BYTES = _HEAD.size + _CRC.size
FRAME_BYTES_MAX = HEAD_BYTES + PAYLOAD_BYTES_MAX


class Damaged(ValueError):
    """Bytes that are there but are not what was written, or not by this version."""


class Header(Struct, frozen=True):
    """What a segment says of itself.

    ordinal: 1 for the first segment of a journal, one more for each made after it. first_seq: number of its first
    record. frontend: the journal's id.
    """

    ordinal: int
    first_seq: int
    frontend: str


class Head(Struct, frozen=True):
    """What stands in front of a group's payload. synced_seq: the last record that was on the disk by then."""

    payload_bytes: int
    count: int
    first_seq: int
    synced_seq: int
    payload_crc: int

    @property
    def last_seq(self) -> int:
        return self.first_seq + self.count - 1

    @property
    def frame_bytes(self) -> int:
        return HEAD_BYTES + self.payload_bytes


class Group(Struct, frozen=True):
    """Records that were written together. payload: `count` msgpack records, the first numbered first_seq."""

    first_seq: int
    count: int
    payload: bytes

    @property
    def last_seq(self) -> int:
        return self.first_seq + self.count - 1


def encode_header(header: Header, magic: bytes = MAGIC) -> bytes:
    data = _HEADER.pack(magic, VERSION, header.ordinal, header.first_seq, header.frontend.encode("ascii"))
    return data + _CRC.pack(crc32(data))


def decode_header(data: bytes, magic: bytes = MAGIC) -> Header:
    """The header at the start of `data`. Raises Damaged, also when it is cut off or of another version."""
    if len(data) < HEADER_BYTES:
        raise Damaged("the header is cut off")
    found, version, ordinal, first_seq, frontend = _HEADER.unpack_from(data)
    if found != magic:
        raise Damaged("this is no segment of a share journal")
    if version != VERSION:
        raise Damaged(f"the format is version {version}; this program reads version {VERSION}")
    if crc32(data[: _HEADER.size]) != _CRC.unpack_from(data, _HEADER.size)[0]:
        raise Damaged("the header does not match its checksum")
    return Header(ordinal, first_seq, frontend.decode("ascii"))


def encode_frame(group: Group, synced_seq: int = 0) -> bytes:
    """synced_seq: the last record that is known to be on the disk; 0 for none."""
    head = _HEAD.pack(len(group.payload), group.count, group.first_seq, synced_seq, crc32(group.payload))
    return b"".join((head, _CRC.pack(crc32(head)), group.payload))


def decode_frame(data: bytes, offset: int) -> tuple[Group, int] | None:
    """The frame at `offset` and where the next one starts, or None if `data` ends before it does. Raises Damaged."""
    head = decode_head(data, offset)
    if head is None or offset + head.frame_bytes > len(data):
        return None
    return decode_group(head, data, offset), offset + head.frame_bytes


def decode_head(data: bytes, offset: int) -> Head | None:
    """The head of the frame at `offset`, or None if `data` ends before it does. Raises Damaged."""
    if len(data) - offset < HEAD_BYTES:
        return None
    head = Head(*_HEAD.unpack_from(data, offset))
    if crc32(data[offset : offset + _HEAD.size]) != _CRC.unpack_from(data, offset + _HEAD.size)[0]:
        raise Damaged("the head of a group does not match its checksum")
    if head.payload_bytes > PAYLOAD_BYTES_MAX or head.count == 0:
        raise Damaged("the head of a group says what is never written")
    return head


def decode_group(head: Head, data: bytes, offset: int) -> Group:
    """The group of the whole frame at `offset` that begins with `head`. Raises Damaged."""
    start = offset + HEAD_BYTES
    payload = data[start : start + head.payload_bytes]
    if crc32(payload) != head.payload_crc:
        raise Damaged("a group does not match its checksum")
    return Group(head.first_seq, head.count, payload)


def synced_behind(data: bytes, offset: int, first_seq: int) -> int:
    """What the whole frames with records from `first_seq` on that start behind `offset` say was synced; 0 for none."""
    synced_seq = 0
    for place in range(offset + 1, len(data) - HEAD_BYTES + 1):
        payload_bytes, _count, seq, synced, _crc = _HEAD.unpack_from(data, place)
        # Checksums are dear, and nearly every place is none of a frame.
        if payload_bytes > PAYLOAD_BYTES_MAX or seq < first_seq or synced <= synced_seq:
            continue
        try:
            if decode_frame(data, place) is not None:
                synced_seq = synced
        except Damaged:
            continue
    return synced_seq
