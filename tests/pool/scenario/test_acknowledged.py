"""pool.scenario.acknowledged: what must not be is found, and said of which share."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pool.scenario.acknowledged import Kept, Place, judge
from pool.scenario.machines import Answered
from pool.scenario.two_regions import Endpoint

HOME = Endpoint("127.0.0.1", 3333)
PLACE: Place = ("a" * 16, 7)


def answered(number: int, reason: str = "", login: str = "bit.sc-1") -> Answered:
    return Answered(bytes([number]) * 32, login, HOME, 1000, reason)


def kept(number: int, seq: int = 7, region: str = "sichuan") -> Kept:
    return Kept((PLACE[0], seq), region, bytes([number]) * 32, 1000, "bit.sc-1", 1, None)


def test_a_share_that_is_in_a_journal_and_in_the_books_once_is_good() -> None:
    verdict = judge([answered(1)], [kept(1)], [(PLACE, "bit")])
    assert (verdict.is_good, verdict.acknowledged, verdict.unheard) == (True, 1, 0)


@pytest.mark.parametrize(
    ("journal", "where"), [([], "in no journal"), ([kept(1)], "in a journal and not in the books")]
)
def test_an_acknowledged_share_that_is_missing_is_lost(journal: list[Kept], where: str) -> None:
    verdict = judge([answered(1)], journal, [])
    assert verdict.lost == [f"share {'01' * 32} of bit.sc-1: {where}"]
    assert not verdict.is_good


def test_one_share_in_two_journals_counts_twice() -> None:
    other = replace(kept(1), place=("b" * 16, 3), region="kazakhstan")
    verdict = judge([answered(1)], [kept(1), other], [(PLACE, "bit"), (other.place, "bit")])
    assert verdict.doubled == [f"share {'01' * 32}: 2 times in journals, 2 in the books"]


def test_one_record_twice_in_the_books_counts_twice() -> None:
    verdict = judge([answered(1)], [kept(1)], [(PLACE, "bit"), (PLACE, "bit")])
    assert verdict.doubled == [f"share {'01' * 32}: 1 times in journals, 2 in the books"]


def test_a_share_that_is_booked_for_another_is_wrong() -> None:
    verdict = judge([answered(1)], [kept(1)], [(PLACE, "neighbour")])
    assert verdict.wrong == [f"share {'01' * 32} of bit.sc-1: booked for neighbour"]


def test_what_is_in_the_books_and_in_no_journal_is_wrong() -> None:
    verdict = judge([], [], [(PLACE, "bit")])
    assert verdict.wrong == [f"record 7 of journal {PLACE[0]} is in the books and is no accepted share"]


def test_a_refused_share_need_not_be_anywhere_and_is_counted_by_its_reason() -> None:
    verdict = judge([answered(1, "stale"), answered(2, "stale"), answered(3, "duplicate")], [], [])
    assert (verdict.refused, verdict.is_good, verdict.acknowledged) == ({"stale": 2, "duplicate": 1}, True, 0)


def test_a_share_whose_answer_was_lost_may_count() -> None:
    verdict = judge([], [kept(1)], [(PLACE, "bit")])
    assert (verdict.unheard, verdict.is_good) == (1, True)
