"""payout.store.journal, against the ledger in memory that defines it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payout.ledger import FIRST_PREV_HASH, Book, LedgerError, Posting, Row, posting
from payout.store.ledger import SqlLedger
from tests.databases import fresh


def earned(key: str, sat: int = 7, time_ms: int = 5) -> Posting:
    return posting(key, "pps", "alice", time_ms, {"equity:pps_reserve": sat, "liab:alice:available": -sat})


def post(ledger: SqlLedger, *postings: Posting) -> int:
    with ledger.write() as books:
        return books.journal.post(postings)


def balances(ledger: SqlLedger) -> dict[str, int]:
    with ledger.read() as books:
        return books.journal.balances_sat()


class TestPost:
    def test_what_is_booked_is_in_the_balances(self, ledger: SqlLedger) -> None:
        assert post(ledger, earned("a"), earned("b")) == 2
        assert balances(ledger) == {"equity:pps_reserve": 14, "liab:alice:available": -14}

    def test_the_same_event_again_changes_nothing(self, ledger: SqlLedger) -> None:
        post(ledger, earned("a"))
        assert post(ledger, earned("a", time_ms=9), earned("b")) == 1
        assert balances(ledger)["equity:pps_reserve"] == 14

    def test_the_same_event_twice_at_once_is_booked_once(self, ledger: SqlLedger) -> None:
        assert post(ledger, earned("a"), earned("a")) == 1

    @pytest.mark.parametrize("before", [[earned("a")], []], ids=["booked before", "in the same call"])
    def test_another_event_under_the_same_key_leaves_nothing(self, ledger: SqlLedger, before: list[Posting]) -> None:
        post(ledger, *before)
        with pytest.raises(LedgerError, match="a was booked before with other content"):
            post(ledger, earned("z"), earned("a"), earned("a", sat=8))
        assert "z" not in {row.posting.key for row in rows(ledger)}

    def test_an_account_never_gets_to_the_wrong_side(self, ledger: SqlLedger) -> None:
        post(ledger, earned("a", sat=7))
        with pytest.raises(LedgerError, match="liab:alice:available would stand at 1 satoshi"):
            post(ledger, posting("b", "x", "", 0, {"liab:alice:available": 8, "equity:pps_reserve": -8}))
        assert balances(ledger)["liab:alice:available"] == -7

    def test_all_postings_of_a_call_count_before_the_sides_are_judged(self, ledger: SqlLedger) -> None:
        back = posting("b", "x", "", 0, {"liab:alice:available": 7, "equity:pps_reserve": -7})
        assert post(ledger, back, earned("a")) == 2

    def test_amounts_as_large_as_all_bitcoin_add_up(self, ledger: SqlLedger) -> None:
        post(ledger, earned("a", 21 * 10**14), earned("b", 21 * 10**14))
        assert balances(ledger)["equity:pps_reserve"] == 42 * 10**14


def rows(ledger: SqlLedger) -> list[Row]:
    with ledger.read() as books:
        return list(books.journal.rows())


class TestRows:
    def test_they_are_those_of_the_ledger_in_memory(self, ledger: SqlLedger) -> None:
        told = [earned("b"), earned("a"), posting("c", "x", "r", 3, {"asset:wallet": 1, "equity:opening": -1})]
        assert post(ledger, *told) == 3
        assert rows(ledger) == list(in_memory(told).rows)

    def test_the_first_follows_nothing(self, ledger: SqlLedger) -> None:
        post(ledger, earned("a"))
        with ledger.read() as books:
            assert next(books.journal.rows()).prev_hash == FIRST_PREV_HASH

    def test_the_rows_about_one_thing_are_found(self, ledger: SqlLedger) -> None:
        post(ledger, earned("a"), posting("c", "x", "r", 3, {"asset:wallet": 1, "equity:opening": -1}))
        with ledger.read() as books:
            assert [row.posting.key for row in books.journal.rows_of("r")] == ["c"]

    def test_balances_of_some_accounts_are_only_those(self, ledger: SqlLedger) -> None:
        post(ledger, earned("a"))
        with ledger.read() as books:
            assert books.journal.balances_sat(["equity:pps_reserve", "asset:wallet"]) == {"equity:pps_reserve": 7}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 2)), max_size=4), max_size=6))
def test_whatever_is_told_in_whatever_groups_both_ledgers_agree(
    sqlite_file: bytes, groups: list[list[tuple[str, int]]]
) -> None:
    with fresh(sqlite_file) as engine:
        ledger, told = SqlLedger(engine), list[Posting]()
        for group in groups:
            postings = [earned(key, sat) for key, sat in group]
            try:
                expected = in_memory([*told, *postings])
            except LedgerError:
                with pytest.raises(LedgerError):
                    post(ledger, *postings)
            else:
                post(ledger, *postings)
                told += postings
                assert rows(ledger) == list(expected.rows)


def in_memory(postings: list[Posting]) -> Book:
    book = Book()
    for each in postings:
        book.post(each)
    return book
