"""The invariants that payments depend on, held while they run: each new row of the ledger is read once.

The whole ledger is read when the watch begins, later only what came since; so a look costs what happened, not what ever
happened. Numbers as in docs/payouts.md 3.3.
"""

from __future__ import annotations

from collections.abc import Iterator

from payout.audit import Finding
from payout.ledger import FIRST_PREV_HASH, LedgerError, Row, on_wrong_side, row_hash
from payout.payment import RESERVING
from payout.payment_ports import PaymentBooks

_RESERVED = ":reserved"


class Watch:
    """A running fold of the ledger."""

    def __init__(self) -> None:
        self._last_id = 0
        self._prev_hash = FIRST_PREV_HASH
        self._balances_sat: dict[str, int] = {}
        self._total_sat = 0
        self._wrong: set[str] = set()
        self._broken: list[Finding] = []
        self._looked_at: object = None

    def look(self, books: PaymentBooks) -> tuple[Finding, ...]:
        """What is wrong now: invariants 1, 2 and 4."""
        try:
            for row in books.journal.rows_after(self._last_id):
                self._broken += self._take(row)
        except LedgerError as error:  # a row that no posting could have become
            return (Finding(1, f"after row {self._last_id} of the journal: {error}"),)
        findings = [*self._broken, *self._balances()]
        # Lines never change, so what they sum to depends on which batches count, and not on how far those have come.
        reserving = sorted(number for number, state in books.payouts.live_states().items() if state in RESERVING)
        if (self._last_id, reserving) != self._looked_at:
            unequal = list(self._reserved(books))
            findings += unequal
            self._looked_at = None if unequal else (self._last_id, reserving)
        return tuple(findings)

    def _take(self, row: Row) -> Iterator[Finding]:
        if row.id != self._last_id + 1 or row.prev_hash != self._prev_hash:
            yield Finding(1, f"row {row.id} of the journal does not follow row {self._last_id}")
        if row.hash != row_hash(row.prev_hash, row.posting):
            yield Finding(1, f"row {row.id} of the journal was changed: its hash does not fit its content")
        for entry in row.posting.entries:
            balance_sat = self._balances_sat.get(entry.account, 0) + entry.amount_sat
            self._balances_sat[entry.account] = balance_sat
            self._total_sat += entry.amount_sat
            (self._wrong.add if on_wrong_side(entry.account, balance_sat) else self._wrong.discard)(entry.account)
        self._last_id, self._prev_hash = row.id, row.hash

    def _balances(self) -> Iterator[Finding]:
        if self._total_sat:
            yield Finding(1, f"all accounts sum to {self._total_sat} satoshi instead of 0")
        for name in sorted(self._wrong):
            balance_sat = self._balances_sat[name]
            yield Finding(2, f"{name} stands at {balance_sat} satoshi, on the wrong side of zero")

    def _reserved(self, books: PaymentBooks) -> Iterator[Finding]:
        booked = {
            name.removeprefix("liab:").removesuffix(_RESERVED): -amount_sat
            for name, amount_sat in self._balances_sat.items()
            if amount_sat and name.endswith(_RESERVED)
        }
        in_batches = dict(books.payouts.reserved_sat())
        for name in sorted(booked.keys() | in_batches.keys()):
            if booked.get(name, 0) != in_batches.get(name, 0):
                yield Finding(
                    4,
                    f"{name} has {booked.get(name, 0)} satoshi reserved in the ledger and "
                    f"{in_batches.get(name, 0)} in the batches on their way",
                )
