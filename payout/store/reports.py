"""What the dashboard, the API and operators read of the books.

Each report is of one moment. They sum the ledger whenever they are asked; keep an answer for a second or so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Engine, Select, func, select

from payout.accounts import Account, Plan, Scheme, plan_at
from payout.ledger import Row, available
from payout.maturity import State
from payout.pps import PSAT
from payout.reserve import scheme_of
from payout.statement import Statement
from payout.store.accounts import SqlAccounts
from payout.store.blocks import BOUGHT_SAT, SqlBlocks
from payout.store.history import SqlHistory
from payout.store.journal import SqlJournal
from payout.store.ledger import errors_of_ours
from payout.store.luck import GroupReport, SqlLuck
from payout.store.payout_reports import PayoutDetail, PayoutsPage, detail_of, page_of
from payout.store.reserve import SqlReserve
from payout.store.shares import SqlShares
from pool.store.scheme_tables import fpps_carry
from pool.store.sql import account, block, credit, entry, journal, pps_accrual, pps_carry, reading, stake


class AccountReport(Struct, frozen=True):
    """An account. plan: the one in force. pps_psat: earned per share, but not yet in the ledger. credits: how many
    blocks it has a part of, orphaned ones too. paid_as: the scheme that shares of the next job count under."""

    account: Account
    plan: Plan
    immature_sat: int
    available_sat: int
    reserved_sat: int
    pps_psat: int
    credits: int
    paid_as: Scheme


class BlockReport(Struct, frozen=True):
    """A block. reward_sat: None until it was seen in the chain. confirmations: 0 while it is not known to be in it.
    credits: how many accounts have a part of it."""

    block_hash: bytes
    height: int
    state: State
    found_ms: int
    finder: str
    worker: str
    outcome: str
    reward_sat: int | None
    confirmations: int
    credits: int

    @property
    def hash_hex(self) -> str:
        return self.block_hash[::-1].hex()


class CreditReport(Struct, frozen=True):
    """A part of a block. scheme: of its shares. bought_sat: the reserve's, which has bought them; net_sat: what is not
    the pool's fee."""

    account: str
    slice_id: int
    scheme: Scheme
    weight: int
    gross_sat: int
    fee_sat: int
    bought_sat: int = 0

    @property
    def net_sat(self) -> int:
        return self.gross_sat - self.fee_sat


class BlockDetail(Struct, frozen=True):
    """A block with its credits and its rows in the ledger, in order."""

    block: BlockReport
    credits: tuple[CreditReport, ...]
    rows: tuple[Row, ...]


class EarningReport(Struct, frozen=True):
    """What an account earned once: of a block (with its hash, height and state), or of a period of pay per share."""

    time_ms: int
    amount_sat: int
    block_hash: bytes | None = None
    height: int | None = None
    state: State | None = None
    key: str | None = None


class TotalsReport(Struct, frozen=True):
    """The books in a few numbers.

    blocks: count by state. last_block_ms, round_units: when the newest block was found that was not given up, and the
    score since then in 2^-96 block.
    """

    accounts: int
    blocks: Mapping[State, int]
    last_block_ms: int | None
    immature_sat: int
    available_sat: int
    round_units: int
    chain_height: int


class SqlReports:
    """The read side of the books. Every method raises LedgerUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def totals(self) -> TotalsReport:
        """The numbers of an overview."""
        with self._reading() as connection:
            states = select(block.c.state, func.count()).group_by(block.c.state)
            newest = connection.execute(_NEWEST).one_or_none()
            balances_sat = SqlJournal(connection).balances_sat()
            return TotalsReport(
                accounts=connection.execute(select(func.count()).select_from(account)).scalar_one(),
                blocks={State(state): count for state, count in connection.execute(states)},
                last_block_ms=newest.found_ms if newest else None,
                immature_sat=_owed(balances_sat, ":immature"),
                available_sat=_owed(balances_sat, ":available"),
                round_units=SqlShares(connection).end() - (newest.score_end if newest else 0),
                chain_height=SqlBlocks(connection).chain_height(),
            )

    def accounts(self, time_ms: int) -> list[AccountReport]:
        """All accounts, by name, with the plans of a time."""
        with self._reading() as connection:
            return _accounts(connection, SqlAccounts(connection).every(), time_ms)

    def account(self, name: str, time_ms: int) -> AccountReport | None:
        """One account, with the plan of a time."""
        with self._reading() as connection:
            found = SqlAccounts(connection).get(name)
            return None if found is None else _accounts(connection, [found], time_ms)[0]

    def earnings(self, name: str, count: int) -> list[EarningReport]:
        """The newest earnings of an account, newest first."""
        with self._reading() as connection:
            of_blocks = [
                EarningReport(row.found_ms, int(row.net_sat), row.hash, row.height, State(row.state))
                for row in connection.execute(_earned_of_blocks(name, count))
            ]
            settled = [
                EarningReport(row.time_ms, -row.amount_sat, key=row.key)
                for row in connection.execute(_settled(name, count))
            ]
        return sorted(of_blocks + settled, key=lambda each: each.time_ms, reverse=True)[:count]

    def blocks(self, state: State | None, offset: int, count: int) -> list[BlockReport]:
        """Blocks from the newest on, by height and time found; those of one state, or all for None."""
        wanted = _BLOCKS.order_by(block.c.height.desc(), block.c.found_ms.desc(), block.c.hash)
        if state is not None:
            wanted = wanted.where(block.c.state == state.value)
        with self._reading() as connection:
            tip_height = SqlBlocks(connection).chain_height()
            return [_block(row, tip_height) for row in connection.execute(wanted.offset(offset).limit(count))]

    def block(self, block_hash: bytes) -> BlockDetail | None:
        """One block with everything about it; None if it is not the pool's."""
        with self._reading() as connection:
            row = connection.execute(_BLOCKS.where(block.c.hash == block_hash)).one_or_none()
            if row is None:
                return None
            report = _block(row, SqlBlocks(connection).chain_height())
            booked = SqlBlocks(connection).get(block_hash)
            credits = tuple(
                CreditReport(
                    each.key.account,
                    each.key.slice_id,
                    each.key.scheme,
                    each.weight,
                    each.gross_sat,
                    each.fee_sat,
                    each.bought_sat,
                )
                for each in (booked.credits if booked else ())
            )
            return BlockDetail(report, credits, tuple(SqlJournal(connection).rows_of(report.hash_hex)))

    def balances_sat(self) -> dict[str, int]:
        """Every account of the ledger."""
        with self._reading() as connection:
            return SqlJournal(connection).balances_sat()

    def statement(self, name: str, from_ms: int, to_ms: int, last_row: int | None, changes_max: int) -> Statement:
        """What an account had, got and was paid. Raises AccountRefused."""
        with self._reading() as connection:
            return SqlHistory(connection).statement(name, from_ms, to_ms, last_row, changes_max)

    def payouts(self, offset: int, count: int) -> PayoutsPage:
        """Batches of payments from the newest on."""
        with self._reading() as connection:
            return page_of(connection, offset, count)

    def payout(self, payout_id: int) -> PayoutDetail | None:
        """One batch with everything about it; None if there is none of that number."""
        with self._reading() as connection:
            return detail_of(connection, payout_id)

    def luck(self) -> tuple[GroupReport, ...]:
        """Groups of machines: what they should have found, and what they have."""
        with self._reading() as connection:
            return tuple(SqlLuck(connection).report())

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with errors_of_ours(self._engine), reading(self._engine) as connection:
            yield connection


_CREDITED = (
    select(func.count(func.distinct(stake.c.account_id)))
    .select_from(credit)
    .join(stake, stake.c.id == credit.c.stake_id)
    .where(credit.c.block_hash == block.c.hash)
    .scalar_subquery()
)
_NEWEST = (
    select(block.c.found_ms, block.c.score_end)
    .where(block.c.state.not_in([State.ORPHANED.value, State.DEAD.value]))
    .order_by(block.c.score_end.desc(), block.c.found_ms.desc())
    .limit(1)
)
# Of blocks, not per share: all but what the reserve has bought whole.
_HAS_OWN = stake.c.scheme.in_([Scheme.PPLNS.value, Scheme.PPS_PLUS.value, Scheme.SOLO.value])
_BLOCKS = select(block, _CREDITED.label("credits"))


def _block(row: Any, tip_height: int) -> BlockReport:
    state = State(row.state)
    in_chain = state in (State.IMMATURE, State.MATURE)
    return BlockReport(
        block_hash=row.hash,
        height=row.height,
        state=state,
        found_ms=row.found_ms,
        finder=row.finder,
        worker=row.worker,
        outcome=row.outcome,
        reward_sat=row.reward_sat,
        confirmations=tip_height - row.height + 1 if in_chain else 0,
        credits=row.credits,
    )


def _accounts(connection: Connection, accounts: list[Account], time_ms: int) -> list[AccountReport]:
    kinds = ("immature", "available", "reserved")
    names = {f"liab:{each.name}:{kind}" for each in accounts for kind in kinds}
    balances_sat = SqlJournal(connection).balances_sat(names)
    pps_psat, credits = _pps_psat(connection), _credits(connection)
    reserve = SqlReserve(connection)
    stops, height = reserve.stops(), max(reserve.seen_height(), SqlBlocks(connection).chain_height() + 1)

    def report(each: Account) -> AccountReport:
        owed_sat = {kind: -balances_sat.get(f"liab:{each.name}:{kind}", 0) for kind in kinds}
        plan = plan_at(each.plans, time_ms)
        return AccountReport(
            account=each,
            plan=plan,
            immature_sat=owed_sat["immature"],
            available_sat=owed_sat["available"],
            reserved_sat=owed_sat["reserved"],
            pps_psat=pps_psat.get(each.id, 0),
            credits=credits.get(each.id, 0),
            paid_as=scheme_of(plan, stops, height),
        )

    return [report(each) for each in accounts]


def _pps_psat(connection: Connection) -> dict[int, int]:
    """Carry and what has accrued since, by account id."""
    psat: dict[int, int] = {}
    for table in (pps_carry, fpps_carry):
        for row in connection.execute(select(table)):
            psat[row.account_id] = psat.get(row.account_id, 0) + row.carry_psat
    accrued = select(
        pps_accrual.c.account_id, func.sum(pps_accrual.c.earned_sat), func.sum(pps_accrual.c.earned_psat)
    ).where(pps_accrual.c.settled.is_(False))
    for account_id, sat, fraction in connection.execute(accrued.group_by(pps_accrual.c.account_id)):
        psat[account_id] = psat.get(account_id, 0) + int(sat) * PSAT + int(fraction)
    return psat


def _credits(connection: Connection) -> dict[int, int]:
    counted = (
        select(stake.c.account_id, func.count(func.distinct(credit.c.block_hash)).label("credits"))
        .select_from(credit)
        .join(stake, stake.c.id == credit.c.stake_id)
        .where(_HAS_OWN)
        .group_by(stake.c.account_id)
    )
    return {row.account_id: row.credits for row in connection.execute(counted)}


def _earned_of_blocks(name: str, count: int) -> Select[Any]:
    net_sat = func.sum(credit.c.gross_sat - credit.c.fee_sat - BOUGHT_SAT).label("net_sat")
    columns = (block.c.found_ms, block.c.hash, block.c.height, block.c.state)
    return (
        select(*columns, net_sat)
        .select_from(credit)
        .join(stake, stake.c.id == credit.c.stake_id)
        .join(account, account.c.id == stake.c.account_id)
        .join(block, block.c.hash == credit.c.block_hash)
        .where(account.c.name == name, _HAS_OWN)
        .group_by(*columns)
        .order_by(block.c.found_ms.desc())
        .limit(count)
    )


def _settled(name: str, count: int) -> Select[Any]:
    return (
        select(journal.c.time_ms, journal.c.key, entry.c.amount_sat)
        .join(entry, entry.c.journal_id == journal.c.id)
        .where(journal.c.kind.in_(["pps", "fpps"]), journal.c.ref == name, entry.c.account == available(name))
        .order_by(journal.c.id.desc())
        .limit(count)
    )


def _owed(balances_sat: Mapping[str, int], ending: str) -> int:
    return -sum(amount for name, amount in balances_sat.items() if name.startswith("liab:") and name.endswith(ending))
