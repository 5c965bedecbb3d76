"""The books in SQL as the dashboard's rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from payout.accounts import Account, Plan, Scheme
from payout.ledger import FIRST_PREV_HASH, Row, posting
from payout.maturity import State
from payout.payment_ports import WalletWaits
from payout.rewards import UNIT
from payout.solvency import Solvency
from payout.store.reports import (
    AccountReport,
    BlockDetail,
    BlockReport,
    CreditReport,
    EarningReport,
    SqlReports,
    TotalsReport,
)
from pool.dashboard.books import LedgerBooks
from pool.dashboard.ports import SourceUnavailable
from pool.dashboard.rows import AccountCredit, AccountPlan, Block, BookAccount, Credit, LedgerRow, Totals
from pool.store.sql import connect
from pool.store.upgrade import upgrade
from tests.pool.dashboard.fakes import NOW_MS, FakeClock
from tests.pool.dashboard.running import here, result_of

HASH = bytes(range(32))
HASH_HEX = HASH[::-1].hex()
PLAN = Plan(Scheme.PPS, 250, 0)
REPORT = BlockReport(HASH, 150, State.IMMATURE, NOW_MS, "acct", "rig-1", "accepted", 5_000, 7, 2)


class Reports(SqlReports):
    """Reports without a database; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def totals(self) -> TotalsReport:
        return TotalsReport(2, {State.MATURE: 3}, NOW_MS, 10, 20, UNIT * 3 // 2, 200)

    def accounts(self, time_ms: int) -> list[AccountReport]:
        self.asked.append(time_ms)
        return [AccountReport(Account(1, "acct", 0, (PLAN,)), PLAN, 1, 2, 3, 9 * 10**15, 4, Scheme.PPLNS)]

    def earnings(self, name: str, count: int) -> list[EarningReport]:
        self.asked.append((name, count))
        return [EarningReport(NOW_MS, 7, HASH, 150, State.MATURE), EarningReport(5, 8, key="pps:acct:0")]

    def blocks(self, state: State | None, offset: int, count: int) -> list[BlockReport]:
        self.asked.append((state, offset, count))
        return [REPORT]

    def block(self, block_hash: bytes) -> BlockDetail | None:
        self.asked.append(block_hash)
        if block_hash != HASH:
            return None
        credits = (
            CreditReport("acct", 0, Scheme.PPLNS, 3 * UNIT, 3_750, 50),
            CreditReport("other", 0, Scheme.PPS, UNIT, 1_250, 0),
        )
        booked = posting("block:x:immature", "block.immature", HASH_HEX, 9, {"asset:a": 5_000, "liab:b": -5_000})
        return BlockDetail(REPORT, credits, (Row(1, booked, FIRST_PREV_HASH, HASH),))


def adapter(ledger: SqlReports) -> LedgerBooks:
    return LedgerBooks(ledger, here, FakeClock(), _no_wallet)


def _no_wallet() -> Solvency:
    raise WalletWaits("the wallet 'steppe' is not at the node")


class TestRows:
    def test_totals_tell_effort_as_a_ratio(self) -> None:
        totals = result_of(adapter(Reports()).totals())
        assert totals == Totals(2, {"mature": 3}, NOW_MS, 10, 20, 1.5)

    def test_an_account_has_the_plan_in_force_now(self) -> None:
        ledger = Reports()
        assert result_of(adapter(ledger).accounts()) == (
            BookAccount("acct", "pps", 250, 1, 2, 3, "9000000000000000", 4, (AccountPlan("pps", 250, 0),), "pplns"),
        )
        assert ledger.asked == [NOW_MS]

    def test_credits_are_of_blocks_and_of_periods(self) -> None:
        assert result_of(adapter(Reports()).account_credits("acct", 9)) == (
            AccountCredit(HASH_HEX, 150, "mature", 7, NOW_MS),
            AccountCredit("pps:acct:0", None, "settled", 8, 5),
        )

    def test_a_block_names_its_finder_by_the_whole_login(self) -> None:
        row = Block(HASH_HEX, 150, "immature", "acct.rig-1", 5_000, 7, NOW_MS, 2)
        assert result_of(adapter(Reports()).blocks(None, 0, 50)) == (row,)

    def test_a_state_is_asked_for_by_its_type(self) -> None:
        ledger = Reports()
        result_of(adapter(ledger).blocks("orphaned", 100, 50))
        assert ledger.asked == [(State.ORPHANED, 100, 50)]

    def test_a_block_has_each_credit_with_its_part_of_the_window(self) -> None:
        detail = result_of(adapter(Reports()).block(HASH_HEX))
        assert detail is not None
        assert detail.credits == (
            Credit("acct", "pplns", 0.75, 3_750, 50, 3_700),
            Credit("other", "pps", 0.25, 1_250, 0, 1_250),
        )

    def test_a_posting_has_one_row_for_each_entry(self) -> None:
        detail = result_of(adapter(Reports()).block(HASH_HEX))
        assert detail is not None
        assert detail.ledger == (
            LedgerRow("block:x:immature", "block.immature", 9, "asset:a", 5_000),
            LedgerRow("block:x:immature", "block.immature", 9, "liab:b", -5_000),
        )

    def test_a_block_is_looked_for_in_wire_order(self) -> None:
        ledger = Reports()
        assert result_of(adapter(ledger).block("00" * 31 + "01")) is None
        assert ledger.asked == [b"\x01" + bytes(31)]


class TestDatabase:
    def test_an_empty_ledger_has_no_rows(self, tmp_path: Path) -> None:
        engine = connect(f"sqlite:///{tmp_path}/books.sqlite3")
        upgrade(engine)
        books = adapter(SqlReports(engine))
        assert result_of(books.totals()) == Totals(0, {}, None, 0, 0, 0.0)
        assert result_of(books.accounts()) == ()
        assert result_of(books.blocks(None, 0, 50)) == ()
        assert result_of(books.account_credits("acct", 50)) == ()
        assert result_of(books.block(HASH_HEX)) is None
        engine.dispose()

    def test_a_database_that_cannot_be_opened_is_unavailable_with_the_mend(self, tmp_path: Path) -> None:
        engine = connect(f"sqlite:///{tmp_path}/nowhere/books.sqlite3")
        with pytest.raises(SourceUnavailable, match="check that its folder exists"):
            result_of(adapter(SqlReports(engine)).totals())


def test_a_wallet_that_is_not_there_is_a_source_that_is_not_available() -> None:
    with pytest.raises(SourceUnavailable, match="is not at the node"):
        result_of(adapter(Reports()).solvency())
