"""pool.scenario.live_move_report: waves, sums and words."""

from __future__ import annotations

from msgspec.structs import replace

from pool.scenario.live_move_report import Wave, waves_of, words
from tests.pool.scenario.reports import ARRIVALS, block, report


def test_machines_of_one_turn_are_a_wave() -> None:
    assert waves_of(ARRIVALS) == (Wave(0.0, 2, 1, 2.5, 2.5), Wave(6.0, 2, 2, 1.0, 3.0))


def test_one_that_was_never_told_is_in_no_wave() -> None:
    assert waves_of([replace(ARRIVALS[0], told_s=None)]) == ()


def test_the_parts_of_a_block_sum_to_it() -> None:
    assert block("after", 9.5).sum_sat == 5_000


def test_the_words_name_who_stayed_by_rack_and_what_became_of_the_shares() -> None:
    said = list(words(report()))
    assert "3 arrived, the last 9.0 s after the start." in said
    assert "Reset, these came back, and had 14 shares more where they were." in said
    assert "  sc-r01: sc-r01-02" in said
    assert "       724 were acknowledged to the machines that sent them" in said
    assert "         0 of these are lost" in said
    assert "         2 were refused: stale: a new block has come" in said
    assert "              900  ganzi, for what was hashed at ganzi" in said
    assert "WRONG" not in said


def test_the_words_tell_what_became_of_all_blocks_and_what_everybody_has_of_them() -> None:
    said = list(words(report()))
    assert "         5 were found" in said
    assert "         1 of these were lost to another one at their height, and pay nobody" in said
    assert "       100 of nobody followed, under which each is mature or lost" in said
    assert said[-4:] == [
        "  bit                                           12,000               3,000",
        "  neighbour                                      4,000               1,000",
        "  the pool, of fees                                400                 100",
        "  together, as in the wallet                    16,400               4,100",
    ]


def test_what_must_not_be_is_said_last_and_makes_it_no_good() -> None:
    found = report(lost=["share 01 of bit.sc-r01-01: in no journal"])
    assert not found.is_good
    assert list(words(found))[-2:] == ["WRONG", "  share 01 of bit.sc-r01-01: in no journal"]
    other = replace(report(), wrong=("bit.sc-r01-01 was never told to go",))
    assert not other.is_good
    assert report().is_good
