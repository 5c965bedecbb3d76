"""native.Flow: the numbers that each share of a session changes; both twins count the same."""

from __future__ import annotations

import math
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from native import flow, flow_reference


@pytest.fixture(params=[flow, flow_reference], ids=["compiled", "reference"])
def twin(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


def test_nothing_is_worth_a_look_before_there_is_an_alarm(twin: ModuleType) -> None:
    counted = twin.Flow()
    assert [counted.take(1e300) for _ in range(3)] == [False] * 3
    assert (counted.accepted, counted.fresh, counted.alarm) == (3, 3e300, math.inf)


def test_it_says_once_that_there_is_need_for_a_look(twin: ModuleType) -> None:
    counted = twin.Flow()
    counted.alarm = 3.0
    assert [counted.take(1.0) for _ in range(5)] == [False, False, True, False, False]
    counted.fresh, counted.alarm = 0.0, 1.0
    assert (counted.take(1.0), counted.accepted) == (True, 6)


def test_it_counts_what_was_read_until_told_to_begin_anew(twin: ModuleType) -> None:
    counted = twin.Flow()
    assert [counted.read(10), counted.read(5)] == [10, 15]
    counted.read_bytes = 0
    assert counted.read(7) == 7


@given(st.lists(st.one_of(st.floats(0, 1e15), st.integers(0, 1 << 40))), st.floats(0, 1e16))
def test_both_count_the_same(steps: list[float | int], alarm: float) -> None:
    twins = flow.Flow(), flow_reference.Flow()
    for each in twins:
        each.alarm = alarm
    for step in steps:
        told = {each.read(step) if isinstance(step, int) else each.take(step) for each in twins}
        assert len(told) == 1
    first, second = ((each.accepted, each.read_bytes, each.fresh, each.alarm) for each in twins)
    assert first == second
