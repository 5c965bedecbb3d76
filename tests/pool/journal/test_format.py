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
    whole_frame_behind,
)

HEADER = Header(ordinal=3, first_seq=1001, frontend="0123456789abcdef")
GROUP = Group(first_seq=1001, count=2, payload=b"\x91\x01\x91\x01")

groups = st.builds(Group, st.integers(1, 2**63), st.integers(1, 2**32 - 1), st.binary(min_size=1, max_size=300))


def test_a_header_is_these_bytes() -> None:
    expected = b"STEPPESJ" + bytes.fromhex("000000010000000300000000000003e9") + b"0123456789abcdef"
    assert encode_header(HEADER)[:-4] == expected


def test_a_frame_is_these_bytes() -> None:
    expected = bytes.fromhex("000000040000000200000000000003e93a27b8279453077291019101")
    assert encode_frame(GROUP) == expected


def test_a_header_comes_back() -> None:
    assert decode_header(encode_header(HEADER) + b"frames") == HEADER


@given(groups)
def test_a_group_comes_back(group: Group) -> None:
    frame = encode_frame(group)
    assert decode_frame(b"?" + frame + b"?", 1) == (group, 1 + len(frame))


@given(groups, st.data())
def test_a_frame_that_is_cut_off_is_no_frame_yet(group: Group, data: st.DataObject) -> None:
    frame = encode_frame(group)
    assert decode_frame(frame[: data.draw(st.integers(0, len(frame) - 1))], 0) is None


@given(groups, st.data())
def test_a_flipped_bit_anywhere_in_a_frame_is_damage(group: Group, data: st.DataObject) -> None:
    frame = bytearray(encode_frame(group))
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
    header[11] = 2
    with pytest.raises(Damaged, match="version 2; this program reads version 1"):
        decode_header(bytes(header))


def test_a_length_that_is_never_written_is_damage_although_its_checksum_is_right() -> None:
    frame = encode_frame(Group(1, 1, bytes(PAYLOAD_BYTES_MAX + 1)))
    with pytest.raises(Damaged):
        decode_frame(frame, 0)


def test_a_whole_frame_is_found_behind_garbage() -> None:
    assert whole_frame_behind(b"garbage" + encode_frame(GROUP), 0, first_seq=1001)


def test_a_frame_of_earlier_records_is_not_taken_for_one_behind() -> None:
    assert not whole_frame_behind(b"garbage" + encode_frame(GROUP), 0, first_seq=1002)


def test_nothing_is_found_behind_the_last_frame() -> None:
    assert not whole_frame_behind(encode_frame(GROUP), 0, first_seq=1)
