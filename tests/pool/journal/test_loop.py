"""Steps that are repeated through outages; pool/journal/loop.py."""

import threading
from pathlib import Path

from pool.journal.loop import RETRY_SECONDS_MAX, Loop
from pool.journal.segments import JournalDamaged
from pool.ports import StoreUnavailable
from tests.pool.journal.samples import logged


class Script:
    """A step that ends as told, one after the other; then always well."""

    def __init__(self, *ends: float | Exception) -> None:
        self.ends = list(ends)

    def __call__(self) -> float:
        end = self.ends.pop(0) if self.ends else 0.2
        if isinstance(end, Exception):
            raise end
        return end


AWAY = StoreUnavailable("Redis refuses connections")


def test_a_step_says_when_the_next_is_due() -> None:
    assert Loop("test", Script(0.7)).attempt() == 0.7


def test_during_an_outage_the_wait_doubles_up_to_a_ceiling() -> None:
    loop = Loop("test", Script(*[AWAY] * 8))
    waits = [loop.attempt() for _ in range(8)]
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, RETRY_SECONDS_MAX, RETRY_SECONDS_MAX, RETRY_SECONDS_MAX]


def test_after_an_outage_the_first_wait_is_short_again() -> None:
    loop = Loop("test", Script(AWAY, AWAY, AWAY, 0.2, AWAY))
    assert [loop.attempt() for _ in range(5)][-1] == 0.2


def test_an_outage_is_logged_when_it_begins_and_when_it_ends() -> None:
    loop = Loop("test", Script(AWAY, AWAY, AWAY, 0.2, 0.2))
    with logged() as events:
        for _ in range(5):
            loop.attempt()
    assert events == ["redis_unavailable", "redis_ready"]


def test_another_reason_is_logged_too() -> None:
    loop = Loop("test", Script(AWAY, StoreUnavailable("Redis is loading"), 0.2))
    with logged() as events:
        for _ in range(3):
            loop.attempt()
    assert events == ["redis_unavailable", "redis_unavailable", "redis_ready"]


def test_a_damaged_journal_ends_the_loop() -> None:
    loop = Loop("test", Script(JournalDamaged(Path("0.seg"), 44, "test")))
    with logged() as events:
        assert loop.attempt() is None
    assert events == ["journal_unreadable"]


def test_a_disk_that_does_not_answer_is_asked_again() -> None:
    assert Loop("test", Script(OSError(5, "Input/output error"))).attempt() == 0.2


def test_a_bug_is_logged_and_does_not_end_the_loop() -> None:
    with logged() as events:
        assert Loop("test", Script(ZeroDivisionError("test"))).attempt() == RETRY_SECONDS_MAX
    assert events == ["bug"]


def test_the_steps_run_in_a_thread_of_their_own_until_stopped() -> None:
    stepped = threading.Event()
    threads = []

    def step() -> float:
        threads.append(threading.current_thread())
        stepped.set()
        return 60.0

    loop = Loop("test", step)
    loop.start()
    assert stepped.wait(10)
    assert loop.stop(10)
    assert threads[0] is not threading.main_thread()


def test_a_loop_that_was_never_started_can_be_stopped() -> None:
    assert Loop("test", Script()).stop(1)
