"""A stream between journals and accounting that forgets and fails on demand, and an accounting that reads it."""

from __future__ import annotations

from collections.abc import Callable

from pool.journal.records import decode
from pool.ports import ShareBatch, StoreUnavailable, StreamPlace
from pool.stats.tally import Snapshot, Tally
from pool.work.share import Share


class Failing:
    """Counts the places where Redis may fail, and fails at the one that was asked for."""

    def __init__(self) -> None:
        self.passed = 0
        self.fails_at: int | None = None
        self.down = False

    def here(self) -> None:
        place = self.passed
        self.passed += 1
        if self.down or place == self.fails_at:
            raise StoreUnavailable("Redis is away")


class FakeStream:
    """Satisfies `ShareStream` in memory. Each method may fail before and after it took effect."""

    def __init__(self) -> None:
        self.entries: list[ShareBatch] = []
        self.shipped: dict[str, int] = {}
        self.committed: dict[str, int] = {}
        self.failing = Failing()
        self.before_ship: Callable[[], None] = lambda: None

    def place(self, frontend: str) -> StreamPlace:
        self.failing.here()
        return StreamPlace(self.shipped.get(frontend), self.committed.get(frontend), len(self.entries))

    def ship(self, batch: ShareBatch, shipped: int | None) -> bool:
        self.before_ship()
        self.failing.here()
        if self.shipped.get(batch.frontend) != shipped:
            return False
        self.entries.append(batch)
        self.shipped[batch.frontend] = batch.last_seq
        self.failing.here()
        return True

    def flush(self) -> None:
        """Redis forgets everything."""
        self.entries.clear()
        self.shipped.clear()
        self.committed.clear()


class Ledger:
    """Accounting in a few lines: takes each record once, in order, and asks for what is missing."""

    def __init__(self, stream: FakeStream) -> None:
        self.stream = stream
        self.high_water: dict[str, int] = {}
        self.nonces: list[int] = []

    def take(self, count: int = 1_000_000) -> None:
        """Read batches from the stream and publish how far the ledger is."""
        for batch in self.stream.entries[:count]:
            high_water = self.high_water.get(batch.frontend, 0)
            if batch.first_seq > high_water + 1:
                self.stream.shipped.pop(batch.frontend, None)
            elif batch.last_seq > high_water:
                fresh = decode(batch.count, batch.payload)[high_water + 1 - batch.first_seq :]
                self.nonces += [record.nonce for record in fresh if isinstance(record, Share)]
                self.high_water[batch.frontend] = batch.last_seq
        del self.stream.entries[:count]
        self.stream.committed.update(self.high_water)


class FakeBoard:
    """Satisfies `TallyBoard` in memory."""

    def __init__(self) -> None:
        self.seq: int | None = None
        self.workers: dict[str, Tally] = {}
        self.wholes = 0
        self.failing = Failing()
        self.on_publish: Callable[[], None] = lambda: None

    def publish_tallies(self, frontend: str, snapshot: Snapshot, seq: int, *, previous: int | None) -> bool:
        self.failing.here()
        self.on_publish()
        if previous is None:
            self.wholes += 1
            self.workers = {}
        elif previous != self.seq:
            return False
        self.workers.update(snapshot.workers)
        for name in snapshot.forgotten:
            self.workers.pop(name, None)
        self.seq = seq
        self.failing.here()
        return True

    def flush(self) -> None:
        """Redis forgets everything."""
        self.seq = None
        self.workers = {}
