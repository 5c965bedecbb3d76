"""nBits to target. Vectors: Bitcoin Core, `src/test/arith_uint256_tests.cpp`, bignum_SetCompact."""

import pytest

from native.compact import target_from_nbits


@pytest.mark.parametrize(
    ("nbits", "target"),
    [
        (0x01120000, 0x12),
        (0x02123400, 0x1234),
        (0x02008000, 0x80),
        (0x03123456, 0x123456),
        (0x04123456, 0x12345600),
        (0x05009234, 0x92340000),
        (0x20123456, 0x123456 << 232),
        (0x207FFFFF, 0x7FFFFF << 232),
        (0x1D00FFFF, 0xFFFF << 208),
        (0x1B04864C, 0x04864C << 192),
        (0x2100FFFF, 0xFFFF << 240),
        (0x220000FF, 0xFF << 248),
    ],
    ids=hex,
)
def test_nbits_stands_for_its_target(nbits: int, target: int) -> None:
    assert target_from_nbits(nbits) == target.to_bytes(32, "little")


@pytest.mark.parametrize("nbits", [0, 0x00123456, 0x01003456, 0x02000056, 0x03000000, 0x04000000, 0x01803456])
def test_a_target_of_zero_is_refused(nbits: int) -> None:
    with pytest.raises(ValueError, match=f"^nbits 0x{nbits:08x} is a target of zero$"):
        target_from_nbits(nbits)


@pytest.mark.parametrize("nbits", [0x01FEDCBA, 0x04923456, 0x1D80FFFF, 0x20FFFFFF])
def test_a_negative_target_is_refused(nbits: int) -> None:
    with pytest.raises(ValueError, match=f"^nbits 0x{nbits:08x} is a negative target$"):
        target_from_nbits(nbits)


@pytest.mark.parametrize("nbits", [0x21010000, 0x2200FF00, 0x22000100, 0x23000001, 0xFF123456])
def test_a_target_beyond_256_bits_is_refused(nbits: int) -> None:
    with pytest.raises(ValueError, match=rf"^nbits 0x{nbits:08x} is a target above 2\*\*256 - 1$"):
        target_from_nbits(nbits)


@pytest.mark.parametrize("nbits", [-1, 1 << 32])
def test_an_integer_of_more_than_32_bits_is_refused(nbits: int) -> None:
    with pytest.raises(ValueError, match=r"^nbits must be from 0 to 2\*\*32 - 1$"):
        target_from_nbits(nbits)
