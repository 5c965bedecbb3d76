"""pool.fleet.facts and pool.fleet.register: what held, by what was known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pool.fleet.facts import Fact, holding, known, overlap
from pool.fleet.kinds import Capacity
from pool.fleet.register import Entry, Register
from tests.pool.fleet.rows import NOW_MS

TIMES = st.integers(0, 40)
WATTS = st.integers(0, 5)
STEPS = st.lists(st.tuples(TIMES, WATTS), max_size=12)


def capacity(from_: int, watts: int, to: int | None = None) -> Capacity:
    valid_to_ms = None if to is None else NOW_MS + to
    return Capacity(site="kz", capacity_w=watts, valid_from_ms=NOW_MS + from_, valid_to_ms=valid_to_ms)


def told(steps: list[tuple[int, int]]) -> tuple[Register, list[list[int | None]]]:
    """A register that was told of changes of capacity, one after the other, and what a plain list of all times says
    after each."""
    register = Register()
    plain: list[list[int | None]] = [[None] * 41]
    for step, (from_, watts) in enumerate(steps, 1):
        register.add([Entry("x", capacity(from_, watts))], step)
        plain.append([*plain[-1][:from_], *[watts] * (41 - from_)])
    return register, plain


def answer(register: Register, time: int, recorded_ms: int | None) -> list[int]:
    return [row.capacity_w for row in register.holding(Capacity, NOW_MS + time, recorded_ms)]


@given(st.lists(st.tuples(TIMES, WATTS), max_size=12, unique_by=lambda step: step[0]).map(sorted))
def test_what_was_known_at_each_moment_can_be_asked_for_ever(steps: list[tuple[int, int]]) -> None:
    register, plain = told(steps)
    for recorded_ms, then in enumerate(plain):
        for time, watts in enumerate(then):
            assert answer(register, time, recorded_ms) == ([] if watts is None else [watts])


@given(STEPS)
def test_a_row_that_was_recorded_is_never_changed(steps: list[tuple[int, int]]) -> None:
    register = Register()
    before: list[Capacity] = []
    for step, (from_, watts) in enumerate(steps, 1):
        register.add([Entry("x", capacity(from_, watts))], step)
        assert register.every(Capacity)[: len(before)] == before
        before = register.every(Capacity)


@given(STEPS, TIMES)
def test_a_later_record_leaves_what_was_known_before(steps: list[tuple[int, int]], time: int) -> None:
    register = Register()
    answers: list[list[int]] = []
    for step, (from_, watts) in enumerate(steps, 1):
        register.add([Entry("x", capacity(from_, watts))], step)
        answers.append(answer(register, time, None))
    assert [answer(register, time, step) for step in range(1, len(steps) + 1)] == answers


@given(TIMES, st.none() | TIMES, TIMES, st.none() | TIMES)
def test_two_rows_overlap_if_both_hold_at_some_moment(one: int, end: int | None, two: int, stop: int | None) -> None:
    first = capacity(one, 1, None if end is None else max(one, end))
    second = capacity(two, 1, None if stop is None else max(two, stop))
    both = any(first.holds_at(NOW_MS + time) and second.holds_at(NOW_MS + time) for time in range(42))
    assert overlap(first, second) == overlap(second, first) == both


def test_a_row_ends_where_its_end_says_and_no_sooner() -> None:
    row = capacity(0, 1, 10)
    assert [row.holds_at(NOW_MS + time) for time in (-1, 0, 9, 10)] == [False, True, True, False]


def test_a_row_that_holds_for_no_time_withdraws_the_one_it_replaces() -> None:
    first = replace(capacity(0, 1), row_id=1, recorded_ms=1)
    rows: list[Fact] = [first, replace(first, valid_to_ms=first.valid_from_ms, row_id=2, recorded_ms=5, replaces=1)]
    assert [len(holding(rows, NOW_MS, recorded_ms)) for recorded_ms in (1, 4, 5)] == [1, 1, 0]
    assert [row.row_id for row in known(rows)] == [2]


def test_the_same_said_again_comes_to_nothing() -> None:
    register = Register()
    assert len(register.add([Entry("x", capacity(0, 5))], 1)) == 1
    assert register.add([Entry("x", capacity(0, 5))], 2) == []


def test_what_is_said_otherwise_of_the_same_beginning_takes_its_place() -> None:
    register = Register()
    register.add([Entry("x", capacity(0, 5)), Entry("x", capacity(0, 6))], 1)
    assert [(row.capacity_w, row.replaces) for row in register.every(Capacity)] == [(5, None), (6, 1)]
