"""payout.store.ledger: errors, and transactions as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from payout.ledger import LedgerError
from payout.ports import LedgerUnavailable
from payout.store.ledger import SqlLedger
from pool.store.sql import connect


def test_a_database_that_cannot_be_opened_says_what_to_do(tmp_path: Path) -> None:
    ledger = SqlLedger(connect(f"sqlite:///{tmp_path}/missing/books.sqlite"))
    with pytest.raises(LedgerUnavailable, match=r"unable to open database file; check that its folder"), ledger.read():
        pass


def test_a_server_that_does_not_answer_says_what_to_do(tmp_path: Path) -> None:
    ledger = SqlLedger(connect(f"postgresql://nobody:secret@/none?host={tmp_path}"))
    with pytest.raises(LedgerUnavailable, match="check that the server runs") as refused, ledger.write():
        pass
    assert "secret" not in str(refused.value)


def test_a_row_that_the_database_refuses_is_an_error_of_the_books(engine: Engine) -> None:
    with pytest.raises(LedgerError, match="refused a row of the books"), SqlLedger(engine).write() as books:
        books.shares._connection.execute(text("INSERT INTO entry VALUES (1, 'asset:wallet', 1)"))


def test_what_raises_leaves_nothing_behind(ledger: SqlLedger) -> None:
    def advance_and_fail() -> None:
        with ledger.write() as books:
            books.shares.advance("f", 1)
            raise LedgerError("no")

    with pytest.raises(LedgerError, match="no"):
        advance_and_fail()
    with ledger.read() as books:
        assert books.shares.high_waters() == {}
