"""The end of a journal's threads; pool/journal/shipper.py. Their work is in test_shipping and test_statistics."""

from pathlib import Path

import pytest

from pool.journal.shipper import Shipper
from pool.journal.shipping import BATCH_RECORDS_MAX
from tests.pool.journal.fakes import FakeBoard, FakeStream, Ledger
from tests.pool.journal.samples import Bench


class FakeStore(FakeStream, FakeBoard):
    """Satisfies `Store` in memory."""

    def __init__(self) -> None:
        FakeBoard.__init__(self)
        FakeStream.__init__(self)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "journal")


def test_what_a_closed_journal_still_holds_is_shipped_at_the_end(bench: Bench) -> None:
    store = FakeStore()
    shipper = Shipper(bench.journal, store)
    for _ in range(3):
        bench.commit(*range(BATCH_RECORDS_MAX))
    bench.close()
    shipper.stop()
    ledger = Ledger(store)
    ledger.take()
    assert len(ledger.nonces) == 3 * BATCH_RECORDS_MAX


def test_the_counts_are_kept_at_the_end(bench: Bench) -> None:
    Shipper(bench.journal, FakeStore()).stop()
    assert (bench.folder / "statistics.json").exists()


def test_a_redis_that_is_away_does_not_keep_it_from_ending(bench: Bench) -> None:
    store = FakeStore()
    store.failing.down = True
    bench.commit(1)
    bench.close()
    Shipper(bench.journal, store).stop()
    assert store.entries == []


def test_both_threads_end_when_told(bench: Bench) -> None:
    shipper = Shipper(bench.journal, FakeStore())
    shipper.start()
    shipper.stop()
    assert not any(loop.is_alive for loop in shipper.loops)
