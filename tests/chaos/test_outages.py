"""What happened to the miners is laid to the fault that did it."""

from tests.chaos.memory import Absence
from tests.chaos.outages import Injected, outages


def test_a_silence_is_the_longest_time_without_an_answer_after_a_fault() -> None:
    [outage] = outages([Injected("kill", 10, 11)], [9, 10.5, 14, 14.5], [], 15)
    assert (outage.count, outage.silent_seconds, outage.silent_seconds_max) == (1, 3.5, 3.5)


def test_a_silence_from_the_fault_to_the_end_counts() -> None:
    [outage] = outages([Injected("kill", 10, 11)], [9], [], 15)
    assert outage.silent_seconds == 5


def test_a_fault_answers_for_nothing_behind_the_next_one() -> None:
    first, second = outages([Injected("a", 10, 11), Injected("b", 12, 13)], [10, 11, 12, 19, 20], [], 20)
    assert (first.silent_seconds, second.silent_seconds) == (1, 7)


def test_faults_of_one_kind_are_one_row_with_the_median_and_the_longest() -> None:
    injected = [Injected("kill", at, at) for at in (10, 20, 30)]
    [outage] = outages(injected, [11, 12, 13, 20, 21, 23, 30, 34], [], 34)
    assert (outage.count, outage.silent_seconds, outage.silent_seconds_max) == (3, 7, 7)


def test_miners_that_lost_their_session_are_counted_with_the_longest_absence() -> None:
    absences = [Absence("alice", 0, 1), Absence("alice", 10.1, 10.4), Absence("bob", 10.2, 12)]
    [outage] = outages([Injected("kill", 10, 11)], [10], absences, 15)
    assert (outage.away, outage.away_seconds_max) == (2, 1.8000000000000007)
