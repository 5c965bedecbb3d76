"""Explanations as one who may not see everything gets them: of its own, and in them nothing of others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from payout.explain.balance import BalanceExplained
from payout.explain.credit import CreditExplained
from payout.explain.payment import PayoutExplained
from payout.explain.rows import of_account
from pool.dashboard.explain import Explaining, NotExplained
from pool.explain.reject import RejectExplained
from pool.explain.shares import SharesListed
from pool.explain.words import CreditFigures


class ScopedExplaining:
    """What belongs to others is as if there were no such thing.

    account: whose credits, payouts and balance; None for nobody's. is_own: whether a worker is of the part that is
    seen, by its login.
    """

    def __init__(self, explaining: Explaining, account: str | None, is_own: Callable[[str], Awaitable[bool]]) -> None:
        self._explaining = explaining
        self._account = account
        self._is_own = is_own

    async def credit(self, credit_id: str) -> CreditFigures:
        parts = credit_id.split(":")
        own = self._own(parts[1] if parts[0] == "pps" and len(parts) > 1 else parts[-1])
        found = await self._explaining.credit(credit_id)
        narrowed = replace(found, ledger=of_account(found.ledger, own))
        if isinstance(narrowed, CreditExplained) and narrowed.finder.partition(".")[0] != own:
            return replace(narrowed, finder="another account")
        return narrowed

    async def payout(self, number: int, account: str | None) -> PayoutExplained:
        own = self._own(account or self._account)
        try:
            found = await self._explaining.payout(number, own)
        except NotExplained as error:
            raise NotExplained(f"no payout {number} pays {own}; its statement lists its payments") from error
        own_sat = sum(line.amount_sat for line in found.lines)
        ledger = of_account(found.ledger, own)
        return replace(found, total_sat=own_sat, lines_total=len(found.lines), ledger=ledger)

    async def balance(self, account: str) -> BalanceExplained:
        return await self._explaining.balance(self._own(account))

    async def share(self, share_id: str) -> RejectExplained:
        nothing = NotExplained(f"no share {share_id} of yours is in the journals here, or not any more")
        try:
            found = await self._explaining.share(share_id)
        except NotExplained as error:
            raise nothing from error
        if not await self._is_own(found.login):
            raise nothing
        return found

    async def shares(self, login: str, from_ms: int, to_ms: int) -> SharesListed:
        if not await self._is_own(login):
            raise NotExplained(f"{login!r} is no worker of yours")
        return await self._explaining.shares(login, from_ms, to_ms)

    def _own(self, account: str | None) -> str:
        if account is None or account != self._account:
            raise NotExplained(f"{account!r} is no account of yours")
        return account
