"""A statement for programs, for spreadsheets and for people."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import msgspec

from payout.instants import format_instant
from payout.statement import Balance, Line, Statement
from pool.bitcoin.amount import format_btc

FORMATS = ("text", "csv", "json")

COLUMNS = (
    "time", "kind", "ref", "height", "slice", "scheme", "fee_bps", "gross_sat", "fee_sat", "amount_sat",
    "immature_sat", "available_sat", "reserved_sat", "balance_sat", "txid", "ledger_row", "key",
)  # fmt: skip

WORDS = {
    "block.immature": "part of a block that may still be orphaned",
    "block.mature": "its block is 101 deep: now available",
    "block.orphaned": "its block left the chain: taken back",
    "pps": "paid per share",
    "fpps": "transaction fees of a day, on top of pay per share",
    "payout.reserved": "set aside for a payout",
    "payout.released": "the payout was given up: available again",
    "payout.confirmed": "paid out",
    "payout.unconfirmed": "the payment left the chain: on its way again",
    "adjust": "booked by a person",
}
"""The kinds of rows in a few words; any other is called by its own name."""

_FORMULA = re.compile(r"[=+\-@\t\r]")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


def cell(text: str) -> str:
    """Text from anywhere, for a spreadsheet: never a formula, always on one line.

    A spreadsheet takes what begins with = + - @ for a formula, quoted or not; an apostrophe in front makes it text.
    """
    shown = _UNSEEN.sub(" ", text)
    return f"'{shown}" if _FORMULA.match(text) else shown


def to_json(statement: Statement) -> bytes:
    """All of it as one JSON object."""
    return msgspec.json.format(msgspec.json.encode(statement)) + b"\n"


def to_csv(statement: Statement) -> bytes:
    """A line for each change between one for the opening and one for the closing balance; RFC 4180, UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    balance = statement.opening
    writer.writerow(_edge(statement, statement.from_ms, "opening", balance))
    for line in statement.lines:
        balance = balance.plus(line.change)
        writer.writerow(_row(line, balance))
    writer.writerow(_edge(statement, statement.to_ms, "closing", statement.closing))
    return out.getvalue().encode()


def to_text(statement: Statement) -> Iterator[str]:
    """Lines for people."""
    yield f"Statement of account {statement.account}"
    yield f"from {format_instant(statement.from_ms)} until before {format_instant(statement.to_ms)}"
    yield f"by the ledger up to its row {statement.ledger_row}, whose hash is {statement.ledger_hash}"
    yield ""
    yield _balance("opening", statement.opening)
    for line in statement.lines:
        yield f"{format_instant(line.time_ms)}  {_signed(line.amount_sat)} sat  {_words(line)}"
    yield _balance("closing", statement.closing)
    if statement.totals_sat:
        yield ""
    for kind, total_sat in statement.totals_sat.items():
        yield f"{kind}: {_signed(total_sat)} sat ({WORDS.get(kind, kind)})"


def _edge(statement: Statement, time_ms: int, kind: str, balance: Balance) -> list[object]:
    kinds = (balance.immature_sat, balance.available_sat, balance.reserved_sat)
    blanks = [""] * 6
    return [
        format_instant(time_ms), kind, cell(statement.account), *blanks, "", *kinds, balance.total_sat, "",
        statement.ledger_row, "",
    ]  # fmt: skip


def _row(line: Line, balance: Balance) -> list[object]:
    kinds = (line.immature_sat, line.available_sat, line.reserved_sat)
    of_block = (line.height, line.slice_id, line.scheme, line.fee_bps, line.gross_sat, line.fee_sat)
    return [
        format_instant(line.time_ms), cell(line.kind), cell(line.ref),
        *("" if value is None else value for value in of_block), line.amount_sat, *kinds, balance.total_sat,
        line.txid or "", line.row, cell(line.key),
    ]  # fmt: skip


def _words(line: Line) -> str:
    words = WORDS.get(line.kind, line.kind)
    if line.height is not None and line.gross_sat is not None and line.fee_sat is not None:
        slice_ = f", slice {line.slice_id}" if line.slice_id else ""
        return (
            f"{words}: block {line.height}{slice_}, {line.scheme}: gross {line.gross_sat:,}, "
            f"fee {line.fee_sat:,} ({line.fee_bps} bps)  {line.ref}"
        )
    if line.kind.startswith("payout."):
        paid = f", transaction {line.txid}" if line.txid else ""
        return f"{words}: payout {line.ref}{paid}; {_moves(line.change)}"
    return f"{words}: {line.key}; {_moves(line.change)}"


def _moves(change: Balance) -> str:
    kinds = {
        "immature": change.immature_sat,
        "available": change.available_sat,
        "reserved": change.reserved_sat,
    }
    return ", ".join(f"{kind} {_signed(sat)}" for kind, sat in kinds.items() if sat)


def _balance(word: str, balance: Balance) -> str:
    return (
        f"{word}: {balance.total_sat:,} sat = {format_btc(balance.total_sat)} BTC "
        f"(immature {balance.immature_sat:,}, available {balance.available_sat:,}, reserved {balance.reserved_sat:,})"
    )


def _signed(sat: int) -> str:
    return f"{sat:+,}"
