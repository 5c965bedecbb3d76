"""A source's failure as a value."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from pool.dashboard.ports import SourceUnavailable
from pool.dashboard.readings import Reading, reading, together, unavailable
from tests.pool.dashboard.running import result_of


async def answering(text: str) -> str:
    return text


async def failing(reason: str) -> str:
    raise SourceUnavailable(reason)


async def broken() -> str:
    raise ZeroDivisionError


def test_an_answer_is_a_reading_without_a_reason() -> None:
    assert result_of(reading(answering("yes"))) == Reading("yes", None)


def test_a_failure_is_a_reading_with_its_reason() -> None:
    assert result_of(reading(failing("down"))) == Reading(None, "down")


def test_a_bug_is_no_reading() -> None:
    with pytest.raises(ZeroDivisionError):
        result_of(reading(broken()))


def test_of_two_sources_one_may_fail() -> None:
    both = result_of(together(failing("down"), answering("yes")))
    assert both == (Reading(None, "down"), Reading("yes", None))


def test_two_sources_that_hang_are_waited_for_at_once() -> None:
    started: list[str] = []

    async def hanging(name: str) -> str:
        started.append(name)
        return await Deferred()

    Deferred.fromCoroutine(together(hanging("redis"), hanging("database")))
    assert started == ["redis", "database"]


def test_only_what_failed_is_unavailable() -> None:
    assert unavailable(redis=Reading[str](reason="down"), database=Reading("yes")) == {"redis": "down"}
