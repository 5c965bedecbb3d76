"""payout.lead: whoever was overtaken cannot commit, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from payout.lead import Lead, Term
from payout.ledger import posting
from payout.payment_ports import LeaseLost
from payout.store.ledger import SqlBooks, SqlLedger
from tests.payout.scene import Scene, batch, block_hash, share

TERM = Term("accounting", lasts_ms=100, renew_ms=10)


def lead(store: SqlLedger, name: str, *dead: str) -> Lead[SqlBooks]:
    return Lead(store, TERM, name, lambda holder: holder in dead)


def test_one_has_it_until_it_ends(ledger: SqlLedger) -> None:
    one, two = lead(ledger, "one"), lead(ledger, "two")
    assert one.take(0) is None
    assert two.take(50) == "one"
    assert two.fence is None
    assert one.take(60) is None  # taken again: until 160
    assert two.take(120) == "one"
    assert two.take(161) is None


def test_that_of_a_dead_holder_is_free_at_once(ledger: SqlLedger) -> None:
    lead(ledger, "one").take(0)
    assert lead(ledger, "two", "one").take(1) is None


def test_one_that_is_given_back_is_free_at_once(ledger: SqlLedger) -> None:
    one, two = lead(ledger, "one"), lead(ledger, "two")
    one.take(0)
    one.give_back()
    one.give_back()
    assert two.take(1) is None


def test_who_was_overtaken_commits_nothing(ledger: SqlLedger) -> None:
    stalled, other = lead(ledger, "stalled"), lead(ledger, "other")
    stalled.take(0)
    other.take(101)
    with pytest.raises(LeaseLost, match="other has the lease 'accounting' now"), stalled.write() as books:
        books.blocks.see_height(7)
    with stalled.read() as books:
        assert books.blocks.chain_height() == 0
    stalled.lose()
    with pytest.raises(LeaseLost), stalled.write():
        pass


def test_a_transaction_that_began_before_is_whole_before_another_takes_over(sqlite: Engine) -> None:
    """The lease is taken under the same lock as every transaction, so it never changes hands within one."""
    store = SqlLedger(sqlite)
    one = lead(store, "one")
    one.take(0)
    with one.write() as books:
        books.journal.post([posting("k", "x", "", 0, {"asset:wallet": 1, "income:pool_fee": -1})])
        books.leases.check(TERM.name, 1)
    assert lead(store, "two").take(101) is None


def test_the_same_shares_of_two_accounting_processes_are_booked_once(engine: Engine) -> None:
    first, second = Scene(engine), Scene(engine)
    stalled, other = lead(first.ledger, "stalled"), lead(first.ledger, "other")
    first.lead_by(stalled)
    second.lead_by(other)
    stalled.take(0)
    shares = batch([share("alice"), share("alice", block="B", height=100)])
    first.accounting.take(shares)
    other.take(101)
    assert second.accounting.take(shares).records == 0
    second.accounting.take(batch([share("bob")], 3))
    with pytest.raises(LeaseLost):
        first.accounting.take(batch([share("bob")], 3))
    first.chain.ours[100] = second.chain.ours[100] = block_hash("B")
    first.chain.tip = second.chain.tip = 100
    with pytest.raises(LeaseLost):
        list(first.accounting.follow(0))
    assert [step.after.state.value for step in second.accounting.follow(0)] == ["immature"]
    with pytest.raises(LeaseLost):
        list(first.accounting.scan(0, is_behind=False))
    assert second.keys() == ["block:B:immature"]
