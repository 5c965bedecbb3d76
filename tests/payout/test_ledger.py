"""payout.ledger: double entry."""

from __future__ import annotations

import hashlib

import pytest

from payout.ledger import (
    FIRST_PREV_HASH,
    Book,
    Entry,
    LedgerError,
    Posting,
    available,
    canonical_row,
    on_wrong_side,
    posting,
    reserved,
    reverse,
    row_hash,
)

PAID = posting("pps:alice:0", "pps", "alice", 5, {"equity:pps_reserve": 7, "liab:alice:available": -7})


class TestPosting:
    def test_its_entries_stand_in_order_of_the_accounts(self) -> None:
        assert [entry.account for entry in PAID.entries] == ["equity:pps_reserve", "liab:alice:available"]

    def test_an_account_with_nothing_is_left_out(self) -> None:
        assert (
            len(posting("k", "x", "", 0, {"asset:wallet": 1, "income:pool_fee": 0, "equity:opening": -1}).entries) == 2
        )

    def test_it_must_sum_to_zero(self) -> None:
        with pytest.raises(LedgerError, match="sum to 1 satoshi"):
            posting("k", "x", "", 0, {"asset:wallet": 2, "equity:opening": -1})

    def test_it_must_say_something(self) -> None:
        with pytest.raises(LedgerError, match="each account once"):
            posting("k", "x", "", 0, {})

    def test_an_account_may_not_come_twice(self) -> None:
        with pytest.raises(LedgerError, match="each account once"):
            Posting("k", "x", "", 0, (Entry("asset:wallet", 1), Entry("asset:wallet", -1)))

    def test_an_entry_of_nothing_is_refused(self) -> None:
        with pytest.raises(LedgerError, match="0 satoshi"):
            Posting("k", "x", "", 0, (Entry("asset:wallet", 0),))

    @pytest.mark.parametrize("account", ["wallet", "asset:", "assets:wallet", "asset:a b", "liab:ä:available"])
    def test_an_account_has_a_kind_and_a_plain_name(self, account: str) -> None:
        with pytest.raises(LedgerError, match="no account of the ledger"):
            posting("k", "x", "", 0, {account: 1, "equity:opening": -1})

    def test_its_reverse_is_the_exact_negative(self) -> None:
        back = reverse(PAID, "k", "x", 9)
        assert {entry.account: entry.amount_sat for entry in back.entries} == {
            "equity:pps_reserve": -7,
            "liab:alice:available": 7,
        }

    def test_the_accounts_of_a_party_have_its_name(self) -> None:
        assert (available("alice"), reserved("alice")) == ("liab:alice:available", "liab:alice:reserved")


class TestChain:
    def test_the_canonical_row_is_plain_json(self) -> None:
        assert canonical_row(PAID) == (
            b'[5,"pps:alice:0","pps","alice",[["equity:pps_reserve",7],["liab:alice:available",-7]]]'
        )

    def test_the_hash_is_of_the_hash_before_and_the_row(self) -> None:
        expected = hashlib.sha256(bytes(32) + canonical_row(PAID)).digest()
        assert row_hash(FIRST_PREV_HASH, PAID) == expected


class TestSides:
    @pytest.mark.parametrize(
        ("account", "balance_sat"), [("liab:alice:available", 1), ("liab:tax:KZ", 1), ("asset:wallet", -1)]
    )
    def test_nobody_owes_the_pool_and_no_coins_are_negative(self, account: str, balance_sat: int) -> None:
        assert on_wrong_side(account, balance_sat)

    @pytest.mark.parametrize(
        ("account", "balance_sat"),
        [("liab:alice:available", -1), ("asset:wallet", 1), ("equity:pps_reserve", 1), ("income:pool_fee", 1)],
    )
    def test_a_loss_is_shown(self, account: str, balance_sat: int) -> None:
        assert not on_wrong_side(account, balance_sat)


class TestBook:
    def test_the_same_event_again_changes_nothing(self) -> None:
        book = Book()
        assert [book.post(PAID), book.post(PAID)] == [True, False]
        assert book.balances_sat() == {"equity:pps_reserve": 7, "liab:alice:available": -7}

    def test_the_same_event_may_be_told_at_another_time(self) -> None:
        book = Book()
        book.post(PAID)
        later = posting(PAID.key, "pps", "alice", 99, {"equity:pps_reserve": 7, "liab:alice:available": -7})
        assert not book.post(later)

    def test_another_event_under_the_same_key_stops_everything(self) -> None:
        book = Book()
        book.post(PAID)
        with pytest.raises(LedgerError, match="booked before with other content"):
            book.post(posting(PAID.key, "pps", "alice", 5, {"equity:pps_reserve": 8, "liab:alice:available": -8}))

    def test_what_puts_an_account_on_the_wrong_side_is_refused(self) -> None:
        book = Book()
        with pytest.raises(LedgerError, match="asset:wallet would stand at -1 satoshi"):
            book.post(posting("k", "x", "", 0, {"asset:wallet": -1, "equity:opening": 1}))
        assert book.balances_sat() == {}

    def test_each_row_follows_the_one_before(self) -> None:
        book = Book()
        book.post(PAID)
        book.post(reverse(PAID, "back", "x", 6))
        first, second = book.rows
        assert (first.prev_hash, second.prev_hash) == (FIRST_PREV_HASH, first.hash)
