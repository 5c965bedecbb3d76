"""The states of a move."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.fleet.move import OPEN, MoveRefused, State, Step
from tests.pool.fleet.moves import START_MS, event, planned, running


def test_a_move_is_planned_runs_pauses_goes_on_and_is_closed() -> None:
    move = planned()
    states = [move.state]
    for at, step in enumerate((Step.START, Step.PAUSE, Step.RESUME, Step.CLOSE)):
        move = move.take(event(step, START_MS + at))
        states.append(move.state)
    assert states == [State.PLANNED, State.RUNNING, State.PAUSED, State.RUNNING, State.CLOSED]


@pytest.mark.parametrize("before", [(), (Step.PAUSE,), (Step.PAUSE, Step.RESUME)])
def test_it_can_be_rolled_back_at_any_time_once_it_has_begun(before: tuple[Step, ...]) -> None:
    move = running()
    for at, step in enumerate((*before, Step.ROLL_BACK), 1):
        move = move.take(event(step, START_MS + at))
    assert move.state is State.ROLLING_BACK
    assert (move.source.site, move.destination.site) == ("ekibastuz", "ganzi")


def test_rolled_back_before_it_began_it_is_over_for_nobody_was_told() -> None:
    assert planned().take(event(Step.ROLL_BACK, START_MS)).state is State.ROLLED_BACK


def test_the_same_key_is_the_same_step_whatever_became_of_the_move_since() -> None:
    move = running()
    paused = move.take(event(Step.PAUSE, START_MS + 1))
    assert paused.take(event(Step.START, START_MS)) is paused


def test_a_step_that_cannot_be_is_refused_with_those_that_can() -> None:
    with pytest.raises(MoveRefused, match="move out is planned, so pause is refused: it can only start or rollback"):
        planned().take(event(Step.PAUSE, START_MS))


def test_nothing_is_done_about_a_closed_move() -> None:
    closed = running().take(event(Step.CLOSE, START_MS + 1))
    with pytest.raises(MoveRefused, match="plan another"):
        closed.take(event(Step.ROLL_BACK, START_MS + 2))


def test_nobody_is_told_while_it_is_paused() -> None:
    assert running().since_ms == START_MS
    assert running().take(event(Step.PAUSE, START_MS + 5)).since_ms is None


def test_a_clock_that_steps_back_does_not_change_the_order_of_the_steps() -> None:
    move = running().take(event(Step.PAUSE, START_MS - 5000))
    assert [each.time_ms for each in move.events] == [START_MS, START_MS]


@given(st.lists(st.sampled_from(Step), max_size=12))
def test_whatever_is_ordered_each_step_is_taken_or_refused_and_what_is_over_stays_over(steps: list[Step]) -> None:
    move = planned()
    for at, step in enumerate(steps):
        was_open = move.is_open
        try:
            move = move.take(event(step, START_MS + at))
        except MoveRefused:
            continue
        assert was_open
    assert move.is_open == (move.state in OPEN)
