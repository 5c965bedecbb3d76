"""payout.store.payees: addresses with their hold, thresholds, and who is owed; on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from payout.accounts import AccountRefused, PayoutAddress, Scheme
from payout.ledger import available, posting
from payout.store.ledger import SqlLedger
from pool.store.moves import SqlMoves
from pool.store.sql import writing

HOLD_MS = 1000
FIRST, SECOND = PayoutAddress("first", b"1"), PayoutAddress("second", b"2")


@pytest.fixture
def pool(ledger: SqlLedger) -> SqlLedger:
    """alice is paid at her first address since 0 and is owed 50; bob is owed 70 and has no address."""
    with ledger.write() as books:
        books.accounts.add("alice", Scheme.PPLNS, 0, FIRST, 0)
        books.accounts.add("bob", Scheme.PPLNS, 0, None, 0)
        owed = {"income:pool_fee": 120, available("alice"): -50, available("bob"): -70}
        books.journal.post([posting("k", "test", "", 0, owed)])
    return ledger


def change(pool: SqlLedger, to: PayoutAddress, now_ms: int, name: str = "alice") -> int:
    with pool.write() as books:
        return books.payees.change_address(name, to, now_ms, HOLD_MS).valid_from_ms


def at(pool: SqlLedger, time_ms: int) -> list[tuple[str, int, str | None, int, int | None]]:
    with pool.read() as books:
        return [
            (each.account, each.available_sat, each.address, each.held_until_ms, each.threshold_sat)
            for each in books.payouts.payees(time_ms)
        ]


def strayed(pool: SqlLedger, now_ms: int) -> None:
    with pool.write() as books:
        SqlMoves(books.connection).flag([("alice.rig1", "sichuan", "texas")], now_ms)


def confirmed(pool: SqlLedger) -> None:
    with pool.write() as books:
        SqlMoves(books.connection).confirm("alice", "ann", 0)


class TestAddresses:
    def test_a_change_is_held_and_then_holds(self, pool: SqlLedger) -> None:
        assert change(pool, SECOND, 10) == 1010
        assert at(pool, 1009)[0] == ("alice", 50, "first", 1010, None)
        assert at(pool, 1010)[0] == ("alice", 50, "second", 0, None)

    def test_the_first_address_holds_at_once(self, pool: SqlLedger) -> None:
        assert change(pool, SECOND, 10, "bob") == 10
        assert at(pool, 10)[1] == ("bob", 70, "second", 0, None)

    def test_a_change_on_hold_can_be_taken_back(self, pool: SqlLedger) -> None:
        change(pool, SECOND, 10)
        with pool.write() as books:
            books.payees.cancel_change("alice", 500)
        assert at(pool, 600)[0] == ("alice", 50, "first", 0, None)
        assert at(pool, 2000)[0] == ("alice", 50, "first", 0, None)

    def test_one_that_holds_already_cannot(self, pool: SqlLedger) -> None:
        change(pool, SECOND, 10)
        with pytest.raises(AccountRefused, match="no change of the address of alice is on hold"), pool.write() as books:
            books.payees.cancel_change("alice", 1010)

    def test_a_second_change_waits_for_the_first(self, pool: SqlLedger) -> None:
        change(pool, SECOND, 10)
        with pytest.raises(AccountRefused, match="changes to second already and is on hold"):
            change(pool, PayoutAddress("third", b"3"), 20)

    def test_none_is_changed_while_a_worker_strayed_and_nobody_confirmed_it(self, pool: SqlLedger) -> None:
        strayed(pool, 5)
        with pytest.raises(AccountRefused, match="a worker of it came on in another region without a planned move"):
            change(pool, SECOND, 10)
        assert change(pool, SECOND, 10, "bob") == 10
        confirmed(pool)
        assert change(pool, SECOND, 20) == 1020

    def test_one_on_hold_stays_so_while_a_worker_strayed(self, pool: SqlLedger) -> None:
        change(pool, SECOND, 10)
        strayed(pool, 500)
        assert at(pool, 5000)[0] == ("alice", 50, "first", 5001, None)
        confirmed(pool)
        assert at(pool, 5000)[0] == ("alice", 50, "second", 0, None)

    def test_one_that_held_before_a_worker_strayed_holds(self, pool: SqlLedger) -> None:
        change(pool, SECOND, 10)
        strayed(pool, 1010)
        assert at(pool, 5000)[0] == ("alice", 50, "second", 0, None)

    def test_the_same_address_is_no_change(self, pool: SqlLedger) -> None:
        with pytest.raises(AccountRefused, match="is paid to first already"):
            change(pool, FIRST, 20)

    def test_nothing_is_overwritten(self, pool: SqlLedger) -> None:
        change(pool, SECOND, 10)
        with pool.write() as books:
            books.payees.cancel_change("alice", 500)
        change(pool, SECOND, 600)
        with pool.read() as books:
            history = [(each.address, each.requested_ms, each.cancelled_ms) for each in books.payees.addresses("alice")]
        assert history == [("first", 0, None), ("second", 10, 500), ("second", 600, None)]

    @pytest.mark.parametrize("table", ["payout_address_cancel", "payout_threshold"])
    def test_the_database_refuses_to_change_a_row(self, pool: SqlLedger, engine: Engine, table: str) -> None:
        change(pool, SECOND, 10)
        with pool.write() as books:
            books.payees.cancel_change("alice", 500)
            books.payees.change_threshold("alice", 9, 5)
        with pytest.raises(IntegrityError, match="append-only"), writing(engine) as connection:
            connection.execute(text(f"DELETE FROM {table}"))

    def test_an_account_that_does_not_exist_is_named(self, pool: SqlLedger) -> None:
        with pytest.raises(AccountRefused, match="account zoe does not exist"):
            change(pool, SECOND, 10, "zoe")


class TestThresholds:
    def test_each_holds_from_its_time_on(self, pool: SqlLedger) -> None:
        with pool.write() as books:
            books.payees.change_threshold("alice", 9, 5)
            books.payees.change_threshold("alice", None, 8)
        assert [at(pool, time_ms)[0][4] for time_ms in (4, 5, 7, 8)] == [None, 9, 9, None]
        with pool.read() as books:
            assert [books.payees.threshold_sat("alice", time_ms) for time_ms in (4, 5, 8)] == [None, 9, None]


def test_only_who_is_owed_something_is_there(pool: SqlLedger) -> None:
    with pool.write() as books:
        books.journal.post([posting("paid", "test", "", 0, {available("alice"): 50, "income:pool_fee": -50})])
    assert [row[0] for row in at(pool, 0)] == ["bob"]


def test_an_account_whose_name_looks_like_a_pattern_is_not_mistaken(pool: SqlLedger) -> None:
    with pool.write() as books:
        books.accounts.add("a_b", Scheme.PPLNS, 0, None, 0)
        books.journal.post([posting("x", "test", "", 0, {available("a_b"): -5, "income:pool_fee": 5})])
    assert [row[:2] for row in at(pool, 0)] == [("a_b", 5), ("alice", 50), ("bob", 70)]
