"""One second of memory: shared reads, shared failures, and no waiting for what hangs."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from pool.dashboard.cache import ENTRIES_MAX, FRESH_SECONDS, STALE_SECONDS, WARM_SECONDS, Cache
from pool.dashboard.ports import SourceUnavailable
from tests.pool.dashboard.fakes import FakeClock


class Source:
    """A source that answers when told to."""

    def __init__(self) -> None:
        self.pending: list[Deferred[str]] = []

    async def read(self) -> str:
        self.pending.append(Deferred())
        return await self.pending[-1]


class Bench:
    """A cache with its clocks in hand."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.reactor = Clock()
        self.cache = Cache(self.clock, self.reactor)
        self.source = Source()

    def ask(self, question: str = "live") -> list[object]:
        """Start to ask; the list gets the answer or the exception."""
        outcome: list[object] = []
        asked = Deferred.fromCoroutine(self.cache.get(question, self.source.read))
        asked.addCallbacks(outcome.append, lambda failure: outcome.append(failure.value))
        return outcome

    def fail(self, error: Exception) -> None:
        """The newest read ends with this."""
        failure: Any = Failure
        self.source.pending[-1].errback(failure(error))

    def advance(self, seconds: float) -> None:
        self.clock.seconds += seconds
        self.reactor.advance(seconds)


def test_those_who_ask_during_a_read_share_its_answer() -> None:
    bench = Bench()
    outcomes = [bench.ask() for _ in range(3)]
    bench.source.pending[0].callback("answer")
    assert (outcomes, len(bench.source.pending)) == ([["answer"]] * 3, 1)


def test_an_answer_is_given_again_within_a_second() -> None:
    bench = Bench()
    bench.ask()
    bench.source.pending[0].callback("answer")
    bench.advance(0.99)
    assert (bench.ask(), len(bench.source.pending)) == (["answer"], 1)


def test_after_a_second_the_source_is_read_again() -> None:
    bench = Bench()
    bench.ask()
    bench.source.pending[0].callback("old")
    bench.advance(1.0)
    outcome = bench.ask()
    bench.source.pending[1].callback("new")
    assert outcome == ["new"]


def test_a_failure_is_shared_for_a_second_too() -> None:
    bench = Bench()
    unavailable = SourceUnavailable("Redis is not running.")
    outcome = bench.ask()
    bench.fail(unavailable)
    assert (outcome, bench.ask(), len(bench.source.pending)) == ([unavailable], [unavailable], 1)


def test_the_source_is_asked_again_after_a_failure() -> None:
    bench = Bench()
    bench.ask()
    bench.fail(SourceUnavailable("Redis is not running."))
    bench.advance(1.0)
    outcome = bench.ask()
    bench.source.pending[1].callback("answer")
    assert outcome == ["answer"]


def test_different_questions_are_read_apart() -> None:
    bench = Bench()
    first, second = bench.ask("one"), bench.ask("two")
    bench.source.pending[1].callback("second")
    assert (first, second) == ([], ["second"])


def test_a_source_that_hangs_is_unavailable_after_five_seconds() -> None:
    bench = Bench()
    outcome = bench.ask()
    bench.advance(4.9)
    assert outcome == []
    bench.advance(0.1)
    assert isinstance(outcome[0], SourceUnavailable)


def test_nobody_waits_for_a_source_that_is_known_to_hang() -> None:
    bench = Bench()
    bench.ask()
    bench.advance(6.0)
    assert isinstance(bench.ask()[0], SourceUnavailable)
    assert len(bench.source.pending) == 1


def test_the_late_answer_of_a_source_that_hung_serves_the_next() -> None:
    bench = Bench()
    bench.ask()
    bench.advance(6.0)
    bench.source.pending[0].callback("late")
    assert bench.ask() == ["late"]


def test_no_timer_is_left_behind() -> None:
    bench = Bench()
    bench.ask()
    bench.source.pending[0].callback("answer")
    assert bench.reactor.getDelayedCalls() == []


@pytest.mark.parametrize(("question", "reads"), [("0", ENTRIES_MAX + 2), (str(ENTRIES_MAX), ENTRIES_MAX + 1)])
def test_of_too_many_questions_the_one_asked_longest_ago_is_forgotten(question: str, reads: int) -> None:
    bench = Bench()
    for number in range(ENTRIES_MAX + 1):
        bench.ask(str(number))
        bench.source.pending[-1].callback("answer")
    bench.ask(question)
    assert len(bench.source.pending) == reads


class Warm(Bench):
    """A question that is kept warm."""

    def ask(self, question: str = "live") -> list[object]:
        outcome: list[object] = []
        asked = Deferred.fromCoroutine(self.cache.get(question, self.source.read, warm=True))
        asked.addCallbacks(outcome.append, lambda failure: outcome.append(failure.value))
        return outcome


class TestWarm:
    def test_what_is_asked_for_is_read_again_by_itself(self) -> None:
        bench = Warm()
        bench.ask()
        bench.source.pending[0].callback("old")
        bench.advance(FRESH_SECONDS)
        bench.source.pending[1].callback("new")
        assert (bench.ask(), len(bench.source.pending)) == (["new"], 2)

    def test_during_a_read_the_last_answer_is_given(self) -> None:
        bench = Warm()
        bench.ask()
        bench.source.pending[0].callback("old")
        bench.advance(FRESH_SECONDS)
        assert bench.ask() == ["old"]

    def test_but_not_when_it_is_old(self) -> None:
        bench = Warm()
        bench.ask()
        bench.source.pending[0].callback("old")
        bench.advance(FRESH_SECONDS)
        bench.advance(STALE_SECONDS - FRESH_SECONDS)
        outcome = bench.ask()
        assert outcome == []
        bench.source.pending[1].callback("new")
        assert outcome == ["new"]

    def test_when_nobody_asks_any_more_nothing_is_read_any_more(self) -> None:
        bench = Warm()
        bench.ask()
        for _ in range(100):
            if not bench.source.pending[-1].called:
                bench.source.pending[-1].callback("answer")
            bench.advance(1.0)
        assert len(bench.source.pending) == WARM_SECONDS

    def test_who_comes_after_a_silence_gets_what_is_read_then(self) -> None:
        bench = Warm()
        bench.ask()
        bench.source.pending[0].callback("old")
        bench.advance(WARM_SECONDS + 1)
        outcome = bench.ask()
        bench.source.pending[-1].callback("new")
        assert outcome == ["new"]

    def test_a_failure_is_read_again_too(self) -> None:
        bench = Warm()
        bench.ask()
        bench.fail(SourceUnavailable("Redis is not running."))
        bench.advance(FRESH_SECONDS)
        bench.source.pending[1].callback("up again")
        assert bench.ask() == ["up again"]
