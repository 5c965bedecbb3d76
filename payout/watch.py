"""The invariants that payments depend on, held while they run: each new row of the ledger is read once.

The whole ledger is read when the watch begins, later only what came since; so a look costs what happened, not what ever
happened. Numbers as in docs/payouts.md 3.3.
"""

from __future__ import annotations

from collections.abc import Iterator

from payout.audit import Finding, check_balances
from payout.ledger import FIRST_PREV_HASH, LedgerError, Row, row_hash
from payout.payment_ports import PaymentBooks

_RESERVED = ":reserved"


class Watch:
    """A running fold of the ledger."""

    def __init__(self) -> None:
        self._last_id = 0
        self._prev_hash = FIRST_PREV_HASH
        self._balances_sat: dict[str, int] = {}
        self._looked_at: object = None

    def look(self, books: PaymentBooks) -> tuple[Finding, ...]:
        """What is wrong now: invariants 1, 2 and 4."""
        try:
            findings = [found for row in books.journal.rows_after(self._last_id) for found in self._take(row)]
        except LedgerError as error:  # a row that no posting could have become
            return (Finding(1, f"after row {self._last_id} of the journal: {error}"),)
        batches = books.payouts.live_states()
        if not findings and (self._last_id, batches) == self._looked_at:
            return ()
        findings += [*check_balances(self._balances_sat), *self._reserved(books)]
        if not findings:
            self._looked_at = self._last_id, batches
        return tuple(findings)

    def _take(self, row: Row) -> Iterator[Finding]:
        if row.id != self._last_id + 1 or row.prev_hash != self._prev_hash:
            yield Finding(1, f"row {row.id} of the journal does not follow row {self._last_id}")
        if row.hash != row_hash(row.prev_hash, row.posting):
            yield Finding(1, f"row {row.id} of the journal was changed: its hash does not fit its content")
        for entry in row.posting.entries:
            self._balances_sat[entry.account] = self._balances_sat.get(entry.account, 0) + entry.amount_sat
        self._last_id, self._prev_hash = row.id, row.hash

    def _reserved(self, books: PaymentBooks) -> Iterator[Finding]:
        booked = {
            name.removeprefix("liab:").removesuffix(_RESERVED): -amount_sat
            for name, amount_sat in self._balances_sat.items()
            if name.endswith(_RESERVED) and amount_sat
        }
        in_batches = dict(books.payouts.reserved_sat())
        for name in sorted(booked.keys() | in_batches.keys()):
            if booked.get(name, 0) != in_batches.get(name, 0):
                yield Finding(
                    4,
                    f"{name} has {booked.get(name, 0)} satoshi reserved in the ledger and "
                    f"{in_batches.get(name, 0)} in the batches on their way",
                )
