"""The invariants of the whole ledger, everything read again and nothing believed, on demand.

What a single transaction can break is checked inside it: `Posting` (sums), `Reward` (claims of a block) and
`Journal.post` (sides of zero) raise before anything is durable. What can be told from new rows alone `payout.watch`
looks at all the time. The numbers are those of docs/payouts.md 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from payout.accounts import Stake
from payout.crediting import credit, window_of
from payout.invariants import CREDITS, Finding
from payout.ledger import LedgerError
from payout.payment_ports import PaymentBooks
from payout.ports import BookedBlock, Shares
from payout.watch import Watch


class AuditedBooks(PaymentBooks, Protocol):
    """All that an audit reads."""

    @property
    def shares(self) -> Shares: ...


def audit(books: AuditedBooks, seen: Callable[[int, int], None] = lambda number, total: None) -> tuple[Finding, ...]:
    """Everything that is wrong; empty if all is well. The wallet (invariant 5) is not asked. seen: called with how many
    blocks were looked at, and how many there are."""
    found = list(Watch().look(books))
    total = sum(count for _, count, _ in books.blocks.totals())
    for number, block in enumerate(books.blocks.every(), 1):
        seen(number, max(total, number))
        found += check_block(books, block)
    return tuple(found)


def check_block(books: AuditedBooks, block: BookedBlock) -> Iterator[Finding]:
    """Invariant 7: the shares of a block's window give its credits."""
    if block.reward_sat is not None:
        try:
            yield from check_credits(block, books.shares.window(*window_of(block.found)))
        except LedgerError as error:
            yield Finding(CREDITS, f"block {block.life.hash_hex}: its shares cannot be read: {error}")


def check_credits(block: BookedBlock, weights: Mapping[Stake, int]) -> Iterator[Finding]:
    """The same, with the weights of the block's window."""
    again = credit(block, block.reward_sat or 0, weights)
    if (again.credits, again.reserve_sat) != (block.credits, block.reserve_sat):
        yield Finding(CREDITS, f"block {block.life.hash_hex}: its shares do not give the credits that were booked")
