"""stratum.difficulty."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.bitcoin.target import share_target, target_from_nbits
from stratum.difficulty import (
    DifficultyBounds,
    SessionDifficulty,
    announceable,
    judged_target,
    parse_difficulty,
    wire_text,
)
from tests.stratum.scene import MAINNET_NBITS

REGTEST_NBITS = 0x207FFFFF
SIGNET_NBITS = 0x1E0377AE


class TestAnnounceable:
    def test_it_is_whole_from_one_on(self) -> None:
        assert announceable(1234.9, MAINNET_NBITS) == 1234.0

    def test_a_fraction_below_one_stays(self) -> None:
        assert announceable(0.00015, MAINNET_NBITS) == 0.00015

    def test_it_is_never_harder_than_the_network(self) -> None:
        assert announceable(65536.0, SIGNET_NBITS) == 0.001126515290698186

    @given(st.floats(1e-9, 1e15), st.sampled_from([REGTEST_NBITS, SIGNET_NBITS, 0x1D00FFFF, MAINNET_NBITS]))
    def test_what_is_announced_is_what_is_judged_bit_for_bit(self, wanted: float, nbits: int) -> None:
        announced = announceable(wanted, nbits)
        assert json.loads(wire_text(announced)) == announced

    @given(st.floats(1, 1e15))
    def test_from_one_on_the_text_is_digits_only(self, wanted: float) -> None:
        assert wire_text(announceable(wanted, MAINNET_NBITS)).isdigit()


class TestJudgedTarget:
    def test_bfgminers_reading_of_a_whole_difficulty_is_met(self) -> None:
        bfgminers = (1 << 224) // 1024
        assert int.from_bytes(judged_target(1024.0, MAINNET_NBITS), "little") == bfgminers

    def test_it_is_at_most_one_part_in_65535_easier_than_announced(self) -> None:
        exact = share_target(0.00015, MAINNET_NBITS)
        assert exact <= int.from_bytes(judged_target(0.00015, MAINNET_NBITS), "little") <= exact + exact // 65535

    def test_a_block_always_meets_it(self) -> None:
        assert int.from_bytes(judged_target(1e15, REGTEST_NBITS), "little") >= target_from_nbits(REGTEST_NBITS)

    def test_it_has_32_bytes_even_at_the_easiest(self) -> None:
        assert judged_target(1e-15, MAINNET_NBITS) == b"\xff" * 32


class TestParse:
    @pytest.mark.parametrize(("value", "difficulty"), [(1000, 1000.0), (0.5, 0.5), ("0.500000", 0.5), ("1e3", 1000.0)])
    def test_a_number_or_one_in_a_string(self, value: object, difficulty: float) -> None:
        assert parse_difficulty(value) == difficulty

    @pytest.mark.parametrize(
        "value", [None, True, False, 0, -1, 0.0, "", "x", "nan", "inf", "1_0", "+1", " 1", "\uff11", 10**400, [1], {}]
    )
    def test_nothing_else_is_a_difficulty(self, value: object) -> None:
        assert parse_difficulty(value) is None


class TestSession:
    BOUNDS = DifficultyBounds(default=64.0, minimum=1.0, maximum=4096.0)

    def announced(self, difficulty: SessionDifficulty, number: int = 1) -> float | None:
        return difficulty.announce(number, MAINNET_NBITS, oldest=1)

    def test_the_first_job_announces_the_ports_difficulty(self) -> None:
        assert self.announced(SessionDifficulty(self.BOUNDS)) == 64.0

    def test_the_ports_difficulty_may_lie_outside_of_what_miners_may_ask(self) -> None:
        assert self.announced(SessionDifficulty(DifficultyBounds(0.0001, 1.0, 10.0))) == 0.0001

    def test_the_next_job_announces_nothing_if_nothing_changed(self) -> None:
        difficulty = SessionDifficulty(self.BOUNDS)
        self.announced(difficulty)
        assert self.announced(difficulty, 2) is None

    def test_a_suggestion_takes_effect_with_the_next_job(self) -> None:
        difficulty = SessionDifficulty(self.BOUNDS)
        self.announced(difficulty)
        difficulty.suggest(128.0)
        assert difficulty.current == 64.0
        assert self.announced(difficulty, 2) == 128.0

    def test_an_earlier_job_keeps_its_difficulty(self) -> None:
        difficulty = SessionDifficulty(self.BOUNDS)
        self.announced(difficulty)
        difficulty.suggest(128.0)
        self.announced(difficulty, 3)
        assert [difficulty.at(number) for number in (1, 2, 3)] == [64.0, 64.0, 128.0]

    def test_a_job_that_was_not_sent_has_none(self) -> None:
        difficulty = SessionDifficulty(self.BOUNDS)
        self.announced(difficulty, 3)
        assert difficulty.at(4) is None
        self.announced(difficulty, 5)
        assert (difficulty.at(4, variant=True), difficulty.at(4)) == (None, 64.0)

    def test_a_wish_holds_for_jobs_made_after_it(self) -> None:
        difficulty = SessionDifficulty(self.BOUNDS)
        difficulty.begin()
        assert difficulty.may_take(7)
        difficulty.suggest(128.0)
        difficulty.mark(7)
        assert [difficulty.may_take(number) for number in (7, 8)] == [False, True]
        difficulty.mark(8)
        assert difficulty.may_take(8), "it is the same wish"

    def test_one_from_before_the_session_has_its_extranonce_is_free(self) -> None:
        difficulty = SessionDifficulty(self.BOUNDS)
        difficulty.suggest(128.0)
        difficulty.mark(7)
        difficulty.begin()
        assert difficulty.may_take(7)

    def test_a_job_from_before_the_session_has_none(self) -> None:
        difficulty = SessionDifficulty(self.BOUNDS)
        self.announced(difficulty, 5)
        assert difficulty.at(4) is None

    @pytest.mark.parametrize(("asked", "granted"), [(0.001, 1.0), (1e9, 4096.0)])
    def test_a_suggestion_stays_within_the_ports_range(self, asked: float, granted: float) -> None:
        difficulty = SessionDifficulty(self.BOUNDS)
        difficulty.suggest(asked)
        assert self.announced(difficulty) == granted

    def test_the_password_holds_against_a_firmwares_suggestion(self) -> None:
        difficulty = SessionDifficulty(self.BOUNDS)
        difficulty.pin(256.0)
        difficulty.suggest(1000.0)
        assert self.announced(difficulty) == 256.0

    def test_a_minimum_lifts_it(self) -> None:
        difficulty = SessionDifficulty(self.BOUNDS)
        assert difficulty.set_floor(100.0)
        assert self.announced(difficulty) == 100.0

    def test_a_minimum_above_the_ports_range_is_refused(self) -> None:
        difficulty = SessionDifficulty(self.BOUNDS)
        assert not difficulty.set_floor(4097.0)
        assert self.announced(difficulty) == 64.0

    def test_who_cuts_fractions_gets_none(self) -> None:
        difficulty = SessionDifficulty(DifficultyBounds(0.5, 0.001, 4096.0))
        difficulty.avoid_fractions()
        assert self.announced(difficulty) == 1.0

    def test_unless_it_asks_for_one(self) -> None:
        difficulty = SessionDifficulty(DifficultyBounds(0.5, 0.001, 4096.0))
        difficulty.avoid_fractions()
        difficulty.suggest(0.25)
        assert self.announced(difficulty) == 0.25

    def test_what_no_known_job_needs_is_forgotten(self) -> None:
        difficulty = SessionDifficulty(self.BOUNDS)
        for number in range(1, 50):
            difficulty.suggest(float(number))
            difficulty.announce(number, MAINNET_NBITS, oldest=number)
        assert difficulty.at(1) is None
        assert difficulty.at(49) == 49.0
