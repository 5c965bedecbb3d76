"""Leases in SQL: a row each, with a fence that rises whenever the holder changes."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from payout.payment_ports import LeaseLost
from pool.store.sql import lease


class SqlLeases:
    """Satisfies payout.payment_ports.Leases. Only under the writer's lock is taking one safe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, name: str, holder: str, now_ms: int, until_ms: int, dead: str | None) -> int | None:
        """The fence of this holder; None while somebody else has it."""
        row = self._connection.execute(select(lease).where(lease.c.name == name)).one_or_none()
        if row is None:
            self._connection.execute(insert(lease).values(name=name, holder=holder, fence=1, expires_ms=until_ms))
            return 1
        if row.holder != holder and row.expires_ms > now_ms and row.holder != dead:
            return None
        fence = row.fence if row.holder == holder else row.fence + 1
        self._connection.execute(
            update(lease).where(lease.c.name == name).values(holder=holder, fence=fence, expires_ms=until_ms)
        )
        return int(fence)

    def holder(self, name: str) -> str | None:
        """Who has it, or had it last."""
        return self._connection.execute(select(lease.c.holder).where(lease.c.name == name)).scalar_one_or_none()

    def check(self, name: str, fence: int) -> None:
        """Raises LeaseLost if it was taken since."""
        row = self._connection.execute(select(lease.c.fence, lease.c.holder).where(lease.c.name == name)).one_or_none()
        if row is None or row.fence != fence:
            by = "nobody" if row is None else row.holder
            raise LeaseLost(f"{by} has the lease {name!r} now: this process does nothing more until that is free")

    def give_back(self, name: str, fence: int) -> None:
        """Let the next one have it at once."""
        self._connection.execute(update(lease).where(lease.c.name == name, lease.c.fence == fence).values(expires_ms=0))
