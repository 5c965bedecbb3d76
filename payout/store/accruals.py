"""What accounts earn per share on its way into the ledger, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, and_, bindparam, insert, select, update

from payout.ports import Accrual
from payout.pps import PSAT
from payout.store.statements import account_ids, chunks, read_progress, write_progress
from pool.store.sql import account, pps_accrual, pps_carry

_PERIOD = "pps_period_ms"


class SqlAccruals:
    """Satisfies payout.ports.Accruals."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def period_ms(self) -> int:
        """When the current period began; 0 before the first."""
        return read_progress(self._connection, _PERIOD)

    def open_period(self, period_ms: int) -> None:
        """Make a period the current one."""
        write_progress(self._connection, _PERIOD, period_ms)

    def add(self, earned_psat: Mapping[tuple[str, int], int]) -> None:
        """Add to what accounts earned, by (account, period_ms)."""
        if not earned_psat:
            return
        ids = account_ids(self._connection, {name for name, _ in earned_psat})
        before = self._earned([ids[name] for name, _ in earned_psat], {period for _, period in earned_psat})
        inserts: list[dict[str, int]] = []
        updates: list[dict[str, int]] = []
        for (name, period_ms), more_psat in earned_psat.items():
            place = ids[name], period_ms
            sat, psat = divmod(before.get(place, 0) + more_psat, PSAT)
            row = {"of_account": ids[name], "of_period_ms": period_ms, "sat": sat, "psat": psat}
            (updates if place in before else inserts).append(row)
        if inserts:
            self._connection.execute(_INSERT, inserts)
        if updates:
            self._connection.execute(_UPDATE, updates)

    def due(self, before_ms: int) -> list[Accrual]:
        """The unsettled accruals of periods that began before a time, in order of period and account."""
        rows = self._connection.execute(
            select(
                account.c.name,
                pps_accrual.c.period_ms,
                pps_accrual.c.earned_sat,
                pps_accrual.c.earned_psat,
                pps_carry.c.carry_psat,
            )
            .join(account, account.c.id == pps_accrual.c.account_id)
            .outerjoin(pps_carry, pps_carry.c.account_id == pps_accrual.c.account_id)
            .where(pps_accrual.c.settled.is_(False), pps_accrual.c.period_ms < before_ms)
        )
        accruals = [
            Accrual(row.name, row.period_ms, row.earned_sat * PSAT + row.earned_psat, row.carry_psat or 0)
            for row in rows
        ]
        # Sorted here: every database has an order of its own for text.
        return sorted(accruals, key=lambda each: (each.period_ms, each.account))

    def settle(self, settled: Sequence[tuple[Accrual, int]]) -> None:
        """These accruals are in the ledger but for their carry in picosatoshi, in order."""
        if not settled:
            return
        ids = account_ids(self._connection, {each.account for each, _ in settled})
        self._connection.execute(
            _SETTLE,
            [{"of_account": ids[each.account], "of_period_ms": each.period_ms} for each, _ in settled],
        )
        self._carry({ids[each.account]: carry_psat for each, carry_psat in settled})

    def _carry(self, carries_psat: Mapping[int, int]) -> None:
        known: set[int] = set()
        for chunk in chunks(carries_psat):
            stored = select(pps_carry.c.account_id).where(pps_carry.c.account_id.in_(chunk))
            known.update(self._connection.execute(stored).scalars())
        rows = [{"of_account": account_id, "psat": psat} for account_id, psat in carries_psat.items()]
        updates = [row for row in rows if row["of_account"] in known]
        inserts = [row for row in rows if row["of_account"] not in known]
        if updates:
            self._connection.execute(_UPDATE_CARRY, updates)
        if inserts:
            self._connection.execute(_INSERT_CARRY, inserts)

    def _earned(self, ids: Sequence[int], periods_ms: set[int]) -> dict[tuple[int, int], int]:
        found: dict[tuple[int, int], int] = {}
        for chunk in chunks(ids):
            rows = self._connection.execute(
                select(pps_accrual).where(pps_accrual.c.account_id.in_(chunk), pps_accrual.c.period_ms.in_(periods_ms))
            )
            found.update(((row.account_id, row.period_ms), row.earned_sat * PSAT + row.earned_psat) for row in rows)
        return found


_OF_ROW = and_(
    pps_accrual.c.account_id == bindparam("of_account"), pps_accrual.c.period_ms == bindparam("of_period_ms")
)
_INSERT = insert(pps_accrual).values(
    account_id=bindparam("of_account"),
    period_ms=bindparam("of_period_ms"),
    earned_sat=bindparam("sat"),
    earned_psat=bindparam("psat"),
    settled=False,
)
_UPDATE = update(pps_accrual).where(_OF_ROW).values(earned_sat=bindparam("sat"), earned_psat=bindparam("psat"))
_INSERT_CARRY = insert(pps_carry).values(account_id=bindparam("of_account"), carry_psat=bindparam("psat"))
_UPDATE_CARRY = (
    update(pps_carry).where(pps_carry.c.account_id == bindparam("of_account")).values(carry_psat=bindparam("psat"))
)
_SETTLE = update(pps_accrual).where(_OF_ROW).values(settled=True)
