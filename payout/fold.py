"""What the rows of the ledger come to, each read once: balances, the coins of each block, how far each batch is."""

from __future__ import annotations

from collections.abc import Iterator

from payout.invariants import ROWS, SIDES, SOLVENT, Finding
from payout.ledger import COINBASE_IMMATURE, FIRST_PREV_HASH, WALLET, Row, on_wrong_side, row_hash

RESERVED, PAID, RELEASED = "reserved", "paid", "released"
_AFTER = {
    "payout.reserved": RESERVED,
    "payout.confirmed": PAID,
    "payout.unconfirmed": RESERVED,
    "payout.cancelled": RESERVED,
    "payout.released": RELEASED,
}


class Fold:
    """A running fold."""

    def __init__(self) -> None:
        self.last_id = 0
        self.last_hash = FIRST_PREV_HASH
        self.balances_sat: dict[str, int] = {}
        self.coins_sat: dict[str, dict[str, int]] = {}
        """By block, as its hash in hex: what the ledger has of it in each account of coins."""
        self.batches: dict[str, str] = {}
        """By the name of the batch: RESERVED, PAID or RELEASED."""
        self._total_sat = 0
        self._covered_sat = 0
        self._wrong: set[str] = set()

    def take(self, row: Row) -> Iterator[Finding]:
        """The next row, and what is wrong with it in itself."""
        if row.id != self.last_id + 1 or row.prev_hash != self.last_hash:
            yield Finding(ROWS, f"row {row.id} of the journal does not follow row {self.last_id}")
        if row.hash != row_hash(row.prev_hash, row.posting):
            yield Finding(ROWS, f"row {row.id} of the journal was changed: its hash does not fit its content")
        for entry in row.posting.entries:
            balance_sat = self.balances_sat.get(entry.account, 0) + entry.amount_sat
            self.balances_sat[entry.account] = balance_sat
            self._total_sat += entry.amount_sat
            if entry.account.startswith(("asset:", "liab:")):
                self._covered_sat += entry.amount_sat
            (self._wrong.add if on_wrong_side(entry.account, balance_sat) else self._wrong.discard)(entry.account)
            if row.posting.kind.startswith("block.") and entry.account in (COINBASE_IMMATURE, WALLET):
                of_block = self.coins_sat.setdefault(row.posting.ref, {})
                of_block[entry.account] = of_block.get(entry.account, 0) + entry.amount_sat
        if row.posting.kind in _AFTER:
            self.batches[row.posting.ref] = _AFTER[row.posting.kind]
        self.last_id, self.last_hash = row.id, row.hash

    def check_balances(self) -> Iterator[Finding]:
        """Whether all accounts sum to 0, none is on the wrong side of it, and there are coins for what is owed."""
        if self._total_sat:
            yield Finding(ROWS, f"all accounts sum to {self._total_sat} satoshi instead of 0")
        for name in sorted(self._wrong):
            yield Finding(SIDES, f"{name} stands at {self.balances_sat[name]} satoshi, on the wrong side of zero")
        if self._covered_sat < 0:
            yield Finding(SOLVENT, f"{-self._covered_sat} satoshi more are owed than wallet and immature coins hold")
