"""The invariants of the books by number, and how a person mends one that is broken. Numbers of docs/payouts.md 3.3."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

ROWS, SIDES, BLOCKS, RESERVED, WALLET, SOLVENT, CREDITS, STRAYS, GUARDS = range(1, 10)

TITLES: Mapping[int, str] = {
    ROWS: "every posting sums to 0, so do all accounts, and every row follows the one before it and has its hash",
    SIDES: "no asset is below zero and no liability above it",
    BLOCKS: "the claims on a block are what its coinbase pays, and the ledger holds that much for its state",
    RESERVED: "what is reserved is what the batches on their way pay, and each batch is booked as far as it has come",
    WALLET: "the wallet holds what the books say",
    SOLVENT: "wallet and immature coins cover what is owed",
    CREDITS: "the stored shares give the credits that were booked",
    STRAYS: "every block in the chain that pays the pool is in the books",
    GUARDS: "the database refuses to change what is written once",
}

_RESTORE = (
    "Find out who changed the database. Put the rows back as they were, from a backup; `steppe rebuild` shows what "
    "they should be, and `steppe audit` whether all is well."
)
MENDS: Mapping[int, str] = {
    ROWS: _RESTORE,
    SIDES: "See the newest rows of that account. Coins that are there but not booked: `steppe payout fund`.",
    BLOCKS: _RESTORE,
    RESERVED: "`steppe payout list` and `show` say what each batch is. " + _RESTORE,
    WALLET: "Find the coins: another wallet, a transaction nobody booked. Book what left with `steppe payout fund`.",
    SOLVENT: "More is owed than there is. Send coins to the wallet and book them with `steppe payout fund`.",
    CREDITS: _RESTORE,
    STRAYS: (
        "Look for its share in the journals (`steppe journal`, `steppe rebuild`): if a journal was lost, nobody was "
        "credited. Once you know, `steppe block accept HASH REASON`, and book its coins with `steppe payout fund`."
    ),
    GUARDS: (
        "Find out who took them away and what was changed meanwhile; `steppe audit --put-back-guards` makes them again "
        "and reads everything."
    ),
}


class Finding(Struct, frozen=True):
    """Something in the books is wrong. invariant: its number. what: which rows, and how they are wrong."""

    invariant: int
    what: str

    @property
    def mend(self) -> str:
        return MENDS[self.invariant]

    def __str__(self) -> str:
        return f"invariant {self.invariant} is broken: {self.what}"
