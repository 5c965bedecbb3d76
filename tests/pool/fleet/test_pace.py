"""How fast machines are told."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.fleet.pace import CATCH_UP_MS, BadPace, Pace, parse_pace


def test_so_many_a_minute_go_one_by_one_and_evenly() -> None:
    assert parse_pace("20/min", 320).schedule(4, 1000) == [1000, 4000, 7000, 10_000]


def test_above_one_a_second_several_go_at_once() -> None:
    pace = parse_pace("150/min", 10_000)
    assert pace.size == 3
    assert len([each for each in pace.schedule(10_000, 0) if each < 60_000]) == 150


def test_a_share_of_the_whole_goes_in_waves() -> None:
    assert parse_pace("10%/15min", 32).schedule(9, 0) == [0, 0, 0, 0, 900_000, 900_000, 900_000, 900_000, 1_800_000]


@pytest.mark.parametrize("text", ["", "0/min", "20", "20/s", "101%/5min", "0%/5min", "10%/0min", "-3/min"])
def test_what_is_no_pace_is_refused_with_two_that_are(text: str) -> None:
    with pytest.raises(BadPace, match=r"20/min .* 10%/15min"):
        parse_pace(text, 10)


def test_after_a_pause_the_next_is_due_at_once_and_not_before() -> None:
    assert list(islice(Pace(1, 3000).slots(5000, 1, 90_000, 90_000), 2)) == [90_000, 93_000]


def test_what_was_missed_while_nobody_told_them_does_not_become_a_burst() -> None:
    now_ms = 600_000
    due = [slot for slot in islice(Pace(1, 1000).slots(0, 1, 0, now_ms), 100) if slot <= now_ms]
    assert len(due) == CATCH_UP_MS // 1000 + 1


def test_a_wave_that_was_told_in_part_is_told_to_its_end() -> None:
    assert list(islice(Pace(4, 60_000).slots(1000, 3, 1000, 1500), 2)) == [1000, 61_000]


@given(st.integers(1, 50), st.integers(1000, 100_000), st.integers(1, 200))
def test_the_last_machine_is_due_when_the_plan_says_that_it_ends(size: int, every_ms: int, count: int) -> None:
    pace = Pace(size, every_ms)
    assert pace.schedule(count, 7)[-1] == 7 + pace.lasts_ms(count)
