"""payout.settlement. The choice itself is in the vector P24, the whole way of the money in P25."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from payout.ledger import Book, LedgerError, posting
from payout.settlement import Candidate, confirm, release, reserve, select

ALICE = Candidate("alice", 1000, 100, "script-a", 294, True, 0, "active")


def reason(candidate: Candidate) -> str | None:
    return select([candidate], now=50, outputs_max=9).skipped.get(candidate.account)


class TestSelect:
    def test_an_account_with_enough_is_paid_all_of_it(self) -> None:
        assert select([ALICE], 50, 9).outputs_sat == {"script-a": 1000}

    def test_an_account_at_the_minimum_is_paid(self) -> None:
        assert reason(replace(ALICE, available_sat=294)) is None

    def test_dust_is_not_paid_however_low_the_minimum(self) -> None:
        assert reason(replace(ALICE, available_sat=293)) == "below_minimum"

    def test_a_hold_ends_at_its_time(self) -> None:
        assert [reason(replace(ALICE, address_hold_until=end)) for end in (50, 51)] == [None, "address_hold"]

    def test_a_state_is_a_reason_of_its_own(self) -> None:
        assert reason(replace(ALICE, state="frozen", address_valid=False)) == "account_frozen"

    def test_a_bad_address_does_not_stop_the_others(self) -> None:
        chosen = select([replace(ALICE, account="bad", address_valid=False), ALICE], 50, 9)
        assert [line.account for line in chosen.lines] == ["alice"]

    def test_equal_amounts_are_paid_by_name(self) -> None:
        chosen = select([replace(ALICE, account="bob", script="script-b"), ALICE], 50, 1)
        assert (chosen.lines[0].account, chosen.skipped) == ("alice", {"bob": "batch_full"})

    def test_a_script_that_is_in_the_batch_needs_no_room(self) -> None:
        assert select([replace(ALICE, account="bob"), ALICE], 50, 1).outputs_sat == {"script-a": 2000}


class TestPostings:
    def book(self) -> Book:
        book = Book()
        book.post(posting("earned", "x", "", 0, {"asset:wallet": 1000, "liab:alice:available": -1000}))
        return book

    def test_a_confirmed_payment_leaves_the_wallet_with_its_fee(self) -> None:
        book = self.book()
        book.post(reserve("1", {"alice": 900}, 0))
        book.post(confirm("1", {"alice": 900}, 10, 0))
        assert book.balances_sat() == {"asset:wallet": 90, "expense:network_fee": 10, "liab:alice:available": -100}

    def test_a_released_payment_is_the_accounts_again(self) -> None:
        book = self.book()
        book.post(reserve("1", {"alice": 900}, 0))
        book.post(release("1", {"alice": 900}, 0))
        assert book.balances_sat() == self.book().balances_sat()

    def test_nobody_is_paid_what_he_does_not_have(self) -> None:
        with pytest.raises(LedgerError, match="liab:alice:available"):
            self.book().post(reserve("1", {"alice": 1001}, 0))
