"""Who has what of slices in a time, out of the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import Connection, Text, and_, cast, literal, select

from payout.contracts import Contract
from payout.earnings import ENERGY, Earning, of_block, per_share
from payout.fee_days import DAY_MS, day_name, day_of, slice_bonuses
from payout.ledger import PPS_RESERVE
from payout.ports import Basis, SliceEarning
from payout.pps import PSAT, fee_rate_of, less_fee
from payout.store.blocks import SqlBlocks
from payout.store.fee_days import SqlFeeDays
from payout.store.slices import SqlSlices
from pool.store.fleet_tables import FLEET_TABLES, fleet_charge, slice_accrual
from pool.store.sql import account, block, entry, journal, pps_accrual

_READING = FLEET_TABLES["reading"]
_ASSIGNMENT = FLEET_TABLES["assignment"]


class SqlEarnings:
    """Read side only. accounts: whose slices; what others have of them by contract is told, too."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._contracts: dict[int, Contract] = {}
        self._asked: set[int] = set()

    def between(self, from_ms: int, to_ms: int, accounts: Collection[str]) -> list[Earning]:
        """All of it, in the order of time. Raises LedgerError."""
        found = [
            *self._of_blocks(from_ms, to_ms, accounts),
            *self._per_share(from_ms, to_ms, accounts),
            *self._of_fees(from_ms, to_ms, accounts),
            *self._of_energy(from_ms, to_ms, accounts),
        ]
        return sorted(found, key=lambda each: (each.at_ms, each.account, each.slice_id, each.kind, each.party))

    def _of_blocks(self, from_ms: int, to_ms: int, accounts: Collection[str]) -> Iterator[Earning]:
        hashes = select(block.c.hash).where(block.c.found_ms >= from_ms, block.c.found_ms < to_ms)
        blocks = SqlBlocks(self._connection)
        for block_hash in self._connection.execute(hashes.order_by(block.c.height, block.c.hash)).scalars().all():
            booked = blocks.get(block_hash)
            if booked is not None:
                credits = [each for each in booked.credits if each.key.account in accounts]
                contracts = self._contracts_of({each.key.slice_id for each in credits})
                yield from (each for each in of_block(booked, contracts) if each.account in accounts)

    def _per_share(self, from_ms: int, to_ms: int, accounts: Collection[str]) -> Iterator[Earning]:
        of_slices = self._slices_psat(Basis.SHARES, from_ms, to_ms)
        paid_sat = self._paid_sat("pps", from_ms, to_ms)
        rows = self._connection.execute(
            select(account.c.name, pps_accrual)
            .join(account, account.c.id == pps_accrual.c.account_id)
            .where(pps_accrual.c.period_ms >= from_ms, pps_accrual.c.period_ms < to_ms)
        )
        for row in rows.all():
            paid = paid_sat.get(f"pps:{row.name}:{row.period_ms}", 0)
            if row.name not in accounts or not paid:
                continue
            weights = {each.slice_id: psat for each, psat in of_slices.get((row.name, row.period_ms), ())}
            earned_psat = row.earned_sat * PSAT + row.earned_psat
            contracts = self._contracts_of(weights)
            yield from per_share(row.name, row.period_ms, weights, earned_psat, paid, contracts)

    def _of_fees(self, from_ms: int, to_ms: int, accounts: Collection[str]) -> Iterator[Earning]:
        paid_sat = self._paid_sat("fpps", from_ms, to_ms)
        if not paid_sat:
            return
        of_slices = self._slices_psat(Basis.FEES, day_of(from_ms), to_ms)
        days = SqlFeeDays(self._connection)
        for day in list(days.settled()):
            if not from_ms <= day.day_ms < to_ms:
                continue
            rate = fee_rate_of(day.blocks)
            bonus_psat: dict[str, int] = {}
            for name, fee_bps, base_psat in days.bases(day.day_ms):
                bonus_psat[name] = bonus_psat.get(name, 0) + less_fee(rate.bonus_psat(base_psat), fee_bps)
            for name, all_psat in bonus_psat.items():
                paid = paid_sat.get(f"fpps:{day_name(day.day_ms)}:{name}", 0)
                if name in accounts and paid:
                    weights = slice_bonuses(rate, of_slices.get((name, day.day_ms), ()))
                    yield from per_share(name, day.day_ms, weights, all_psat, paid, self._contracts_of(weights))

    def _of_energy(self, from_ms: int, to_ms: int, accounts: Collection[str]) -> Iterator[Earning]:
        slices: dict[tuple[str, str], int] = {}
        for row in self._connection.execute(select(_ASSIGNMENT).order_by(_ASSIGNMENT.c.row_id)):
            slices.setdefault((row.account, row.contract), row.slice_id)
        posted = (
            select(fleet_charge, _READING.c.contract, journal.c.time_ms, entry.c.amount_sat)
            .join(_READING, _READING.c.row_id == fleet_charge.c.reading)
            .join(journal, and_(journal.c.ref == _ENERGY_REF, journal.c.kind == "energy"))
            .join(entry, entry.c.journal_id == journal.c.id)
            .where(entry.c.amount_sat > 0, journal.c.time_ms >= from_ms, journal.c.time_ms < to_ms)
            .order_by(journal.c.id)
        )
        for row in self._connection.execute(posted):
            if row.account in accounts:
                slice_id = slices.get((row.account, row.contract), 0)
                for party, amount_sat in ((row.account, -row.amount_sat), (row.party, row.amount_sat)):
                    yield Earning(row.account, slice_id, party, row.time_ms, ENERGY, amount_sat, True)

    def _paid_sat(self, kind: str, from_ms: int, to_ms: int) -> dict[str, int]:
        """By key, what the reserve paid for periods of a time. A posting has the time of its period's end."""
        rows = self._connection.execute(
            select(journal.c.key, entry.c.amount_sat)
            .join(entry, entry.c.journal_id == journal.c.id)
            .where(
                journal.c.kind == kind,
                entry.c.account == PPS_RESERVE,
                journal.c.time_ms >= from_ms,
                journal.c.time_ms <= to_ms + _PERIOD_MAX_MS,
            )
        )
        return {row.key: row.amount_sat for row in rows}

    def _slices_psat(
        self, basis: Basis, from_ms: int, to_ms: int
    ) -> dict[tuple[str, int], list[tuple[SliceEarning, int]]]:
        rows = self._connection.execute(
            select(slice_accrual, account.c.name)
            .join(account, account.c.id == slice_accrual.c.account_id)
            .where(slice_accrual.c.basis == basis, slice_accrual.c.at_ms >= from_ms, slice_accrual.c.at_ms < to_ms)
        )
        found: dict[tuple[str, int], list[tuple[SliceEarning, int]]] = {}
        for row in rows:
            each = SliceEarning(basis, row.name, row.at_ms, row.slice_id, row.fee_bps)
            found.setdefault((row.name, row.at_ms), []).append((each, row.earned_sat * PSAT + row.earned_psat))
        return found

    def _contracts_of(self, slice_ids: Collection[int]) -> dict[int, Contract]:
        """Contracts never change, so each is read once."""
        fresh = {slice_id for slice_id in slice_ids if slice_id not in self._asked}
        if fresh:
            self._contracts |= SqlSlices(self._connection).contracts(fresh)
            self._asked |= fresh
        return self._contracts


_ENERGY_REF = literal("energy:", Text) + cast(fleet_charge.c.id, Text)
_PERIOD_MAX_MS = 2 * DAY_MS
