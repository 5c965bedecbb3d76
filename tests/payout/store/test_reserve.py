"""payout.store.reserve and payout.store.fee_days: what they keep, and that nobody changes it."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from payout.accounts import Plan, Scheme
from payout.ports import FeeDay, Stop
from payout.pps import PSAT, DayBlock
from payout.store.ledger import SqlLedger
from pool.store.sql import writing

DAY = FeeDay(86_400_000, (DayBlock(7, 1, 50, b"\x01" * 32), DayBlock(8, 0, 50, b"\x02" * 32)))
STOP = Stop(100, True, 5, "used up")


@pytest.fixture
def filled(ledger: SqlLedger) -> SqlLedger:
    with ledger.write() as books:
        for number, (name, scheme) in enumerate((("alice", Scheme.PPLNS), ("kz", Scheme.FPPS), ("ru", Scheme.PPS))):
            books.accounts.add(name, scheme, 100 + number, None, 10)
        books.fee_days.add({("kz", DAY.day_ms, 100): 5 * PSAT + 1, ("kz", DAY.day_ms, 50): 3})
        books.fee_days.settle(DAY, {"kz": 9})
        books.reserve.stop(STOP)
        books.accounts.change_plan("alice", Plan(Scheme.SOLO, 0, 50), 20)
        books.accounts.cancel_plan("alice", 30)
    return ledger


class TestFeeDays:
    def test_what_shares_earned_adds_up(self, filled: SqlLedger) -> None:
        with filled.write() as books:
            books.fee_days.add({("kz", DAY.day_ms, 50): 4, ("kz", 2 * DAY.day_ms, 50): PSAT})
            assert books.fee_days.bases(DAY.day_ms) == [("kz", 50, 7), ("kz", 100, 5 * PSAT + 1)]

    def test_a_day_that_is_settled_is_due_no_more(self, filled: SqlLedger) -> None:
        with filled.write() as books:
            assert books.fee_days.due(10**12) is None
            books.fee_days.add({("kz", 2 * DAY.day_ms, 50): 1})
            assert books.fee_days.due(2 * DAY.day_ms) is None
            assert books.fee_days.due(2 * DAY.day_ms + 1) == 2 * DAY.day_ms

    def test_a_settled_day_comes_back_with_its_blocks(self, filled: SqlLedger) -> None:
        with filled.write() as books:
            books.fee_days.settle(FeeDay(3 * DAY.day_ms, ()), {"kz": 4})
        with filled.read() as books:
            assert list(books.fee_days.settled()) == [DAY, FeeDay(3 * DAY.day_ms, ())]
            assert books.fee_days.newest() == FeeDay(3 * DAY.day_ms, ())
            assert books.fee_days.carries_psat() == {"kz": 4}


class TestReserve:
    def test_decisions_come_back_in_order(self, filled: SqlLedger) -> None:
        with filled.write() as books:
            books.reserve.stop(Stop(101, False, 6, "funded"))
            assert books.reserve.stops() == [STOP, Stop(101, False, 6, "funded")]

    def test_the_lowest_fee_is_of_plans_in_force_or_to_come(self, filled: SqlLedger) -> None:
        def lowest(*schemes: Scheme, time_ms: int = 40) -> int | None:
            with filled.read() as books:
                return books.reserve.lowest_fee_bps(schemes, time_ms)

        assert lowest(Scheme.FPPS, Scheme.PPS) == 101
        assert lowest(Scheme.PPS_PLUS) is None
        assert lowest(Scheme.SOLO) is None  # it was taken back
        with filled.write() as books:
            books.accounts.change_plan("ru", Plan(Scheme.PPS, 7, 60), 50)
            books.accounts.change_plan("kz", Plan(Scheme.PPLNS, 9, 60), 50)
        assert (lowest(Scheme.PPS), lowest(Scheme.FPPS)) == (7, 101)
        assert lowest(Scheme.FPPS, time_ms=60) is None

    def test_what_is_accrued_is_what_is_not_settled(self, filled: SqlLedger) -> None:
        with filled.write() as books:
            books.accruals.add({("ru", 0): 3 * PSAT + 1, ("kz", 60): PSAT})
            books.accruals.settle([(books.accruals.due(60)[0], 1)])
            assert books.reserve.accrued_psat() == PSAT


@pytest.mark.parametrize("table", ["plan_cancel", "fee_day", "fee_block", "pps_stop"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET {}"])
def test_the_database_refuses_to_change_a_row(filled: SqlLedger, engine: Engine, table: str, change: str) -> None:
    columns = {
        "plan_cancel": "cancelled_ms = 1",
        "fee_day": "blocks = 9",
        "fee_block": "fees_sat = 9",
        "pps_stop": "reason = 'x'",
    }
    with pytest.raises(IntegrityError, match="append-only"), writing(engine) as connection:
        connection.execute(text(change.format(table, columns[table])))
