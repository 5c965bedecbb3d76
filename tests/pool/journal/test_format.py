"""The bytes of a segment; pool/journal/format.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.journal.format import (
    HEADER_BYTES,
    PAYLOAD_BYTES_MAX,
    Damaged,
    Group,
    Header,
    decode_frame,
    decode_header,
    encode_frame,
    encode_header,
    synced_behind,
)

HEADER = Header(ordinal=3, first_seq=1001, frontend="0123456789abcdef")
GROUP = Group(first_seq=1001, count=2, payload=b"\x91\x01\x91\x01")

groups = st.builds(Group, st.integers(1, 2**63), st.integers(1, 2**32 - 1), st.binary(min_size=1, max_size=300))


def test_a_header_is_these_bytes() -> None:
    expected = b"STEPPESJ" + bytes.fromhex("000000020000000300000000000003e9") + b"0123456789abcdef"
    assert encode_header(HEADER)[:-4] == expected


def test_a_frame_is_these_bytes() -> None:
    expected = bytes.fromhex("000000040000000200000000000003e900000000000003e83a27b8277fd6cbde91019101")
    assert encode_frame(GROUP, 1000) == expected


def test_a_header_comes_back() -> None:
    assert decode_header(encode_header(HEADER) + b"frames") == HEADER


@given(groups)
def test_a_group_comes_back(group: Group) -> None:
    frame = encode_frame(group, group.first_seq - 1)
    assert decode_frame(b"?" + frame + b"?", 1) == (group, 1 + len(frame))


@given(groups, st.data())
def test_a_frame_that_is_cut_off_is_no_frame_yet(group: Group, data: st.DataObject) -> None:
    frame = encode_frame(group, group.first_seq - 1)
    assert decode_frame(frame[: data.draw(st.integers(0, len(frame) - 1))], 0) is None


@given(groups, st.data())
def test_a_flipped_bit_anywhere_in_a_frame_is_damage(group: Group, data: st.DataObject) -> None:
    frame = bytearray(encode_frame(group, group.first_seq - 1))
    bit = data.draw(st.integers(0, len(frame) * 8 - 1))
    frame[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Damaged):
        decode_frame(bytes(frame), 0)


@given(st.integers(0, HEADER_BYTES * 8 - 1))
def test_a_flipped_bit_anywhere_in_a_header_is_damage(bit: int) -> None:
    header = bytearray(encode_header(HEADER))
    header[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Damaged):
        decode_header(bytes(header))


def test_another_version_of_the_format_is_named() -> None:
    header = bytearray(encode_header(HEADER))
    header[11] = 3
    with pytest.raises(Damaged, match="version 3; this program reads version 2"):
        decode_header(bytes(header))


def test_a_length_that_is_never_written_is_damage_although_its_checksum_is_right() -> None:
    frame = encode_frame(Group(1, 1, bytes(PAYLOAD_BYTES_MAX + 1)), 0)
    with pytest.raises(Damaged):
        decode_frame(frame, 0)


def test_what_a_whole_frame_behind_garbage_says_was_synced_is_found() -> None:
    assert synced_behind(b"garbage" + encode_frame(GROUP, 1000), 0, first_seq=1001) == 1000


def test_a_frame_of_earlier_records_is_not_taken_for_one_behind() -> None:
    assert synced_behind(b"garbage" + encode_frame(GROUP, 1000), 0, first_seq=1002) == 0


def test_nothing_is_found_behind_the_last_frame() -> None:
    assert synced_behind(encode_frame(GROUP, 1000), 0, first_seq=1) == 0


def test_a_frame_that_is_cut_off_says_nothing() -> None:
    assert synced_behind(b"?" + encode_frame(GROUP, 1000)[:-1], 0, first_seq=1) == 0
