"""payout.store.accruals."""

from __future__ import annotations

from payout.accounts import Scheme
from payout.ports import Accrual
from payout.pps import PSAT
from payout.store.ledger import SqlLedger


def add(ledger: SqlLedger, **earned_psat: int) -> None:
    """By account, in period 60."""
    with ledger.write() as books:
        books.accounts.resolve(dict.fromkeys(earned_psat, 0), Scheme.PPS, 0)
        books.accruals.add({(name, 60): psat for name, psat in earned_psat.items()})


def due(ledger: SqlLedger, before_ms: int = 61) -> list[Accrual]:
    with ledger.read() as books:
        return books.accruals.due(before_ms)


def test_what_is_earned_adds_up(ledger: SqlLedger) -> None:
    add(ledger, kz=PSAT - 1)
    add(ledger, kz=2 * PSAT + 2)
    assert due(ledger) == [Accrual("kz", 60, 3 * PSAT + 1, 0)]


def test_a_period_is_due_when_a_later_one_began(ledger: SqlLedger) -> None:
    add(ledger, kz=1)
    assert due(ledger, before_ms=60) == []


def test_what_is_due_comes_by_period_and_the_bytes_of_the_name(ledger: SqlLedger) -> None:
    add(ledger, b=1, a=1, B=1)
    with ledger.write() as books:
        books.accruals.add({("b", 30): 1})
    assert [(each.period_ms, each.account) for each in due(ledger)] == [(30, "b"), (60, "B"), (60, "a"), (60, "b")]


def test_what_is_settled_is_not_due_again_but_its_carry_is(ledger: SqlLedger) -> None:
    add(ledger, kz=PSAT + 5)
    with ledger.write() as books:
        books.accruals.settle([(books.accruals.due(61)[0], 5)])
        books.accruals.add({("kz", 90): 1})
    assert due(ledger, before_ms=91) == [Accrual("kz", 90, 1, 5)]


def test_a_debt_of_all_bitcoin_fits(ledger: SqlLedger) -> None:
    add(ledger, kz=21 * 10**14 * PSAT)
    add(ledger, kz=21 * 10**14 * PSAT)
    assert due(ledger)[0].accrued_psat == 42 * 10**14 * PSAT


def test_the_current_period_is_kept(ledger: SqlLedger) -> None:
    with ledger.write() as books:
        before = books.accruals.period_ms()
        books.accruals.open_period(60)
        books.accruals.open_period(120)
    with ledger.read() as books:
        assert (before, books.accruals.period_ms()) == (0, 120)
