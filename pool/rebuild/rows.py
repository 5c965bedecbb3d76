"""The rows of the live ledger as they stand there, also those that no posting could have become."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from msgspec import Struct
from sqlalchemy import Connection

from payout.ledger import FIRST_PREV_HASH, Entry, LedgerError, Posting, row_hash
from payout.store.journal import ROWS


class LiveRow(Struct, frozen=True):
    """A row. posting: None if it cannot be one. fault: what is wrong with the row in itself."""

    id: int
    key: str
    kind: str
    ref: str
    time_ms: int
    entries: tuple[Entry, ...]
    posting: Posting | None
    fault: str | None

    def __str__(self) -> str:
        return told(self.key, self.time_ms, self.entries)


def told(key: str, time_ms: int, entries: tuple[Entry, ...]) -> str:
    """A posting in words."""
    amounts = ", ".join(f"{each.account} {each.amount_sat}" for each in entries)
    return f"{key} at {time_ms}: {amounts}"


def live_rows(connection: Connection) -> Iterator[LiveRow]:
    """All rows, in order."""
    prev_hash, expected_id = FIRST_PREV_HASH, 1
    found = connection.execute(ROWS, execution_options={"yield_per": 1_000})
    for row_id, group in groupby(found, key=lambda line: line.id):
        lines = list(group)
        first = lines[0]
        # Sorted here: every database has an order of its own for text.
        entries = tuple(sorted((Entry(line.account, line.amount_sat) for line in lines), key=lambda each: each.account))
        fault: str | None = None
        posting: Posting | None = None
        try:
            posting = Posting(first.key, first.kind, first.ref, first.time_ms, entries)
        except LedgerError as error:
            fault = str(error)
        if posting is not None and row_hash(first.prev_hash, posting) != first.hash:
            fault = "its hash does not fit its content"
        if (row_id, first.prev_hash) != (expected_id, prev_hash):
            fault = fault or "it does not follow the row before it"
        prev_hash, expected_id = first.hash, row_id + 1
        yield LiveRow(row_id, first.key, first.kind, first.ref, first.time_ms, entries, posting, fault)
