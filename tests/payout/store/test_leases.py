"""payout.store.leases, on both databases."""

from __future__ import annotations

import pytest

from payout.payment_ports import LeaseLost
from payout.store.ledger import SqlLedger


def take(ledger: SqlLedger, holder: str, now_ms: int, dead: str | None = None) -> int | None:
    with ledger.write() as books:
        return books.leases.take("x", holder, now_ms, now_ms + 100, dead)


def test_one_has_it_until_its_time_is_over(ledger: SqlLedger) -> None:
    assert take(ledger, "a", 0) == 1
    assert take(ledger, "b", 99) is None
    assert take(ledger, "b", 100) == 2


def test_who_has_it_keeps_it_and_its_fence(ledger: SqlLedger) -> None:
    assert [take(ledger, "a", now_ms) for now_ms in (0, 90, 180)] == [1, 1, 1]
    assert take(ledger, "b", 270) is None


def test_that_of_the_dead_is_free_at_once(ledger: SqlLedger) -> None:
    take(ledger, "a", 0)
    assert take(ledger, "b", 1, dead="c") is None
    assert take(ledger, "b", 1, dead="a") == 2


def test_a_fence_that_was_passed_holds_nothing(ledger: SqlLedger) -> None:
    take(ledger, "a", 0)
    take(ledger, "b", 100)
    with ledger.read() as books:
        books.leases.check("x", 2)
        with pytest.raises(LeaseLost, match="b has the lease"):
            books.leases.check("x", 1)


def test_what_is_given_back_is_free_at_once_but_only_by_who_has_it(ledger: SqlLedger) -> None:
    take(ledger, "a", 0)
    with ledger.write() as books:
        books.leases.give_back("x", 7)
    assert take(ledger, "b", 1) is None
    with ledger.write() as books:
        books.leases.give_back("x", 1)
    assert take(ledger, "b", 1) == 2
