"""What a hash was worth over time, in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import asdict
from sqlalchemy import Connection, insert, select

from payout.epochs import NetworkEpoch, changes
from pool.store.report_tables import network_epoch


class SqlEpochs:
    """Satisfies payout.epochs.Epochs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def see(self, risen: Sequence[NetworkEpoch]) -> None:
        """Keep of heights that rise what differs from the one before."""
        if not risen:
            return
        newest = select(network_epoch).order_by(network_epoch.c.from_height.desc()).limit(1)
        row = self._connection.execute(newest).one_or_none()
        fresh = list(changes(None if row is None else NetworkEpoch(*row), risen))
        if fresh:
            self._connection.execute(insert(network_epoch), [asdict(each) for each in fresh])

    def every(self) -> list[NetworkEpoch]:
        """All of them, in order."""
        rows = self._connection.execute(select(network_epoch).order_by(network_epoch.c.from_height))
        return [NetworkEpoch(*row) for row in rows]
