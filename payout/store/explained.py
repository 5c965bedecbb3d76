"""Explanations from the books: what is read of them, at one moment each."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, Engine, and_, func, select

from payout.accounts import plan_at
from payout.explain import balance, credit, fee_day, payment, per_share
from payout.explain.balance import BalanceExplained, InBlock, InPayout
from payout.explain.credit import CreditExplained
from payout.explain.fee_day import FeeDayExplained
from payout.explain.payment import PayoutExplained
from payout.explain.per_share import PerShareExplained
from payout.fee_days import day_name
from payout.ledger import Row
from payout.maturity import SPENDABLE_CONFIRMATIONS, State
from payout.payment import RESERVING
from payout.pps import PSAT
from payout.statement import Balance, closing
from payout.store.accounts import SqlAccounts
from payout.store.blocks import SqlBlocks
from payout.store.fee_days import SqlFeeDays
from payout.store.history import SqlHistory
from payout.store.journal import SqlJournal
from payout.store.ledger import errors_of_ours
from payout.store.payees import SqlPayees
from payout.store.payouts import SqlPayouts
from payout.store.slices import SqlSlices
from payout.store.windows import edges_of
from pool.store.sql import account, block, payout, payout_attempt, payout_line, pps_accrual, pps_carry, reading

T = TypeVar("T")

_PER_SHARE = re.compile(r"pps:([A-Za-z0-9_-]{1,64}):([0-9]{1,15})", re.ASCII)

_FEE_DAY = re.compile(r"fpps:([0-9]{4}-[0-9]{2}-[0-9]{2}):([A-Za-z0-9_-]{1,64})", re.ASCII)

CREDIT_IDS = (
    "a credit is BLOCK:ACCOUNT, with the block's height or hash (840000:alice), or of pay per share the key of its "
    "row, pps:ACCOUNT:PERIOD or fpps:DAY:ACCOUNT; `steppe blocks` lists blocks, `steppe statement ACCOUNT` the credits "
    "of an account"
)


class Unknown(Exception):
    """There is nothing of that id. The text says what ids look like and where to find them."""


class Explained:
    """Every method raises Unknown, LedgerUnavailable and LedgerError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def credit(self, credit_id: str) -> CreditExplained | PerShareExplained | FeeDayExplained:
        """A credit by its id."""
        if (of_day := _FEE_DAY.fullmatch(credit_id)) is not None:
            return self._read(lambda connection: _fee_day(connection, of_day[1], of_day[2]))
        if (matched := _PER_SHARE.fullmatch(credit_id)) is not None:
            return self._read(lambda connection: _per_share(connection, matched[1], int(matched[2])))
        name, colon, owner = credit_id.partition(":")
        if not colon or not owner:
            raise Unknown(f"{credit_id!r} is no credit: {CREDIT_IDS}")
        return self._read(lambda connection: _credit(connection, block_hash_of(connection, name), owner))

    def payout(self, number: int, owner: str | None = None) -> PayoutExplained:
        """A batch; owner: only its line."""
        return self._read(lambda connection: _payout(connection, number, owner))

    def balance(self, name: str, now_ms: int) -> BalanceExplained:
        """What an account has."""
        return self._read(lambda connection: _balance(connection, name, now_ms))

    def block_hash(self, name: str) -> bytes:
        """A block that is named by its height or its hash, wire order."""
        return self._read(lambda connection: block_hash_of(connection, name))

    def _read(self, work: Callable[[Connection], T]) -> T:
        with errors_of_ours(self._engine), reading(self._engine) as connection:
            return work(connection)


def block_hash_of(connection: Connection, name: str) -> bytes:
    """The hash of a block of the pool, wire order. Raises Unknown."""
    if re.fullmatch(r"[0-9a-fA-F]{64}", name):
        wanted = bytes.fromhex(name)[::-1]
        if connection.execute(select(block.c.hash).where(block.c.hash == wanted)).one_or_none() is None:
            raise Unknown(f"the pool found no block {name}; `steppe blocks` lists its blocks")
        return wanted
    if not re.fullmatch(r"[0-9]{1,9}", name, re.ASCII):
        raise Unknown(f"{name!r} is no block: give its height or its hash (64 hex digits); `steppe blocks` lists them")
    at = select(block.c.hash).where(block.c.height == int(name)).order_by(block.c.hash)
    found = [bytes(each) for each in connection.execute(at).scalars()]
    if not found:
        raise Unknown(f"the pool found no block at height {name}; `steppe blocks` lists its blocks")
    if len(found) > 1:
        hashes = ", ".join(each[::-1].hex() for each in found)
        raise Unknown(f"the pool found {len(found)} blocks at height {name}: name one by its hash: {hashes}")
    return found[0]


def _check_account(connection: Connection, name: str) -> None:
    if SqlAccounts(connection).get(name) is None:
        raise Unknown(f"there is no account {name!r}; `steppe account list` shows them")


def _credit(connection: Connection, block_hash: bytes, owner: str) -> CreditExplained:
    _check_account(connection, owner)
    booked = SqlBlocks(connection).get(block_hash)
    if booked is None or booked.reward_sat is None:
        state = "unknown" if booked is None else booked.life.state.value
        raise Unknown(f"block {block_hash[::-1].hex()} is {state}: it was never in the chain, so it has no credits")
    edges = edges_of(connection, *credit.stretch_of(booked))
    shown = None
    if edges is not None:
        first, last = (credit.edge(each.frontend, each.seq, each.units, each.counted) for each in edges)
        shown = first, last
    in_chain = booked.life.state in (State.IMMATURE, State.MATURE)
    depth = SqlBlocks(connection).chain_height() - booked.found.height + 1 if in_chain else 0
    contracts = SqlSlices(connection).contracts({each.key.slice_id for each in booked.credits})
    rows = SqlJournal(connection).rows_of(booked.life.hash_hex)
    return credit.explain(booked, owner, shown, depth, contracts, rows)


def _per_share(connection: Connection, name: str, period_ms: int) -> PerShareExplained:
    known = SqlAccounts(connection).get(name)
    row = connection.execute(
        select(pps_accrual).where(
            pps_accrual.c.account_id == (known.id if known else 0), pps_accrual.c.period_ms == period_ms
        )
    ).one_or_none()
    if known is None or row is None:
        raise Unknown(f"nothing was earned per share by {name!r} in a period that began at {period_ms}: {CREDIT_IDS}")
    before = connection.execute(
        select(func.sum(pps_accrual.c.earned_sat), func.sum(pps_accrual.c.earned_psat)).where(
            pps_accrual.c.account_id == known.id, pps_accrual.c.period_ms < period_ms
        )
    ).one()
    before_psat = int(before[0] or 0) * PSAT + int(before[1] or 0)
    rows = [each for each in SqlJournal(connection).rows_of(name) if each.posting.key == f"pps:{name}:{period_ms}"]
    ends_ms = rows[0].posting.time_ms if rows else None
    first = plan_at(known.plans, period_ms)
    later = [plan for plan in known.plans if period_ms < plan.valid_from_ms < (ends_ms or plan.valid_from_ms + 1)]
    earned_psat = row.earned_sat * PSAT + row.earned_psat
    return per_share.explain(name, period_ms, earned_psat, before_psat, row.settled, [first, *later], rows)


def _fee_day(connection: Connection, name: str, owner: str) -> FeeDayExplained:
    _check_account(connection, owner)
    days = SqlFeeDays(connection)
    before_psat = 0
    for day in days.settled():
        bases = [(fee_bps, base_psat) for account_, fee_bps, base_psat in days.bases(day.day_ms) if account_ == owner]
        if day_name(day.day_ms) == name and bases:
            rows = [row for row in SqlJournal(connection).rows_of(owner) if row.posting.key == f"fpps:{name}:{owner}"]
            return fee_day.explain(owner, name, day, bases, before_psat, rows)
        before_psat += fee_day.bonus_psat(day, bases)
    raise Unknown(f"nothing was earned under FPPS by {owner!r} on {name}, or that day is not settled: {CREDIT_IDS}")


def _payout(connection: Connection, number: int, owner: str | None) -> PayoutExplained:
    payouts = SqlPayouts(connection)
    batch = payouts.get(number)
    if batch is None:
        raise Unknown(f"there is no payout {number}: payouts are numbered from 1; `steppe payout list` shows them")
    paid = payouts.lines(number)
    if owner is not None and not any(each.line.account == owner for each in paid):
        raise Unknown(f"payout {number} has no line for {owner!r}; without an account all its lines are shown")
    stored = connection.execute(
        select(payout_attempt.c.number, payout_attempt.c.stored_ms).where(payout_attempt.c.payout_id == number)
    )
    rows = _rows_of_payout(connection, number)
    tip_height = SqlBlocks(connection).chain_height()
    return payment.explain(batch, paid, {row.number: row.stored_ms for row in stored}, owner, tip_height, rows)


def _rows_of_payout(connection: Connection, number: int) -> list[Row]:
    prefix = f"payout:{number}:"
    return [row for row in SqlJournal(connection).rows_of(str(number)) if row.posting.key.startswith(prefix)]


def _balance(connection: Connection, name: str, now_ms: int) -> BalanceExplained:
    _check_account(connection, name)
    history = SqlHistory(connection)
    ledger_row, ledger_hash = history.place()
    lines = history.lines(name)
    addresses = [each for each in SqlPayees(connection).addresses(name) if each.cancelled_ms is None]
    held_until_ms = addresses[-1].valid_from_ms if addresses else 0
    return BalanceExplained(
        account=name,
        ledger_row=ledger_row,
        ledger_hash=ledger_hash.hex(),
        balance=closing(Balance(), lines),
        kinds=balance.kinds_of(iter(lines)),
        blocks=_in_blocks(connection, history, name),
        payouts=_in_payouts(connection, name),
        pending_psat=str(_pending_psat(connection, name)),
        address=addresses[-1].address if addresses else None,
        held_until_ms=held_until_ms if held_until_ms > now_ms else 0,
        threshold_sat=SqlPayees(connection).threshold_sat(name, now_ms),
    )


def _in_blocks(connection: Connection, history: SqlHistory, name: str) -> tuple[InBlock, ...]:
    immature = select(block.c.hash, block.c.height).where(block.c.state == State.IMMATURE.value)
    tip_height = SqlBlocks(connection).chain_height()
    found = []
    for row in connection.execute(immature.order_by(block.c.height)).all():
        parts = history.parts(name, [row.hash]).get(row.hash[::-1].hex(), [])
        own_sat = sum(part.own_sat for part in parts)
        depth = tip_height - row.height + 1
        if own_sat:
            left = max(0, SPENDABLE_CONFIRMATIONS - depth)
            found.append(InBlock(row.height, row.hash[::-1].hex(), depth, left, own_sat))
    return tuple(found)


def _in_payouts(connection: Connection, name: str) -> tuple[InPayout, ...]:
    rows = connection.execute(
        select(payout.c.id, payout_line.c.amount_sat)
        .join(payout_line, payout_line.c.payout_id == payout.c.id)
        .join(account, account.c.id == payout_line.c.account_id)
        .where(account.c.name == name, payout.c.state.in_([state.value for state in RESERVING]))
        .order_by(payout.c.id)
    ).all()
    found = []
    for row in rows:
        batch = SqlPayouts(connection).get(row.id)
        if batch is not None:
            txid = batch.signed[-1].txid_hex if batch.signed else None
            found.append(InPayout(row.id, batch.state.value, txid, row.amount_sat))
    return tuple(found)


def _pending_psat(connection: Connection, name: str) -> int:
    of_account = account.c.name == name
    carry = connection.execute(
        select(pps_carry.c.carry_psat).join(account, account.c.id == pps_carry.c.account_id).where(of_account)
    ).scalar_one_or_none()
    accrued = connection.execute(
        select(func.sum(pps_accrual.c.earned_sat), func.sum(pps_accrual.c.earned_psat))
        .join(account, account.c.id == pps_accrual.c.account_id)
        .where(and_(of_account, pps_accrual.c.settled.is_(False)))
    ).one()
    carry = (carry or 0) + SqlFeeDays(connection).carries_psat().get(name, 0)
    return carry + int(accrued[0] or 0) * PSAT + int(accrued[1] or 0)
