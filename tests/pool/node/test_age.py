"""The alarm for old templates."""

from __future__ import annotations

from pool.node.age import PAGE_SECONDS, WARN_SECONDS, AgeAlarm
from tests.pool.node.captured import captured_events, names


def told(*ages: float, problem: str | None = None) -> list[str]:
    alarm = AgeAlarm()
    with captured_events() as events:
        for age in ages:
            alarm.look(age, problem)
    return names(events)


def test_a_young_template_is_not_told() -> None:
    assert told(0.0, WARN_SECONDS - 1) == []


def test_each_step_is_told_once() -> None:
    assert told(WARN_SECONDS, WARN_SECONDS + 1, PAGE_SECONDS, PAGE_SECONDS + 1) == ["template_old", "template_too_old"]


def test_a_template_that_was_too_old_at_once_is_told_so() -> None:
    assert told(PAGE_SECONDS) == ["template_too_old"]


def test_a_new_one_ends_it() -> None:
    assert told(WARN_SECONDS, 0.0, 1.0) == ["template_old", "template_fresh"]


def test_it_can_begin_anew() -> None:
    assert told(PAGE_SECONDS, 0.0, WARN_SECONDS) == ["template_too_old", "template_fresh", "template_old"]
