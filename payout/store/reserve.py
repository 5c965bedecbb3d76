"""What was decided about pay per share, and what the reserve stands against, in SQL."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, func, insert, select

from payout.accounts import Scheme
from payout.ports import Stop
from payout.pps import PSAT
from payout.store.accounts import standing_plans
from payout.store.statements import read_progress, write_progress
from pool.store.scheme_tables import pps_stop
from pool.store.sql import pps_accrual

_SHARE_HEIGHT = "share_height"


class SqlReserve:
    """Satisfies payout.ports.Reserve."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def stops(self) -> list[Stop]:
        """In order of their heights."""
        rows = self._connection.execute(select(pps_stop).order_by(pps_stop.c.from_height))
        return [Stop(row.from_height, row.is_stopped, row.decided_ms, row.reason) for row in rows]

    def stop(self, decided: Stop) -> None:
        """Keep a decision; its height is above those of all before."""
        self._connection.execute(
            insert(pps_stop).values(
                from_height=decided.from_height,
                is_stopped=decided.is_stopped,
                decided_ms=decided.decided_ms,
                reason=decided.reason,
            )
        )

    def seen_height(self) -> int:
        """The highest job of which a share is in the books."""
        return read_progress(self._connection, _SHARE_HEIGHT)

    def see_height(self, height: int) -> None:
        """A share of a higher job came."""
        write_progress(self._connection, _SHARE_HEIGHT, height)

    def lowest_fee_bps(self, schemes: Iterable[Scheme], time_ms: int) -> int | None:
        """The lowest fee of accounts that are under one of these schemes at a time or later; None without one."""
        plans = standing_plans(time_ms).subquery()
        wanted = plans.c.scheme.in_([scheme.value for scheme in schemes])
        lowest: int | None = self._connection.execute(select(func.min(plans.c.fee_bps)).where(wanted)).scalar_one()
        return lowest

    def accrued_psat(self) -> int:
        """What all accounts have earned per share and is not in the ledger."""
        sums = select(
            func.coalesce(func.sum(pps_accrual.c.earned_sat), 0), func.coalesce(func.sum(pps_accrual.c.earned_psat), 0)
        )
        sat, psat = self._connection.execute(sums.where(pps_accrual.c.settled.is_(False))).one()
        return int(sat) * PSAT + int(psat)
