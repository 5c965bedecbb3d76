"""The whole ledger again, a piece at a time: what is changed behind the back of the guards is found, if later.

A piece costs so many rows, or one block. At the end it begins anew, so everything is read once in a while and nothing
is kept from being looked at by how much there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from payout.audit import AuditedBooks, check_block
from payout.fold import Fold
from payout.invariants import ROWS, Finding
from payout.ledger import LedgerError
from payout.watch import check_subject

ROWS_AT_ONCE = 500


class Scan:
    """One look at everything, over and over."""

    def __init__(self) -> None:
        self.rounds = 0
        """How often all of it was read."""
        self._begin()

    def _begin(self) -> None:
        self._fold = Fold()
        self._blocks: Iterator[bytes] | None = None

    def step(self, books: AuditedBooks) -> tuple[Finding, ...]:
        """The next piece: what is wrong with it."""
        if self._blocks is None:
            findings, is_last = self._rows(books)
            if is_last:
                self._blocks = iter([life.block_hash for life in books.blocks.rewards_sat()])
            return findings
        block_hash = next(self._blocks, None)
        if block_hash is None:
            self.rounds += 1
            self._begin()
            return ()
        block = books.blocks.get(block_hash)
        return () if block is None else tuple(check_block(books, block))

    def _rows(self, books: AuditedBooks) -> tuple[tuple[Finding, ...], bool]:
        findings: list[Finding] = []
        count = 0
        try:
            for row in islice(books.journal.rows_after(self._fold.last_id), ROWS_AT_ONCE):
                count += 1
                findings += self._fold.take(row)
                findings += check_subject(row, books)
        except LedgerError as error:  # a row that no posting could have become
            findings.append(Finding(ROWS, f"after row {self._fold.last_id} of the journal: {error}"))
            return tuple(findings), True
        if count < ROWS_AT_ONCE:
            findings += self._fold.check_balances()
        return tuple(findings), count < ROWS_AT_ONCE
