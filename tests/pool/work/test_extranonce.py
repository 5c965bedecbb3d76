"""No two sessions with one extranonce1: not at once, not across processes, not across a restart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.work.extranonce import RANGE_SIZE, STRIDE, ExtranonceRange, keyed_permutation


def nothing(reserved: int) -> None:
    """Keep nothing."""


class TestTake:
    def test_the_first_byte_is_the_range(self) -> None:
        assert ExtranonceRange(0xAB, 0, nothing).take() == b"\xab\x00\x00\x00"

    def test_the_counter_stands_behind_it(self) -> None:
        extranonces = ExtranonceRange(1, 0x012345, nothing)
        assert [extranonces.take(), extranonces.take()] == [b"\x01\x01\x23\x45", b"\x01\x01\x23\x46"]

    def test_a_value_given_back_is_not_given_out_at_once(self) -> None:
        extranonces = ExtranonceRange(0, 0, nothing)
        first = extranonces.take()
        extranonces.release(first)
        assert extranonces.take() != first

    def test_after_the_last_value_comes_the_first(self) -> None:
        extranonces = ExtranonceRange(0, RANGE_SIZE - 1, nothing)
        assert [extranonces.take(), extranonces.take()] == [b"\x00\xff\xff\xff", b"\x00\x00\x00\x00"]

    def test_a_value_that_a_live_session_holds_is_passed_over(self) -> None:
        extranonces = ExtranonceRange(0, 0, nothing)
        extranonces.hold(b"\x00\x00\x00\x00")
        assert extranonces.take() == b"\x00\x00\x00\x01"

    @given(st.lists(st.booleans(), max_size=200))
    def test_no_two_live_sessions_share_one(self, takes: list[bool]) -> None:
        extranonces, held = ExtranonceRange(0, 0, nothing), set[bytes]()
        for take in takes:
            if take or not held:
                value = extranonces.take()
                assert value not in held
                held.add(value)
            else:
                extranonces.release(held.pop())

    @pytest.mark.parametrize("range_id", [-1, 256])
    def test_a_range_is_one_byte(self, range_id: int) -> None:
        with pytest.raises(ValueError, match="from 0 to 255"):
            ExtranonceRange(range_id, 0, nothing)

    @pytest.mark.parametrize("reserved", [-1, RANGE_SIZE])
    def test_a_counter_has_24_bits(self, reserved: int) -> None:
        with pytest.raises(ValueError, match="counter"):
            ExtranonceRange(0, reserved, nothing)


class TestHold:
    """A miner that comes back keeps its extranonce1; stratum conformance 53."""

    def test_a_session_that_comes_back_gets_its_value(self) -> None:
        assert ExtranonceRange(7, 0, nothing).hold(b"\x07\x00\x00\x09")

    def test_not_while_another_session_holds_it(self) -> None:
        extranonces = ExtranonceRange(7, 0, nothing)
        assert not extranonces.hold(extranonces.take())

    @pytest.mark.parametrize("extranonce1", [b"\x08\x00\x00\x00", b"\x07", b"", b"\x07\x00\x00\x00\x00"])
    def test_not_if_it_is_none_of_this_range(self, extranonce1: bytes) -> None:
        assert not ExtranonceRange(7, 0, nothing).hold(extranonce1)


class TestReserve:
    def test_values_are_set_aside_before_the_first_is_given_out(self) -> None:
        reserved: list[int] = []
        ExtranonceRange(0, 0, reserved.append).take()
        assert reserved == [STRIDE]

    def test_they_are_set_aside_by_the_stride(self) -> None:
        reserved: list[int] = []
        extranonces = ExtranonceRange(0, 0, reserved.append)
        for _ in range(2 * STRIDE + 1):
            extranonces.take()
        assert reserved == [STRIDE, 2 * STRIDE, 3 * STRIDE]

    def test_a_restart_gives_out_nothing_that_was_given_out_before(self) -> None:
        reserved: list[int] = []
        before = ExtranonceRange(0, 0, reserved.append)
        given_out = {before.take() for _ in range(10)}
        after = ExtranonceRange(0, reserved[-1], reserved.append)
        assert not given_out & {after.take() for _ in range(10)}

    def test_nothing_is_given_out_that_could_not_be_set_aside(self) -> None:
        def full(reserved: int) -> None:
            raise OSError(28, "No space left on device")

        extranonces = ExtranonceRange(0, 0, full)
        with pytest.raises(OSError, match="No space"):
            extranonces.take()
        with pytest.raises(OSError, match="No space"):
            extranonces.take()


class TestPermutation:
    def test_no_two_counters_become_one(self) -> None:
        permute = keyed_permutation(b"key")
        some = [permute(counter) for counter in range(0, RANGE_SIZE, 997)]
        assert len(set(some)) == len(some)
        assert all(0 <= each < RANGE_SIZE for each in some)

    @given(st.integers(0, RANGE_SIZE - 1), st.integers(0, RANGE_SIZE - 1))
    def test_two_counters_stay_two(self, one: int, other: int) -> None:
        permute = keyed_permutation(b"key")
        assert (permute(one) == permute(other)) == (one == other)

    def test_who_has_not_the_key_cannot_go_on_counting(self) -> None:
        one, other = keyed_permutation(b"key"), keyed_permutation(b"another")
        assert [one(counter) for counter in range(4)] != [other(counter) for counter in range(4)]
        assert one(1) - one(0) != one(2) - one(1)

    def test_a_range_uses_it(self) -> None:
        extranonces = ExtranonceRange(7, 0, lambda reserved: None, keyed_permutation(b"key"))
        taken = [extranonces.take() for _ in range(100)]
        assert len(set(taken)) == 100
        assert taken[0][:1] == b"\x07"
        assert sorted(taken) != taken
