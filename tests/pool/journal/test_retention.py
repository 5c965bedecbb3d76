"""Removing old segments; pool/journal/retention.py."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from pool.journal.packing import Packing
from pool.journal.reader import OLDEST, Reader, RecordsGone, groups
from pool.journal.retention import LedgerAway, Retention
from pool.journal.segments import segment_paths
from tests.pool.journal.samples import Bench, logged, nonces_in, records_of

DAY_S = 86_400
NOW_S = 100 * DAY_S


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A journal of five segments, of two records each, written to 10, 9, 8, 7 and 6 days ago."""
    folder = tmp_path / "journal"
    bench = Bench(folder, segment_bytes_max=320)
    for nonce in range(1, 11):
        bench.commit(nonce)
    bench.close()
    for place, path in enumerate(segment_paths(folder)):
        os.utime(path, (NOW_S - (10 - place) * DAY_S,) * 2)
    assert [int(path.stem) for path in segment_paths(folder)] == [1, 3, 5, 7, 9]
    return folder


class Ledger:
    """What the others say that they have."""

    def __init__(self) -> None:
        self.committed_seq = self.folded_seq = self.durable_seq = 10
        self.away = False

    def ask(self) -> int:
        if self.away:
            raise LedgerAway("the database cannot be reached")
        return self.committed_seq


def retention(folder: Path, ledger: Ledger, keep_days: int = 1, names: threading.Lock | None = None) -> Retention:
    return Retention(
        folder,
        keep_days,
        names or threading.Lock(),
        durable_seq=lambda: ledger.durable_seq,
        folded_seq=lambda: ledger.folded_seq,
        committed_seq=ledger.ask,
        now_s=lambda: NOW_S,
    )


def firsts(folder: Path) -> list[int]:
    return [int(path.stem) for path in segment_paths(folder)]


def test_segments_older_than_so_many_days_go(folder: Path) -> None:
    retention(folder, Ledger(), keep_days=8).step()
    assert firsts(folder) == [5, 7, 9]


def test_the_last_segment_stays_however_old_it_is(folder: Path) -> None:
    retention(folder, Ledger()).step()
    assert firsts(folder) == [9]


def test_the_numbers_go_on(folder: Path) -> None:
    retention(folder, Ledger()).step()
    bench = Bench(folder)
    assert bench.journal.next_seq == 11
    bench.commit(11)
    assert [record.nonce for record in records_of(Reader(folder, OLDEST).read())] == [9, 10, 11]  # type: ignore[union-attr]


def test_nothing_goes_that_is_younger(folder: Path) -> None:
    retention(folder, Ledger(), keep_days=11).step()
    assert nonces_in(folder) == list(range(1, 11))


def test_nothing_goes_of_which_the_ledger_lacks_a_record(folder: Path) -> None:
    ledger = Ledger()
    ledger.committed_seq = 5
    with logged() as names:
        retention(folder, ledger).step()
    assert firsts(folder) == [5, 7, 9]
    assert names == ["journal_shortened", "journal_shortened", "journal_not_removed"]


def test_nothing_goes_while_the_ledger_knows_nothing_of_the_journal(folder: Path) -> None:
    ledger = Ledger()
    ledger.committed_seq = 0
    retention(folder, ledger).step()
    assert firsts(folder) == [1, 3, 5, 7, 9]


def test_nothing_goes_of_an_old_copy(folder: Path) -> None:
    """Shares that it got since have numbers under which the ledger has others."""
    ledger = Ledger()
    ledger.committed_seq = 11
    with logged() as names:
        retention(folder, ledger).step()
    assert firsts(folder) == [1, 3, 5, 7, 9]
    assert names == ["journal_not_removed"]


def test_what_is_relied_on_is_on_the_disk_before_anything_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[str, list[int]]] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append((Path(os.readlink(f"/proc/self/fd/{descriptor}")).name, firsts(folder)))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    retention(folder, Ledger()).step()
    whole = [1, 3, 5, 7, 9]
    assert synced[:3] == [("0000000000000009.seg", whole), ("journal", whole), ("journal", [3, 5, 7, 9])]


def test_nothing_goes_while_the_ledger_cannot_be_asked(folder: Path) -> None:
    ledger = Ledger()
    ledger.away = True
    work = retention(folder, ledger)
    with logged() as names:
        work.step()
        work.step()
    assert firsts(folder) == [1, 3, 5, 7, 9]
    assert names == ["journal_not_removed"]


def test_nothing_goes_that_the_statistics_would_read_again(folder: Path) -> None:
    ledger = Ledger()
    ledger.folded_seq = 4
    retention(folder, ledger).step()
    assert firsts(folder) == [5, 7, 9]


def test_the_segment_that_the_statistics_end_in_stays(folder: Path) -> None:
    ledger = Ledger()
    ledger.folded_seq = 3
    retention(folder, ledger).step()
    assert firsts(folder) == [3, 5, 7, 9]


def test_an_old_one_behind_a_young_one_stays(folder: Path) -> None:
    os.utime(segment_paths(folder)[0], (NOW_S, NOW_S))
    retention(folder, Ledger()).step()
    assert firsts(folder) == [1, 3, 5, 7, 9]


def test_of_a_segment_that_is_there_twice_both_go(folder: Path) -> None:
    plain = segment_paths(folder)[0]
    content = plain.read_bytes()
    packing = Packing(folder, lambda: 10, threading.Lock(), lambda: 0.0)
    while packing.step() == 0.0:
        pass
    plain.write_bytes(content)
    assert firsts(folder) == [1, 1, 3, 5, 7, 9]
    retention(folder, Ledger(), keep_days=9).step()
    assert firsts(folder) == [3, 5, 7, 9]


@pytest.mark.parametrize("steps", range(8))
def test_a_segment_that_goes_while_it_is_compressed_does_not_come_back(folder: Path, steps: int) -> None:
    names = threading.Lock()
    packing = Packing(folder, lambda: 10, names, lambda: 0.0)
    for _ in range(steps):
        packing.step()
    with logged() as events:
        retention(folder, Ledger(), keep_days=7, names=names).step()
        while packing.step() == 0.0:
            pass
    assert firsts(folder) == [7, 9]
    assert [path.name for path in folder.glob("*.new")] == []
    assert [record.nonce for record in records_of(list(groups(folder, OLDEST)))] == [7, 8, 9, 10]  # type: ignore[union-attr]
    assert "journal_not_packed" not in events


def test_who_begins_before_what_is_kept_is_told_so(folder: Path) -> None:
    retention(folder, Ledger(), keep_days=8).step()
    with pytest.raises(RecordsGone, match="begins with record 5; record 1 "):
        list(groups(folder))
