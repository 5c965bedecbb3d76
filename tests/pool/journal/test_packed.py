"""The bytes of a compressed segment; pool/journal/packed.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pool.journal.format import HEADER_BYTES, Damaged, Group, Header, encode_frame
from pool.journal.packed import PackedContent, PackedWriter, PlainContent

HEADER = Header(ordinal=3, first_seq=1001, frontend="0123456789abcdef")


def frames(first_seq: int, payloads: list[bytes]) -> bytes:
    return b"".join(encode_frame(Group(first_seq + i, 1, payload), 0) for i, payload in enumerate(payloads))


def packed(path: Path, blocks: list[list[bytes]]) -> bytes:
    """Write a segment of these payloads; returns what it was before it was compressed, without the header."""
    writer, seq, plain = PackedWriter(path, HEADER), HEADER.first_seq, b""
    for payloads in blocks:
        writer.add(seq, frames(seq, payloads))
        plain += frames(seq, payloads)
        seq += len(payloads)
    writer.finish(seq)
    writer.close()
    return plain


blocks = st.lists(st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=5), max_size=5)


@settings(max_examples=60, deadline=None)
@given(blocks)
def test_what_was_compressed_comes_back(tmp_path_factory: pytest.TempPathFactory, blocks: list[list[bytes]]) -> None:
    path = tmp_path_factory.mktemp("packed") / "segment"
    plain = packed(path, blocks)
    content = PackedContent(path)
    offset, found = HEADER_BYTES, b""
    while data := content.read_at(offset):
        found += data
        offset += len(data)
    assert found == plain
    assert content.plain_bytes == HEADER_BYTES + len(plain)
    assert content.next_seq == HEADER.first_seq + sum(map(len, blocks))


def test_a_record_is_found_in_its_block(tmp_path: Path) -> None:
    packed(tmp_path / "s", [[b"a", b"b"], [b"c", b"d"], [b"e"]])
    content = PackedContent(tmp_path / "s")
    offset, seq = content.place_of(1004)
    assert seq == 1003
    assert content.read_at(offset) == frames(1003, [b"c", b"d"])


def test_the_rest_of_a_block_is_read_from_any_frame_on(tmp_path: Path) -> None:
    packed(tmp_path / "s", [[b"a", b"b"], [b"c"]])
    second = HEADER_BYTES + len(frames(1001, [b"a"]))
    assert PackedContent(tmp_path / "s").read_at(second) == frames(1002, [b"b"])


def test_shares_take_less_than_half_the_room(tmp_path: Path) -> None:
    plain = packed(tmp_path / "s", [[b"\x9f\x01aisulu rack-17" + bytes([i % 256, i // 256]) * 3 for i in range(2000)]])
    assert (tmp_path / "s").stat().st_size < len(plain) / 2


def test_a_flipped_bit_behind_the_header_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "s"
    plain = packed(path, [[b"a" * 50, b"b" * 50], [b"c" * 50]])
    whole = path.read_bytes()
    for bit in range(HEADER_BYTES * 8, len(whole) * 8):
        content = bytearray(whole)
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        with pytest.raises(Damaged):
            # One bit of a zlib header only names the level; what it decompresses to is the same.
            raise_if_same(PackedContent(path), plain)


def raise_if_same(content: PackedContent, plain: bytes) -> None:
    first = content.read_at(HEADER_BYTES)
    second = content.read_at(HEADER_BYTES + len(first))
    if first + second == plain:
        raise Damaged("not damaged at all")


def test_a_file_that_is_cut_off_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "s"
    packed(path, [[b"a"], [b"b"]])
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(Damaged):
            PackedContent(path)


def test_a_block_is_never_decompressed_into_more_than_one_can_be(tmp_path: Path) -> None:
    writer = PackedWriter(tmp_path / "s", HEADER)
    writer.add(1001, bytes(100_000_000))
    writer.finish(1002)
    writer.close()
    with pytest.raises(Damaged, match="not as long as the index says"):
        PackedContent(tmp_path / "s").read_at(HEADER_BYTES)


def test_a_segment_that_is_not_compressed_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(bytes(HEADER_BYTES) + b"frames")
    content = PlainContent(tmp_path / "s", 1001)
    assert content.place_of(1500) == (HEADER_BYTES, 1001)
    assert content.read_at(HEADER_BYTES + 2) == b"ames"
