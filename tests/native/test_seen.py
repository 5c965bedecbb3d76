"""native.SeenHashes: which hashes were there before; both twins say the same."""

from __future__ import annotations

import hashlib
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from native import seen, seen_reference


@pytest.fixture(params=[seen, seen_reference], ids=["compiled", "reference"])
def twin(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


def digest(number: int) -> bytes:
    return hashlib.sha256(number.to_bytes(8, "little")).digest()


def test_a_hash_is_new_once(twin: ModuleType) -> None:
    found = twin.SeenHashes()
    assert [found.add(digest(n)) for n in (1, 2, 1)] == [True, True, False]
    assert len(found) == 2


def test_it_is_new_again_once_it_was_discarded(twin: ModuleType) -> None:
    found = twin.SeenHashes()
    found.add(digest(1))
    found.discard(digest(1))
    found.discard(digest(2))
    assert (len(found), found.add(digest(1))) == (0, True)


def test_a_hundred_thousand_are_kept_apart(twin: ModuleType) -> None:
    found = twin.SeenHashes()
    assert all(found.add(digest(n)) for n in range(100_000))
    assert not any(found.add(digest(n)) for n in range(100_000))


def test_a_hash_of_zeros_is_one_like_others(twin: ModuleType) -> None:
    found = twin.SeenHashes()
    assert [found.add(bytes(32)), found.add(bytes(32)), len(found)] == [True, False, 1]
    found.discard(bytes(32))
    assert [len(found), found.add(bytes(32))] == [0, True]


@pytest.mark.parametrize("length", [0, 12, 31, 33])
def test_a_hash_has_32_bytes(twin: ModuleType, length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        twin.SeenHashes().add(bytes(length))
    with pytest.raises(ValueError, match="32 bytes"):
        twin.SeenHashes().discard(bytes(length))


# Few first bytes, so that many hashes name the same slots, the last ones too: searches run on and around the end.
hashes = st.builds(
    lambda first, rest: bytes([first]) + b"\xff" * 7 + bytes([rest]) + bytes(23),
    st.sampled_from([0x00, 0x3D, 0x3E, 0x3F, 0x7E, 0x7F, 0xFF]),
    st.integers(0, 40),
)


@given(st.lists(st.tuples(st.booleans(), hashes), max_size=300))
def test_the_twins_agree_whatever_is_added_and_discarded(steps: list[tuple[bool, bytes]]) -> None:
    compiled, reference = seen.SeenHashes(), seen_reference.SeenHashes()
    for is_added, each in steps:
        if is_added:
            assert compiled.add(each) == reference.add(each)
        else:
            compiled.discard(each)
            reference.discard(each)
        assert len(compiled) == len(reference)
    for _, each in steps:
        assert compiled.add(each) == reference.add(each)
