"""Charges for energy, in SQL. What of one is posted, the ledger says."""

from __future__ import annotations

from sqlalchemy import Connection, Text, and_, cast, func, insert, literal, select

from payout.charges import EnergyCharge
from payout.store.statements import next_id
from pool.fleet.energy import Due
from pool.store.fleet_tables import fleet_charge
from pool.store.sql import entry, journal


class SqlCharges:
    """All charges there are."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def charged(self) -> set[int]:
        """The readings that are charged."""
        return set(self._connection.execute(select(fleet_charge.c.reading)).scalars())

    def add(self, dues: list[Due], now_ms: int) -> None:
        """Keep what is due, once for ever."""
        if not dues:
            return
        first = next_id(self._connection, fleet_charge)
        rows = [
            {"id": number, "made_ms": now_ms} | {name: getattr(due, name) for name in due.__struct_fields__}
            for number, due in enumerate(dues, first)
        ]
        self._connection.execute(insert(fleet_charge), rows)

    def every(self) -> list[EnergyCharge]:
        """All of them, oldest first, with what is posted."""
        ref = literal("energy:", Text) + cast(fleet_charge.c.id, Text)
        posted = (
            select(
                fleet_charge,
                func.coalesce(func.sum(-entry.c.amount_sat), 0).label("posted_sat"),
                func.count(entry.c.journal_id).label("postings"),
            )
            .outerjoin(journal, and_(journal.c.ref == ref, journal.c.kind == "energy"))
            .outerjoin(entry, and_(entry.c.journal_id == journal.c.id, entry.c.amount_sat < 0))
            .group_by(fleet_charge.c.id)
            .order_by(fleet_charge.c.id)
        )
        return [
            EnergyCharge(row.id, row.reading, row.account, row.party, row.amount_sat, int(row.posted_sat), row.postings)
            for row in self._connection.execute(posted)
        ]
