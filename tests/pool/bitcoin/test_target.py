"""Targets, work and difficulty: values of the chain, and Bitcoin Core's cases for the compact form."""

from __future__ import annotations

from fractions import Fraction
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.bitcoin.target import (
    DIFFICULTY_1_TARGET,
    TARGET_MAX,
    difficulty_from_target,
    nbits_from_target,
    share_target,
    share_work,
    target_from_difficulty,
    target_from_nbits,
    work_from_target,
)

GENESIS_NBITS = 0x1D00FFFF
REGTEST_NBITS = 0x207FFFFF


class TestCompactForm:
    """Bitcoin Core, `arith_uint256_tests.cpp`, bignum_SetCompact."""

    @pytest.mark.parametrize(
        ("nbits", "target"),
        [
            (GENESIS_NBITS, 0xFFFF << 208),
            (REGTEST_NBITS, 0x7FFFFF << 232),
            (0x1E0377AE, 0x0377AE << 216),
            (0x01123456, 0x12),
            (0x02123456, 0x1234),
            (0x03123456, 0x123456),
            (0x04123456, 0x12345600),
            (0x20123456, 0x123456 << 232),
        ],
    )
    def test_nbits_are_three_bytes_and_a_size(self, nbits: int, target: int) -> None:
        assert target_from_nbits(nbits) == target

    @pytest.mark.parametrize("nbits", [0, 0x00123456, 0x01003456, 0x02000056, 0x03000000, 0x04000000])
    def test_a_target_of_zero_is_refused(self, nbits: int) -> None:
        with pytest.raises(ValueError, match="zero"):
            target_from_nbits(nbits)

    @pytest.mark.parametrize("nbits", [0x01FEDCBA, 0x04923456])
    def test_a_negative_target_is_refused(self, nbits: int) -> None:
        with pytest.raises(ValueError, match="negative"):
            target_from_nbits(nbits)

    @pytest.mark.parametrize("nbits", [0xFF123456, 0x23000001, 0x22000100, 0x21010000])
    def test_a_target_of_more_than_256_bits_is_refused(self, nbits: int) -> None:
        with pytest.raises(ValueError, match="above"):
            target_from_nbits(nbits)

    @pytest.mark.parametrize("nbits", [-1, 1 << 32])
    def test_nbits_have_32_bits(self, nbits: int) -> None:
        with pytest.raises(ValueError, match="nbits"):
            target_from_nbits(nbits)

    @pytest.mark.parametrize("nbits", [GENESIS_NBITS, REGTEST_NBITS, 0x1E0377AE, 0x170E1EF9, 0x03123456, 0x02008000])
    def test_a_target_gives_its_nbits_back(self, nbits: int) -> None:
        assert nbits_from_target(target_from_nbits(nbits)) == nbits

    @given(st.integers(1, TARGET_MAX))
    def test_a_target_of_the_compact_form_is_never_easier(self, target: int) -> None:
        compact = target_from_nbits(nbits_from_target(target))
        assert compact <= target
        assert compact >> max(0, compact.bit_length() - 16) == target >> max(0, target.bit_length() - 16)


class TestWork:
    """Bitcoin Core, `GetBlockProof`: the sum of these is a chain's chainwork."""

    @pytest.mark.parametrize(
        ("nbits", "work"),
        [(GENESIS_NBITS, 4295032833), (REGTEST_NBITS, 2), (0x170E1EF9, 85611991915421578432521)],
    )
    def test_work_is_the_expected_number_of_hashes(self, nbits: int, work: int) -> None:
        assert work_from_target(target_from_nbits(nbits)) == work

    @given(st.integers(1, TARGET_MAX))
    def test_it_equals_the_formula_of_the_node(self, target: int) -> None:
        assert work_from_target(target) == (TARGET_MAX - target) // (target + 1) + 1

    @pytest.mark.parametrize("target", [0, -1, TARGET_MAX + 1])
    def test_what_is_no_target_is_refused(self, target: int) -> None:
        with pytest.raises(ValueError, match="a target is"):
            work_from_target(target)


class TestDifficulty:
    @pytest.mark.parametrize(
        ("difficulty", "target"),
        [
            (Fraction(1), 0xFFFF << 208),
            (Fraction(65536), 0xFFFF << 192),
            (Fraction(1, 1000), 0x000003E7FC18 << 208),
            (Fraction(131072, 3), 0x0000000000017FFE8 << 188),
            (Fraction(1, 1 << 40), TARGET_MAX),
        ],
    )
    def test_a_rational_difficulty_has_an_exact_target(self, difficulty: Fraction, target: int) -> None:
        assert target_from_difficulty(difficulty) == target

    @pytest.mark.parametrize("difficulty", [Fraction(0), Fraction(-1)])
    def test_a_difficulty_is_above_zero(self, difficulty: Fraction) -> None:
        with pytest.raises(ValueError, match="above zero"):
            target_from_difficulty(difficulty)

    def test_people_see_the_difficulty_that_the_node_shows(self) -> None:
        assert difficulty_from_target(target_from_nbits(0x1E0377AE)) == pytest.approx(0.001126515290698186, rel=1e-15)
        assert difficulty_from_target(DIFFICULTY_1_TARGET) == 1.0


class TestShareTarget:
    def test_it_is_the_exact_target_of_the_double_on_the_wire(self) -> None:
        assert share_target(0.1, 0x170E1EF9) == DIFFICULTY_1_TARGET * (1 << 55) // 3602879701896397

    def test_it_is_never_harder_than_the_networks(self) -> None:
        assert share_target(1e15, GENESIS_NBITS) == target_from_nbits(GENESIS_NBITS)

    def test_its_work_is_what_the_share_is_credited_with(self) -> None:
        assert share_work(65536.0, 0x170E1EF9) == 281479271743489

    @pytest.mark.parametrize("difficulty", [nan, inf, -inf, 0.0, -1.0])
    def test_what_is_no_difficulty_is_refused(self, difficulty: float) -> None:
        with pytest.raises(ValueError, match="a difficulty is"):
            share_target(difficulty, GENESIS_NBITS)

    @given(st.floats(1e-9, 1e15), st.floats(1e-9, 1e15))
    def test_a_higher_difficulty_has_no_easier_target(self, one: float, other: float) -> None:
        low, high = sorted((one, other))
        assert share_target(high, 0x170E1EF9) <= share_target(low, 0x170E1EF9)
