"""payout.statement_formats: the same numbers for programs, spreadsheets and people."""

from __future__ import annotations

import csv
import io
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payout.statement import Balance, Line, Statement
from payout.statement_formats import COLUMNS, cell, to_csv, to_json, to_text

CREDIT = Line(
    2, 1_000, "block.immature", "block:ab:immature", "ab", 99, 0, 0, 99, 100, 1, 7, "pplns", 100, 0, None
)  # fmt: skip
PAID = Line(5, 3_000, "payout.confirmed", "payout:1:confirmed", "1", 0, 0, -40, -40, txid="cd" * 32)
MADE = Statement(
    "alice", 0, 5_000, 9, "ef" * 32, Balance(0, 10, 40), (CREDIT, PAID), Balance(99, 10, 0),
    {"block.immature": 99, "payout.confirmed": -40},
)  # fmt: skip


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


class TestCsv:
    def test_it_begins_and_ends_with_a_balance_and_every_line_leads_from_one_to_the_next(self) -> None:
        found = rows(to_csv(MADE))
        assert [row["kind"] for row in found] == ["opening", "block.immature", "payout.confirmed", "closing"]
        assert [row["balance_sat"] for row in found] == ["50", "149", "109", "109"]
        for before, row in pairwise(found[:-1]):
            assert int(before["balance_sat"]) + int(row["amount_sat"]) == int(row["balance_sat"])

    def test_every_row_has_every_column(self) -> None:
        lines = list(csv.reader(io.StringIO(to_csv(MADE).decode(), newline="")))
        assert {len(line) for line in lines} == {len(COLUMNS)}
        assert lines[0] == list(COLUMNS)

    def test_a_credit_has_gross_and_fee_and_a_payment_its_transaction(self) -> None:
        _, credit, paid, _ = rows(to_csv(MADE))
        assert (credit["height"], credit["gross_sat"], credit["fee_sat"], credit["fee_bps"]) == ("7", "100", "1", "100")
        assert paid["txid"] == "cd" * 32

    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")'])
    def test_a_formula_becomes_text(self, text: str) -> None:
        assert cell(text).startswith("'")

    @given(st.text())
    def test_no_text_from_anywhere_is_a_formula_or_breaks_the_line(self, text: str) -> None:
        shown = cell(text)
        assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert len(f"x{shown}x".splitlines()) == 1
        line = Line(1, 0, text, text, text, 0, 1, 0, 1)
        made = Statement(text, 0, 1, 1, "", Balance(), (line,), Balance(0, 1, 0), {})
        assert len(rows(to_csv(made))) == 3


def test_json_has_all_of_it() -> None:
    found = json.loads(to_json(MADE))
    assert found["opening"] == {"immature_sat": 0, "available_sat": 10, "reserved_sat": 40}
    assert [line["amount_sat"] for line in found["lines"]] == [99, -40]
    assert found["ledger_hash"] == "ef" * 32


def test_text_names_the_row_that_it_is_of_and_says_what_each_line_is() -> None:
    said = "\n".join(to_text(MADE))
    assert "by the ledger up to its row 9, whose hash is efef" in said
    assert "+99 sat  part of a block that may still be orphaned: block 7, pplns: gross 100, fee 1 (100 bps)" in said
    assert f"-40 sat  paid out: payout 1, transaction {'cd' * 32}; reserved -40" in said
    assert "closing: 109 sat = 0.00000109 BTC (immature 99, available 10, reserved 0)" in said
