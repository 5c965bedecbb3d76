"""payout.store.payouts and its reports, on both databases."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from payout.accounts import Scheme
from payout.checks import InputRefused
from payout.payment import Batch, Draft, Purpose, State, StateChanged, step
from payout.payment_ports import PaidLine
from payout.settlement import Line
from payout.store.ledger import SqlLedger
from payout.store.reports import SqlReports
from pool.bitcoin.transaction import OutPoint, Output
from pool.store.sql import writing
from tests.payout.fake_wallet import parse_transaction, psbt_of, script, signed, unsigned

COIN = OutPoint(b"c" * 32, 1)
RAW = unsigned([COIN], [Output(700, script("alice"))])
DRAFT = Draft(Purpose.PAY, psbt_of(RAW), parse_transaction(RAW).txid, (COIN,), 5)


def reserved(ledger: SqlLedger, *names: str) -> Batch:
    with ledger.write() as books:
        for name in names:
            if books.accounts.get(name) is None:
                books.accounts.add(name, Scheme.PPLNS, 0, None, 0)
        lines = [PaidLine(Line(name, script(name).hex(), 700), name) for name in names]
        return books.payouts.reserve(lines, 1)


def test_a_batch_comes_back_as_it_was_kept(ledger: SqlLedger) -> None:
    batch = reserved(ledger, "bob", "alice")
    assert batch == Batch(1, State.RESERVED, 1, 1, 1400)
    with ledger.read() as books:
        assert books.payouts.get(1) == batch
        assert [(each.line.account, each.address) for each in books.payouts.lines(1)] == [
            ("alice", "alice"),
            ("bob", "bob"),
        ]
        assert books.payouts.reserved_sat() == {"alice": 700, "bob": 700}
        assert books.payouts.get(2) is None


def test_a_draft_and_its_transactions_come_back(ledger: SqlLedger) -> None:
    batch = reserved(ledger, "alice")
    with ledger.write() as books:
        drafted = books.payouts.draft(batch, DRAFT)
        assert books.payouts.get(1) == drafted
        attempt = books.payouts.attempt(drafted, Purpose.PAY, signed(RAW), 5, 2, signed=True)
    with ledger.read() as books:
        assert books.payouts.live() == [replace(drafted, attempts=(attempt,))]
        assert books.payouts.claimed([State.RESERVED]) == [COIN]
    assert (attempt.txid, attempt.inputs, attempt.is_signed) == (DRAFT.txid, (COIN,), True)


class TestConditions:
    def test_of_two_that_take_a_step_the_second_is_told(self, ledger: SqlLedger) -> None:
        batch = reserved(ledger, "alice")
        with ledger.write() as books:
            books.payouts.move(batch, step(batch, State.RELEASED, 2))
        with pytest.raises(StateChanged, match="payout 1 is not reserved as it was"), ledger.write() as books:
            books.payouts.move(batch, step(batch, State.BUILT, 3))

    def test_a_draft_that_was_exchanged_meanwhile_is_noticed(self, ledger: SqlLedger) -> None:
        batch = reserved(ledger, "alice")
        with ledger.write() as books:
            books.payouts.draft(batch, DRAFT)
        with pytest.raises(StateChanged), ledger.write() as books:
            books.payouts.draft(batch, replace(DRAFT, purpose=Purpose.CANCEL))

    def test_a_transaction_that_was_kept_meanwhile_is_noticed(self, ledger: SqlLedger) -> None:
        batch = reserved(ledger, "alice")
        with ledger.write() as books:
            books.payouts.attempt(batch, Purpose.PAY, RAW, 5, 2, signed=True)
        with pytest.raises(StateChanged), ledger.write() as books:
            books.payouts.move(batch, step(batch, State.RELEASED, 2))

    def test_two_batches_never_claim_one_input(self, ledger: SqlLedger) -> None:
        first, second = reserved(ledger, "alice"), reserved(ledger, "bob")
        with ledger.write() as books:
            books.payouts.draft(first, DRAFT)
        with pytest.raises(InputRefused, match="is spent by payout 1"), ledger.write() as books:
            books.payouts.draft(second, DRAFT)
        with ledger.write() as books:
            books.payouts.disclaim(first)
            books.payouts.draft(second, DRAFT)

    def test_the_database_itself_keeps_two_from_claiming_one(self, ledger: SqlLedger, engine: Engine) -> None:
        with ledger.write() as books:
            books.payouts.draft(reserved_in(books), DRAFT)
        with pytest.raises(IntegrityError), writing(engine) as connection:
            connection.execute(text("INSERT INTO payout_input SELECT txid, vout, payout_id FROM payout_input"))

    @pytest.mark.parametrize("table", ["payout_line", "payout_attempt", "payout_switch"])
    def test_what_happened_cannot_be_changed(self, ledger: SqlLedger, engine: Engine, table: str) -> None:
        batch = reserved(ledger, "alice")
        with ledger.write() as books:
            books.payouts.attempt(batch, Purpose.PAY, RAW, 5, 2, signed=True)
            books.payouts.set_switch(True, "why", 3)
        with pytest.raises(IntegrityError, match="append-only"), writing(engine) as connection:
            connection.execute(text(f"DELETE FROM {table}"))


def reserved_in(books: object) -> Batch:
    books.accounts.add("alice", Scheme.PPLNS, 0, None, 0)  # type: ignore[attr-defined]
    line = PaidLine(Line("alice", script("alice").hex(), 700), "alice")
    made: Batch = books.payouts.reserve([line], 1)  # type: ignore[attr-defined]
    return made


def test_the_switch_says_what_was_said_last(ledger: SqlLedger) -> None:
    with ledger.write() as books:
        assert not books.payouts.switch().is_stopped
        books.payouts.set_switch(True, "wrong", 3)
        books.payouts.set_switch(False, "looked", 4)
        switch = books.payouts.switch()
    assert (switch.is_stopped, switch.reason, switch.time_ms) == (False, "looked", 4)


def test_a_run_is_open_until_it_is_closed(ledger: SqlLedger) -> None:
    with ledger.write() as books:
        assert (books.payouts.is_run_open(), books.payouts.run_day()) == (False, 0)
        books.payouts.open_run(17)
        assert (books.payouts.is_run_open(), books.payouts.run_day()) == (True, 17)
        books.payouts.open_run(None)
        books.payouts.close_run()
        assert (books.payouts.is_run_open(), books.payouts.run_day()) == (False, 17)


class TestReports:
    def test_the_newest_come_first(self, ledger: SqlLedger, engine: Engine) -> None:
        for _ in range(3):
            reserved(ledger, "alice")
        page = SqlReports(engine).payouts(1, 5)
        assert (page.total, [row.id for row in page.rows], page.stopped) == (3, [2, 1], None)
        assert SqlReports(engine).payouts(7, 5).rows == ()

    def test_why_they_are_stopped_is_told(self, ledger: SqlLedger, engine: Engine) -> None:
        with ledger.write() as books:
            books.payouts.set_switch(True, "wrong", 3)
        assert SqlReports(engine).payouts(0, 5).stopped == "wrong"

    def test_a_batch_is_shown_with_everything_about_it(self, ledger: SqlLedger, engine: Engine) -> None:
        batch = reserved(ledger, "alice")
        with ledger.write() as books:
            drafted = books.payouts.draft(batch, DRAFT)
            attempt = books.payouts.attempt(drafted, Purpose.PAY, signed(RAW), 5, 2, signed=True)
            known = replace(drafted, attempts=(attempt,))
            after = replace(known, confirmed_number=1, block_hash=b"b" * 32, block_height=10, state=State.CONFIRMED)
            books.payouts.move(known, after)
            books.blocks.see_height(12)
        detail = SqlReports(engine).payout(1)
        assert detail is not None
        assert (detail.payout.state, detail.payout.confirmations, detail.payout.draft) == ("confirmed", 3, "pay")
        assert (detail.payout.txid, detail.payout.fee_sat) == (DRAFT.txid[::-1].hex(), 5)
        assert [(line.account, line.amount_sat) for line in detail.lines] == [("alice", 700)]
        assert detail.attempts[0].raw == signed(RAW).hex()
        assert SqlReports(engine).payout(2) is None
