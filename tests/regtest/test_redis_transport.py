"""From the journal through a real Redis into a ledger, while both fail: nothing is lost, nothing doubled."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from twisted.logger import capturedLogs

from pool.journal.records import decode
from pool.journal.shipper import Shipper
from pool.journal.shipping import STREAM_ENTRIES_MAX
from pool.ports import ShareBatch, StoreUnavailable
from pool.stats.tally import Tallies
from pool.work.share import Share
from tests.pool.journal.samples import Bench, fold, share
from tests.regtest.redis_child import RedisChild, redis_child

# The longest wait of a shipper whose Redis was away is 5 s.
PATIENCE_SECONDS = 60.0


@pytest.fixture
def child() -> Iterator[RedisChild]:
    with redis_child() as started:
        yield started


class Accounting:
    """The accounting role in a few lines: the ledger is a list, and the high-water mark moves with it."""

    def __init__(self, child: RedisChild) -> None:
        self._store = child.store
        self.high_water: dict[str, int] = {}
        self.nonces: list[int] = []

    def take(self) -> None:
        """Take what is there; Redis may be away."""
        try:
            self._store.publish_hwm(self.high_water)
            for batch in self._store.read_shares("0", 100, 50):
                self._take_one(batch)
                self._store.publish_hwm(self.high_water)
                self._store.trim(batch.entry_id)
        except StoreUnavailable:
            return

    def _take_one(self, batch: ShareBatch) -> None:
        high_water = self.high_water.get(batch.frontend, 0)
        if batch.first_seq > high_water + 1:
            self._store.forget_shipped(batch.frontend, high_water)
        elif batch.last_seq > high_water:
            fresh = decode(batch.count, batch.payload)[high_water + 1 - batch.first_seq :]
            self.nonces += [record.nonce for record in fresh if isinstance(record, Share)]
            self.high_water[batch.frontend] = batch.last_seq


class Line:
    """A journal with its shipper at work, and accounting when it is called."""

    def __init__(self, folder: Path, child: RedisChild) -> None:
        self.bench = Bench(folder, segment_bytes_max=20_000)
        self.child = child
        self.accounting = Accounting(child)
        self.written: list[int] = []
        self.shipper = Shipper(self.bench.journal, child.store)
        self.shipper.start()

    def write(self, count: int, groups_of: int = 10) -> None:
        for start in range(len(self.written), len(self.written) + count, groups_of):
            nonces = range(start, min(start + groups_of, start + count))
            self.bench.commit(*nonces)
            self.written += nonces
        self.bench.clock.advance(1.0)

    def restart_shipper(self) -> None:
        self.shipper.stop()
        self.shipper = Shipper(self.bench.journal, self.child.store)
        self.shipper.start()

    def settle(self) -> None:
        """Accounting works until it has as many as were written."""
        until(self.accounting.take, lambda: len(self.accounting.nonces) >= len(self.written))


def until(work: Callable[[], None], done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done() and time.monotonic() < deadline:
        work()


def nap() -> None:
    time.sleep(0.02)


@pytest.fixture
def line(child: RedisChild, tmp_path: Path) -> Iterator[Line]:
    line = Line(tmp_path / "journal", child)
    yield line
    line.shipper.stop()
    line.bench.close()


def kill(child: RedisChild) -> None:
    assert child.server.pid is not None
    os.kill(child.server.pid, signal.SIGKILL)
    child.server.stop()


def test_every_share_arrives_once_and_in_order(line: Line) -> None:
    line.write(5000)
    line.settle()
    assert line.accounting.nonces == line.written


def test_a_flush_in_the_middle_loses_and_doubles_nothing(line: Line) -> None:
    for _ in range(5):
        line.write(700)
        line.accounting.take()
        line.child.client.flushall()
        line.accounting.take()
        line.write(300)
    line.settle()
    assert line.accounting.nonces == line.written


def test_a_kill_of_redis_loses_and_doubles_nothing(line: Line) -> None:
    line.write(2000)
    line.accounting.take()
    kill(line.child)
    line.write(2000)
    line.accounting.take()
    line.child.server.start()
    line.write(1000)
    line.settle()
    assert line.accounting.nonces == line.written


def test_a_redis_that_comes_back_empty_loses_and_doubles_nothing(line: Line) -> None:
    line.write(2000)
    line.accounting.take()
    kill(line.child)
    for path in (line.child.folder / "redis" / "appendonlydir").iterdir():
        path.unlink()
    line.child.server.start()
    line.write(1000)
    line.settle()
    assert line.accounting.nonces == line.written


def test_a_restart_of_the_shipper_loses_and_doubles_nothing(line: Line) -> None:
    for _ in range(3):
        line.write(1500)
        line.restart_shipper()
        line.accounting.take()
    line.settle()
    assert line.accounting.nonces == line.written


def test_a_read_only_redis_is_waited_for(line: Line) -> None:
    line.write(500)
    line.settle()
    line.child.client.replicaof("127.0.0.1", 1)
    line.write(500)
    line.accounting.take()
    line.child.client.replicaof("NO", "ONE")
    line.settle()
    assert line.accounting.nonces == line.written


def test_a_full_redis_is_waited_for(line: Line) -> None:
    line.child.client.config_set("maxmemory", 1)
    line.write(500)
    line.accounting.take()
    line.child.client.config_set("maxmemory", 0)
    line.settle()
    assert line.accounting.nonces == line.written


def test_a_ledger_restored_from_a_backup_gets_what_it_lacks(line: Line) -> None:
    line.write(2000)
    line.settle()
    line.accounting.high_water[line.bench.journal.frontend] = 1000
    del line.accounting.nonces[1000:]
    line.write(10)
    line.settle()
    assert line.accounting.nonces == line.written


def test_without_accounting_the_stream_stays_within_its_limit(line: Line) -> None:
    for entry in range(STREAM_ENTRIES_MAX):
        line.child.client.xadd("steppe:shares", {"f": "f" * 16, "s": entry + 2, "n": 1, "d": b""})
    with capturedLogs() as captured:
        line.write(2000)
        until(nap, lambda: any(event.get("event") == "share_stream_full" for event in captured))
    assert line.child.store.place(line.bench.journal.frontend).entries <= STREAM_ENTRIES_MAX + 1
    line.settle()
    assert line.accounting.nonces == line.written


def test_the_statistics_are_whole_again_after_a_flush(line: Line) -> None:
    line.write(1000)
    expected = Tallies()
    fold(expected, [share(nonce) for nonce in line.written])
    store = line.child.store
    for _ in range(2):
        until(nap, lambda: [row.tally.accepted for row in store.read_workers(0)] == [1000])
        assert {row.name: row.tally for row in store.read_workers(0)} == expected.snapshot().workers
        line.child.client.flushall()


def test_what_was_written_last_is_shipped_when_the_role_ends(line: Line) -> None:
    line.write(1234)
    line.shipper.stop()
    line.settle()
    assert line.accounting.nonces == line.written
