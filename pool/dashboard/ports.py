"""What the dashboard needs of the outside world: live statistics and the books.

Every method raises SourceUnavailable; the page then shows the rest.
"""

from __future__ import annotations

from typing import Protocol

from payout.solvency import Solvency
from payout.statement import Statement
from payout.store.luck import GroupReport
from payout.store.payout_reports import PayoutDetail, PayoutsPage
from pool.dashboard.rows import AccountCredit, Block, BlockDetail, BookAccount, LiveView, Reject, Totals
from pool.fleet.register import Register
from pool.stats.history import Rings


class SourceUnavailable(Exception):
    """Redis or the database cannot be asked. The text says which, why and how to mend it."""


class Live(Protocol):
    """Statistics that are rebuildable and change each second."""

    async def view(self) -> LiveView:
        """Everything at one moment: a table of ten thousand workers is sorted and searched from one read."""

    async def history(self) -> Rings:
        """The pool's hashrate over time."""

    async def rejects(self, login: str) -> tuple[Reject, ...]:
        """The newest refused shares of a worker, newest first."""


class Fleets(Protocol):
    """What is known of fleets, read only."""

    async def register(self) -> Register:
        """All of it."""


class Books(Protocol):
    """The ledger, read only."""

    async def totals(self) -> Totals:
        """The numbers of the overview."""

    async def accounts(self) -> tuple[BookAccount, ...]:
        """All accounts by name."""

    async def account_credits(self, name: str, count: int) -> tuple[AccountCredit, ...]:
        """The newest credits of an account, newest first."""

    async def blocks(self, state: str | None, offset: int, count: int) -> tuple[Block, ...]:
        """Blocks from the newest on, by height and time found; those of one state, or all for None."""

    async def block(self, hash_hex: str) -> BlockDetail | None:
        """One block, or None if it is not the pool's."""

    async def statement(self, name: str, from_ms: int, to_ms: int, last_row: int | None, changes_max: int) -> Statement:
        """What an account had, got and was paid in a time. Raises AccountRefused."""

    async def solvency(self) -> Solvency:
        """What is owed against what the wallet has on chain."""

    async def payouts(self, offset: int, count: int) -> PayoutsPage:
        """Batches of payments from the newest on."""

    async def payout(self, payout_id: int) -> PayoutDetail | None:
        """One batch, or None if there is none of that number."""

    async def luck(self) -> tuple[GroupReport, ...]:
        """Groups of machines: what they should have found, and what they have."""
