"""stratum.jobs."""

from __future__ import annotations

import gc

import pytest

from stratum.jobs import JOBS_PER_TIP_MAX, OLD_TIP_SECONDS, JobBook, LiveJob, Tip
from tests.stratum.scene import NEXT_TIP, TIP, make_job


def added(book: JobBook, job_id: str, prev_hash: bytes = TIP, now: float = 0.0) -> LiveJob:
    live = book.add(make_job(job_id, prev_hash), now)
    assert live is not None
    return live


def test_a_job_is_found_by_its_id() -> None:
    book = JobBook()
    live = added(book, "a1")
    assert book.find("a1") is live
    assert book.find("a2") is None


def test_the_newest_job_is_the_current_one() -> None:
    book = JobBook()
    added(book, "a1")
    second = added(book, "a2")
    assert book.current is second


def test_a_job_is_taken_once() -> None:
    book = JobBook()
    added(book, "a1")
    assert book.add(make_job("a1"), 0.0) is None


def test_what_cannot_be_a_job_is_refused() -> None:
    with pytest.raises(ValueError, match="nbits"):
        JobBook().add(make_job(nbits=0), 0.0)


def test_jobs_of_one_tip_stay_good_for_as_long_as_it_stands() -> None:
    book = JobBook()
    first = added(book, "a1")
    added(book, "a2", now=7200.0)
    book.expire(7200.0)
    assert book.find("a1") is first
    assert not book.is_stale(first)


def test_a_new_tip_makes_them_stale() -> None:
    book = JobBook()
    first = added(book, "a1")
    second = added(book, "b1", NEXT_TIP)
    assert book.is_stale(first)
    assert not book.is_stale(second)


def test_stale_jobs_are_known_a_while_longer() -> None:
    book = JobBook()
    added(book, "a1")
    added(book, "b1", NEXT_TIP, now=100.0)
    book.expire(100.0 + OLD_TIP_SECONDS - 0.1)
    assert book.find("a1") is not None


def test_then_they_are_forgotten_with_their_duplicates() -> None:
    book = JobBook()
    first = added(book, "a1")
    first.tip.accepted.add(bytes(32))
    added(book, "b1", NEXT_TIP, now=100.0)
    book.expire(100.0 + OLD_TIP_SECONDS)
    assert book.find("a1") is None
    assert len(added(book, "a2").tip.accepted) == 0


def test_their_memory_is_free_at_once_without_a_collection_of_garbage() -> None:
    gc.collect()
    gc.disable()
    try:
        before = tips()
        book = JobBook()
        added(book, "a1")
        added(book, "b1", NEXT_TIP, now=100.0)
        assert tips() == before + 2
        book.expire(100.0 + OLD_TIP_SECONDS)
        assert tips() == before + 1
    finally:
        gc.enable()


def tips() -> int:
    return sum(isinstance(each, Tip) for each in gc.get_objects())


def test_a_tip_that_comes_back_has_its_jobs_and_duplicates_again() -> None:
    book = JobBook()
    first = added(book, "a1")
    first.tip.accepted.add(bytes(32))
    added(book, "b1", NEXT_TIP, now=1.0)
    again = added(book, "a2", now=2.0)
    book.expire(2.0 + OLD_TIP_SECONDS)
    assert not book.is_stale(first)
    assert not again.tip.accepted.add(bytes(32))
    assert book.find("b1") is None


def test_numbers_grow() -> None:
    book = JobBook()
    assert added(book, "a1").number < added(book, "b1", NEXT_TIP).number < added(book, "a2").number


def test_the_oldest_number_is_that_of_the_oldest_known_job() -> None:
    book = JobBook()
    added(book, "a1")
    second = added(book, "b1", NEXT_TIP, now=1.0)
    book.expire(1.0 + OLD_TIP_SECONDS)
    assert book.oldest_number == second.number


def test_a_tip_that_never_changes_does_not_fill_the_memory() -> None:
    book = JobBook()
    for number in range(JOBS_PER_TIP_MAX + 10):
        added(book, f"{number:x}")
    assert len(book) == JOBS_PER_TIP_MAX
    assert book.find("0") is None
