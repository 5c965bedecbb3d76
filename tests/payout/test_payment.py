"""payout.payment: the table of steps, merging by script, what may be released, what a confirmation books."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from payout import payment
from payout.ledger import Book, LedgerError, posting
from payout.payment import (
    LIVE,
    RESERVING,
    STEPS,
    Attempt,
    Batch,
    Place,
    Purpose,
    State,
    amounts_sat,
    outputs_sat,
    release_refusal,
    step,
)
from payout.settlement import Line, release, reserve
from pool.bitcoin.transaction import OutPoint

BATCH = Batch(7, State.RESERVED, 0, 0, 900)
PAY = Attempt(1, Purpose.PAY, b"\1" * 32, 10, 140, b"raw", True, (OutPoint(b"\0" * 32, 0),))
CANCEL = replace(PAY, number=2, purpose=Purpose.CANCEL, txid=b"\2" * 32)
LINES = [Line("alice", "0014aa", 600), Line("bob", "0014bb", 300)]


class TestSteps:
    @pytest.mark.parametrize(("before", "after"), list(product(State, State)))
    def test_only_the_steps_of_the_table_can_be_taken(self, before: State, after: State) -> None:
        batch = replace(BATCH, state=before)
        if after in STEPS[before]:
            assert step(batch, after, 5).state is after
        else:
            with pytest.raises(LedgerError, match=f"cannot go from {before.value} to {after.value}"):
                step(batch, after, 5)

    def test_what_was_signed_never_becomes_unsigned(self) -> None:
        signed = {State.SIGNED, State.BROADCAST, State.CONFIRMED, State.CANCELLED, State.FINAL}
        assert not {after for state in signed for after in STEPS[state]} & {
            State.RESERVED,
            State.BUILT,
            State.EXPORTED,
        }

    def test_money_is_reserved_until_it_is_paid_or_released(self) -> None:
        assert set(State) - LIVE == {State.FINAL, State.RELEASED}
        assert {State.CONFIRMED} == LIVE - RESERVING


class TestLines:
    @given(st.lists(st.tuples(st.sampled_from(["aa", "bb", "cc"]), st.integers(1, 10**12)), max_size=20))
    def test_the_outputs_sum_to_the_lines_and_no_script_comes_twice(self, pairs: list[tuple[str, int]]) -> None:
        lines = [Line(str(number), script, sat) for number, (script, sat) in enumerate(pairs)]
        outputs = outputs_sat(lines)
        assert sum(outputs.values()) == sum(amounts_sat(lines).values())
        assert outputs.keys() == {bytes.fromhex(script) for script, _ in pairs}


class TestRelease:
    def refusal(self, state: State, *attempts: Attempt, places: tuple[Place | None, ...] = ()) -> str:
        return release_refusal(replace(BATCH, state=state, attempts=attempts), places) or ""

    @pytest.mark.parametrize("state", [State.RESERVED, State.BUILT])
    def test_what_was_never_signed_may_be(self, state: State) -> None:
        assert self.refusal(state) == ""

    @pytest.mark.parametrize("state", [State.FINAL, State.RELEASED])
    def test_what_has_ended_may_not(self, state: State) -> None:
        assert "already" in self.refusal(state, PAY)

    def test_what_is_paid_may_not(self) -> None:
        assert "it is paid" in self.refusal(State.CONFIRMED, PAY, places=(Place(1),))

    @pytest.mark.parametrize("place", [None, Place(0), Place(3), Place(-5)])
    def test_what_was_signed_may_not_while_it_can_come_back(self, place: Place | None) -> None:
        assert "nothing proves it dead" in self.refusal(State.BROADCAST, PAY, places=(place,))

    def test_what_was_given_out_to_be_signed_counts_as_signed(self) -> None:
        given_out = replace(PAY, is_signed=False)
        assert "given out" in self.refusal(State.EXPORTED, given_out, places=(None,))

    def test_what_another_transaction_has_killed_six_deep_may_be(self) -> None:
        assert self.refusal(State.BROADCAST, PAY, places=(Place(-6),)) == ""

    def test_every_attempt_must_be_dead(self) -> None:
        assert "nothing proves" in self.refusal(State.BROADCAST, PAY, CANCEL, places=(Place(-6), None))


class TestPostings:
    def book(self) -> Book:
        book = Book()
        owed = {"asset:wallet": 1000, "liab:alice:available": -600, "liab:bob:available": -300, "income:pool_fee": -100}
        book.post(posting("earned", "x", "", 0, owed))
        book.post(reserve("7", amounts_sat(LINES), 0))
        return book

    def confirmed(self, attempt: Attempt, flips: int = 0) -> Batch:
        return replace(BATCH, state=State.CONFIRMED, attempts=(attempt,), confirmed_number=attempt.number, flips=flips)

    def test_a_payment_books_lines_and_fee(self) -> None:
        book = self.book()
        book.post(payment.confirm(BATCH, LINES, PAY, 0))
        assert book.balances_sat() == {"asset:wallet": 90, "expense:network_fee": 10, "income:pool_fee": -100}

    def test_a_cancelling_transaction_books_its_fee_alone(self) -> None:
        book = self.book()
        book.post(payment.confirm(BATCH, LINES, CANCEL, 0))
        book.post(release("7", amounts_sat(LINES), 0))
        assert book.balances_sat() == {
            "asset:wallet": 990,
            "expense:network_fee": 10,
            "income:pool_fee": -100,
            "liab:alice:available": -600,
            "liab:bob:available": -300,
        }

    @pytest.mark.parametrize("attempt", [PAY, CANCEL])
    def test_there_and_back_and_there_again_is_once(self, attempt: Attempt) -> None:
        once, thrice = self.book(), self.book()
        once.post(payment.confirm(BATCH, LINES, attempt, 0))
        for flips in range(3):
            batch = self.confirmed(attempt, flips)
            assert thrice.post(payment.confirm(batch, LINES, attempt, 0))
            if flips < 2:
                assert thrice.post(payment.unconfirm(batch, LINES, 0))
        assert thrice.balances_sat() == once.balances_sat()

    def test_without_a_transaction_in_the_chain_there_is_nothing_to_reverse(self) -> None:
        with pytest.raises(LedgerError, match="without a transaction in the chain"):
            payment.unconfirm(replace(BATCH, state=State.CONFIRMED), LINES, 0)
