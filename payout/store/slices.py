"""Slices as the books need them: the contract of each, and what was earned per share in each."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select

from payout.contracts import Contract, parse_steps
from payout.ledger import LedgerError
from payout.ports import Basis, SliceEarning
from payout.pps import PSAT
from payout.store.statements import account_ids, chunks, put
from pool.store.fleet_tables import FLEET_TABLES, slice_accrual
from pool.store.sql import account

_ASSIGNMENT = FLEET_TABLES["assignment"]
_CONTRACT = FLEET_TABLES["contract"]


class SqlSlices:
    """Satisfies payout.ports.Slices."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def contracts(self, slice_ids: Collection[int]) -> dict[int, Contract]:
        """The contracts of slices; one without is left out. Raises LedgerError for a slice that is not in the books."""
        asked = sorted({slice_id for slice_id in slice_ids if slice_id})
        names: dict[int, str] = {}
        for chunk in chunks(asked):
            of_slice = select(_ASSIGNMENT.c.slice_id, _ASSIGNMENT.c.contract).where(_ASSIGNMENT.c.slice_id.in_(chunk))
            names.update((row.slice_id, row.contract) for row in self._connection.execute(of_slice))
        if missing := [slice_id for slice_id in asked if slice_id not in names]:
            raise LedgerError(
                f"shares were accepted in slice {missing[0]}, which is not in the books: is this database older than "
                "the journals? Nobody may guess whose they are"
            )
        # Neither a slice nor a contract ever changes what it stands for, so any row of it will do.
        steps: dict[str, Contract] = {}
        for words in chunks({name for name in names.values() if name}):
            of_contract = select(_CONTRACT.c.name, _CONTRACT.c.steps).where(_CONTRACT.c.name.in_(words))
            steps.update((row.name, parse_steps(row.steps)) for row in self._connection.execute(of_contract))
        return {slice_id: steps[name] for slice_id, name in names.items() if name}

    def add(self, earned_psat: Mapping[SliceEarning, int]) -> None:
        """Add to what slices earned per share."""
        ids = account_ids(self._connection, {each.account for each in earned_psat})
        for each, more_psat in earned_psat.items():
            key = {
                "basis": each.basis.value,
                "account_id": ids[each.account],
                "at_ms": each.at_ms,
                "slice_id": each.slice_id,
                "fee_bps": each.fee_bps,
            }
            of_key = [slice_accrual.c[name] == value for name, value in key.items()]
            stored = select(slice_accrual.c.earned_sat, slice_accrual.c.earned_psat).where(*of_key)
            row = self._connection.execute(stored).one_or_none()
            before_psat = 0 if row is None else row.earned_sat * PSAT + row.earned_psat
            sat, psat = divmod(before_psat + more_psat, PSAT)
            put(self._connection, slice_accrual, key, {"earned_sat": sat, "earned_psat": psat})

    def earned(self, basis: Basis, account_name: str, at_ms: int) -> list[tuple[SliceEarning, int]]:
        """What the slices of an account earned in a period or a day, in order of slice and fee."""
        rows = self._connection.execute(
            select(slice_accrual)
            .join(account, account.c.id == slice_accrual.c.account_id)
            .where(account.c.name == account_name, slice_accrual.c.basis == basis, slice_accrual.c.at_ms == at_ms)
            .order_by(slice_accrual.c.slice_id, slice_accrual.c.fee_bps)
        )
        return [
            (
                SliceEarning(basis, account_name, at_ms, row.slice_id, row.fee_bps),
                row.earned_sat * PSAT + row.earned_psat,
            )
            for row in rows
        ]
