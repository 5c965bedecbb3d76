"""The books as the dashboard shows them, read from SQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from payout.maturity import State
from payout.payment_ports import WalletWaits
from payout.ports import LedgerUnavailable
from payout.rewards import UNIT
from payout.solvency import Solvency
from payout.statement import Statement
from payout.store import reports
from payout.store.luck import GroupReport
from payout.store.payout_reports import PayoutDetail, PayoutsPage
from payout.store.reports import SqlReports
from pool.dashboard.ports import SourceUnavailable
from pool.dashboard.rows import AccountCredit, AccountPlan, Block, BlockDetail, BookAccount, Credit, LedgerRow, Totals
from pool.dashboard.threads import InThread
from pool.ports import Clock, NodeUnavailable

T = TypeVar("T")


class LedgerBooks:
    """Satisfies pool.dashboard.ports.Books."""

    def __init__(
        self,
        ledger: SqlReports,
        in_thread: InThread,
        clock: Clock,
        solvency: Callable[[], Solvency],
    ) -> None:
        """solvency: makes the report; raises NodeUnavailable, WalletWaits, LedgerUnavailable."""
        self._solvency = solvency
        self._ledger = ledger
        self._in_thread = in_thread
        self._clock = clock

    async def totals(self) -> Totals:
        return _totals(await self._read(self._ledger.totals))

    async def accounts(self) -> tuple[BookAccount, ...]:
        now_ms = self._clock.time_ms()
        found = await self._read(lambda: self._ledger.accounts(now_ms))
        return tuple(_account(each) for each in found)

    async def account_credits(self, name: str, count: int) -> tuple[AccountCredit, ...]:
        found = await self._read(lambda: self._ledger.earnings(name, count))
        return tuple(_earning(each) for each in found)

    async def blocks(self, state: str | None, offset: int, count: int) -> tuple[Block, ...]:
        wanted = None if state is None else State(state)
        found = await self._read(lambda: self._ledger.blocks(wanted, offset, count))
        return tuple(_block(each) for each in found)

    async def block(self, hash_hex: str) -> BlockDetail | None:
        block_hash = bytes.fromhex(hash_hex)[::-1]
        found = await self._read(lambda: self._ledger.block(block_hash))
        return None if found is None else _detail(found)

    async def statement(self, name: str, from_ms: int, to_ms: int, last_row: int | None, changes_max: int) -> Statement:
        return await self._read(lambda: self._ledger.statement(name, from_ms, to_ms, last_row, changes_max))

    async def solvency(self) -> Solvency:
        try:
            return await self._read(self._solvency)
        except (NodeUnavailable, WalletWaits) as error:
            raise SourceUnavailable(str(error)) from error

    async def payouts(self, offset: int, count: int) -> PayoutsPage:
        return await self._read(lambda: self._ledger.payouts(offset, count))

    async def payout(self, payout_id: int) -> PayoutDetail | None:
        return await self._read(lambda: self._ledger.payout(payout_id))

    async def luck(self) -> tuple[GroupReport, ...]:
        return await self._read(self._ledger.luck)

    async def _read(self, work: Callable[[], T]) -> T:
        answer: Awaitable[T] = self._in_thread(work)
        try:
            return await answer
        except LedgerUnavailable as unavailable:
            raise SourceUnavailable(str(unavailable)) from unavailable


def _totals(found: reports.TotalsReport) -> Totals:
    return Totals(
        accounts=found.accounts,
        blocks={state.value: count for state, count in found.blocks.items()},
        last_block_ms=found.last_block_ms,
        immature_sat=found.immature_sat,
        available_sat=found.available_sat,
        round_effort=found.round_units / UNIT,
    )


def _account(found: reports.AccountReport) -> BookAccount:
    return BookAccount(
        name=found.account.name,
        scheme=found.plan.scheme.value,
        fee_bps=found.plan.fee_bps,
        immature_sat=found.immature_sat,
        available_sat=found.available_sat,
        reserved_sat=found.reserved_sat,
        pps_psat=str(found.pps_psat),
        credits=found.credits,
        plans=tuple(AccountPlan(each.scheme.value, each.fee_bps, each.valid_from_ms) for each in found.account.plans),
        paid_as=found.paid_as.value,
    )


def _earning(found: reports.EarningReport) -> AccountCredit:
    return AccountCredit(
        ref=found.block_hash[::-1].hex() if found.block_hash else found.key or "",
        height=found.height,
        state=found.state.value if found.state else "settled",
        amount_sat=found.amount_sat,
        time_ms=found.time_ms,
    )


def _block(found: reports.BlockReport) -> Block:
    return Block(
        hash_hex=found.hash_hex,
        height=found.height,
        state=found.state.value,
        finder=f"{found.finder}.{found.worker}" if found.worker else found.finder,
        reward_sat=found.reward_sat,
        confirmations=found.confirmations,
        found_ms=found.found_ms,
        credits=found.credits,
    )


def _detail(found: reports.BlockDetail) -> BlockDetail:
    weight = sum(each.weight for each in found.credits)
    credits = tuple(
        Credit(
            each.account,
            each.scheme.value,
            each.weight / weight,
            each.gross_sat,
            each.fee_sat,
            each.net_sat,
            each.bought_sat,
        )
        for each in found.credits
    )
    ledger = tuple(
        LedgerRow(row.posting.key, row.posting.kind, row.posting.time_ms, entry.account, entry.amount_sat)
        for row in found.rows
        for entry in row.posting.entries
    )
    return BlockDetail(_block(found.block), credits, ledger)
