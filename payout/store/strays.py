"""What should not be, in SQL: blocks that pay the pool and that it does not know, and guards that are gone."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from payout.store.statements import read_progress, write_progress
from payout.watch_ports import Stray
from pool.store import guards
from pool.store.sql import block
from pool.store.watch_tables import stray_block, stray_block_end

_BEGAN, _SCANNED = "scan_began", "scan_height"


class SqlStrays:
    """Satisfies payout.ports.Strays."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self) -> list[Stray]:
        """Those that nobody has looked at, and that are still not in the books, by height."""
        known = select(block.c.hash).where(block.c.hash == stray_block.c.block_hash).exists()
        ended = select(stray_block_end.c.block_hash).where(stray_block_end.c.block_hash == stray_block.c.block_hash)
        rows = select(stray_block).where(~known, ~ended.exists()).order_by(stray_block.c.height)
        return [Stray(*row) for row in self._connection.execute(rows)]

    def add(self, stray: Stray) -> bool:
        """Keep one; False if it was kept before."""
        before = select(stray_block.c.height).where(stray_block.c.block_hash == stray.block_hash)
        if self._connection.execute(before).one_or_none() is not None:
            return False
        self._connection.execute(
            insert(stray_block).values(
                block_hash=stray.block_hash, height=stray.height, seen_ms=stray.seen_ms, paid_sat=stray.paid_sat
            )
        )
        return True

    def end(self, block_hash: bytes, time_ms: int, reason: str) -> bool:
        """Nobody needs to hear of it any more; False if it is not open."""
        if block_hash not in {stray.block_hash for stray in self.open()}:
            return False
        self._connection.execute(insert(stray_block_end).values(block_hash=block_hash, time_ms=time_ms, reason=reason))
        return True

    def scanned(self) -> tuple[int, int]:
        """The heights from which and up to which the chain was looked through; 0 before the first time."""
        return read_progress(self._connection, _BEGAN), read_progress(self._connection, _SCANNED)

    def scan(self, began: int, height: int) -> None:
        """It was looked through from there up to here."""
        write_progress(self._connection, _BEGAN, began)
        write_progress(self._connection, _SCANNED, height)


class SqlGuards:
    """Satisfies payout.ports.Guards."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def look(self) -> guards.Guards:
        """How it stands."""
        return guards.look(self._connection)

    def put_back(self) -> tuple[str, ...]:
        """Make those again that are missing; which these were."""
        return guards.put_back(self._connection)
