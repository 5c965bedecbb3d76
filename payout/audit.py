"""The invariants of the whole ledger, each a function over what is stored.

What a single transaction can break is checked inside it: `Posting` (sums), `Reward` (claims of a block) and
`Journal.post` (sides of zero) raise before anything is durable. This module reads everything again, on demand, and
believes nothing. The numbers are those of docs/payouts.md 3.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from payout.accounts import Stake
from payout.crediting import credit, reward_of, window_of
from payout.ledger import (
    COINBASE_IMMATURE,
    FIRST_PREV_HASH,
    WALLET,
    LedgerError,
    Row,
    on_wrong_side,
    row_hash,
)
from payout.maturity import State
from payout.ports import BookedBlock, Books


class Finding(Struct, frozen=True):
    """Something in the books is wrong. invariant: its number."""

    invariant: int
    what: str


def audit(books: Books) -> tuple[Finding, ...]:
    """Everything that is wrong; empty if all is well."""
    coins = Coins()
    return (
        *check_rows(coins.watch(books.journal.rows())),
        *check_balances(books.journal.balances_sat()),
        *check_blocks(books, coins),
    )


def check_rows(rows: Iterable[Row]) -> Iterator[Finding]:
    """Invariant 1, row by row: each sums to 0, follows the one before and has the hash of what it says."""
    prev_hash, expected_id = FIRST_PREV_HASH, 1
    try:
        for row in rows:
            if row.id != expected_id:
                yield Finding(1, f"row {row.id} of the journal stands where {expected_id} belongs")
            if row.prev_hash != prev_hash:
                yield Finding(1, f"row {row.id} of the journal does not follow the row before it")
            if row.hash != row_hash(row.prev_hash, row.posting):
                yield Finding(1, f"row {row.id} of the journal was changed: its hash does not fit its content")
            prev_hash, expected_id = row.hash, row.id + 1
    except LedgerError as error:  # a row that no posting could have become
        yield Finding(1, f"after row {expected_id - 1} of the journal: {error}")


def check_balances(balances_sat: Mapping[str, int]) -> Iterator[Finding]:
    """Invariants 1 and 2: all accounts sum to 0, and none is on the wrong side of it."""
    total_sat = sum(balances_sat.values())
    if total_sat:
        yield Finding(1, f"all accounts sum to {total_sat} satoshi instead of 0")
    for account, balance_sat in sorted(balances_sat.items()):
        if on_wrong_side(account, balance_sat):
            yield Finding(2, f"{account} stands at {balance_sat} satoshi, on the wrong side of zero")


def check_blocks(books: Books, coins: Coins) -> Iterator[Finding]:
    """Invariants 3 and 7 of every block."""
    for block in books.blocks.every():
        yield from check_block(block, coins)
        if block.reward_sat is not None:
            yield from check_credits(block, books.shares.window(*window_of(block.found)))


def check_block(block: BookedBlock, coins: Coins) -> Iterator[Finding]:
    """Invariant 3: the claims make up what the coinbase pays, and the ledger holds that much for the block's state."""
    name = f"block {block.life.hash_hex} ({block.life.state.value})"
    reward_sat = block.reward_sat or 0
    if block.reward_sat is not None:
        try:
            reward_of(block)
        except LedgerError as error:
            yield Finding(3, f"{name}: {error}")
    immature_sat = reward_sat if block.life.state is State.IMMATURE else 0
    wallet_sat = reward_sat if block.life.state is State.MATURE else 0
    for account, expected_sat in ((COINBASE_IMMATURE, immature_sat), (WALLET, wallet_sat)):
        booked_sat = coins.of(block.life.hash_hex, account)
        if booked_sat != expected_sat:
            yield Finding(3, f"{name}: {account} has {booked_sat} satoshi of it instead of {expected_sat}")


def check_credits(block: BookedBlock, weights: Mapping[Stake, int]) -> Iterator[Finding]:
    """Invariant 7: the stored shares give the stored credits. weights: of the block's window."""
    again = credit(block, block.reward_sat or 0, weights)
    if (again.credits, again.reserve_sat) != (block.credits, block.reserve_sat):
        yield Finding(7, f"block {block.life.hash_hex}: its shares do not give the credits that were booked")


class Coins:
    """What the journal says of the coins of each block, gathered while its rows pass by."""

    def __init__(self) -> None:
        self._sat: dict[tuple[str, str], int] = {}

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows."""
        for row in rows:
            if row.posting.kind.startswith("block."):
                for entry in row.posting.entries:
                    if entry.account in (COINBASE_IMMATURE, WALLET):
                        place = row.posting.ref, entry.account
                        self._sat[place] = self._sat.get(place, 0) + entry.amount_sat
            yield row

    def of(self, ref: str, account: str) -> int:
        """The satoshis of one block in one account."""
        return self._sat.get((ref, account), 0)
