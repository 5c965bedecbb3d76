"""Journals that nobody appends to, compressed and removed to the last segment; pool/journal/former.py, retention.py."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pool.explain.find import NotFound, by_id
from pool.journal.former import FormerJournal
from pool.journal.inspect import segments_of, verify
from pool.journal.packing import Packing
from pool.journal.reader import OLDEST, Reader, RecordsGone, groups
from pool.journal.retention import Retention
from pool.journal.segments import segment_paths
from pool.journal.shipping import Shipping
from pool.journal.statistics import Statistics
from tests.pool.journal.fakes import FakeBoard, FakeStream, Ledger
from tests.pool.journal.samples import Bench, logged, nonces_in, records_of

DAY_S = 86_400
NOW_S = 100 * DAY_S
ALL = list(range(1, 11))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A journal of five segments, of two records each, written to 10, 9, 8, 7 and 6 days ago."""
    folder = tmp_path / "0-old"
    bench = Bench(folder, segment_bytes_max=320)
    for nonce in ALL:
        bench.commit(nonce)
    bench.close()
    for place, path in enumerate(segment_paths(folder)):
        os.utime(path, (NOW_S - (10 - place) * DAY_S,) * 2)
    assert firsts(folder) == [1, 3, 5, 7, 9]
    return folder


@pytest.fixture
def journal(folder: Path) -> Iterator[FormerJournal]:
    made = FormerJournal(folder)
    yield made
    made.close()


def retention(
    journal: FormerJournal,
    *,
    committed: Callable[[], int] = lambda: 10,
    folded: int = 10,
    keep_days: int = 1,
    names: threading.Lock | None = None,
) -> Retention:
    return Retention(
        journal.folder,
        keep_days,
        names or threading.Lock(),
        durable_seq=lambda: journal.durable_seq,
        folded_seq=lambda: folded,
        committed_seq=committed,
        end=journal.end,
        now_s=lambda: NOW_S,
    )


def firsts(folder: Path) -> list[int]:
    return [int(path.stem) for path in segment_paths(folder)]


class TestWhatGoes:
    def test_all_of_it_and_an_empty_segment_says_where_it_ended(self, journal: FormerJournal) -> None:
        with logged() as names:
            retention(journal).step()
        assert firsts(journal.folder) == [11]
        assert names == ["journal_shortened"] * 5
        assert list(groups(journal.folder, OLDEST)) == []

    def test_the_last_segment_stays_while_it_is_young(self, journal: FormerJournal) -> None:
        retention(journal, keep_days=7).step()
        assert firsts(journal.folder) == [7, 9]

    def test_once_all_is_gone_nothing_more_is_done(self, journal: FormerJournal) -> None:
        retention(journal).step()
        asked: list[int] = []
        for _ in range(2):
            retention(journal, committed=lambda: asked.append(1) or 10).step()  # type: ignore[func-returns-value]
        assert (firsts(journal.folder), asked) == ([11], [])

    def test_nor_in_the_next_run(self, journal: FormerJournal) -> None:
        retention(journal).step()
        journal.close()
        again = FormerJournal(journal.folder)
        assert again.durable_seq == 10
        retention(again).step()
        assert firsts(journal.folder) == [11]
        again.close()

    def test_a_journal_without_a_record_is_left_as_it_is(self, tmp_path: Path) -> None:
        Bench(tmp_path / "new").close()
        journal = FormerJournal(tmp_path / "new")
        retention(journal, committed=lambda: 0, folded=0).step()
        assert firsts(journal.folder) == [1]
        journal.close()

    @pytest.mark.parametrize("steps", range(14))
    def test_what_goes_while_it_is_compressed_does_not_come_back(self, journal: FormerJournal, steps: int) -> None:
        names = threading.Lock()
        packing = Packing(journal.folder, lambda: 10, names, lambda: 0.0)
        for _ in range(steps):
            packing.step()
        with logged() as events:
            retention(journal, names=names).step()
            while packing.step() == 0.0:
                pass
        assert [path.name for path in journal.folder.glob("*.seg*")] == ["0000000000000011.seg"]
        assert "journal_not_packed" not in events

    def test_all_but_the_last_is_compressed(self, journal: FormerJournal) -> None:
        packing = Packing(journal.folder, lambda: journal.durable_seq, threading.Lock(), lambda: 0.0)
        while packing.step() == 0.0:
            pass
        assert [path.suffix for path in segment_paths(journal.folder)] == [".segz"] * 4 + [".seg"]
        assert nonces_in(journal.folder) == ALL


class TestWhatIsLeftAlone:
    @pytest.mark.parametrize("committed", [0, 5, 9])
    def test_one_of_which_the_ledger_lacks_a_record(self, journal: FormerJournal, committed: int) -> None:
        with logged() as names:
            retention(journal, committed=lambda: committed).step()
        assert firsts(journal.folder) == [1, 3, 5, 7, 9]
        assert names == ["journal_not_removed"]

    def test_one_of_which_the_ledger_has_more(self, journal: FormerJournal) -> None:
        """Its last records may be others than those which the ledger has under these numbers."""
        with logged() as names:
            retention(journal, committed=lambda: 11).step()
        assert firsts(journal.folder) == [1, 3, 5, 7, 9]
        assert names == ["journal_not_removed"]

    def test_what_the_statistics_would_read_again(self, journal: FormerJournal) -> None:
        with logged() as names:
            retention(journal, folded=9).step()
        assert firsts(journal.folder) == [9]
        assert names == ["journal_shortened"] * 4 + ["journal_not_removed"]

    def test_one_that_was_closed_gets_no_end(self, journal: FormerJournal) -> None:
        """Somebody may append to it by now, and lose what stands behind that place."""
        late = retention(journal)
        journal.close()
        bench = Bench(journal.folder)
        bench.commit(11)
        bench.close()
        os.utime(segment_paths(journal.folder)[-1], (NOW_S - 6 * DAY_S,) * 2)
        with pytest.raises(OSError, match="closed"):
            late.step()
        assert [each.nonce for each in records_of(list(groups(journal.folder, OLDEST)))] == [9, 10, 11]  # type: ignore[union-attr]


class TestAfterwards:
    @pytest.fixture(autouse=True)
    def gone(self, journal: FormerJournal) -> None:
        retention(journal).step()
        journal.close()

    def test_a_range_that_is_used_again_goes_on_with_the_numbers(self, folder: Path) -> None:
        bench = Bench(folder)
        assert bench.journal.next_seq == 11
        bench.commit(11)
        bench.close()
        again = FormerJournal(folder)
        assert again.durable_seq == 11
        again.close()
        assert [each.nonce for each in records_of(list(groups(folder, OLDEST)))] == [11]  # type: ignore[union-attr]

    def test_removed_segments_may_be_put_back(self, folder: Path, tmp_path: Path) -> None:
        other = Bench(tmp_path / "copy", segment_bytes_max=320)  # of the same journal
        other.close()
        (tmp_path / "copy" / "frontend").write_text((folder / "frontend").read_text())
        for path in segment_paths(tmp_path / "copy"):
            path.unlink()
        copy = Bench(tmp_path / "copy", segment_bytes_max=320)
        for nonce in ALL:
            copy.commit(nonce)
        copy.close()
        for path in segment_paths(tmp_path / "copy"):
            path.rename(folder / path.name)
        # Their ordinals are those of a journal that began anew, as those of the removed ones were.
        again = FormerJournal(folder)
        assert again.durable_seq == 10
        again.close()
        assert nonces_in(folder) == ALL

    def test_who_asks_for_a_record_is_told_that_it_is_gone(self, folder: Path) -> None:
        frontend = (folder / "frontend").read_text().strip()
        with pytest.raises(NotFound, match="no record 3, or not any more"):
            by_id({frontend: folder}, f"{frontend}:3")
        with pytest.raises(RecordsGone, match="begins with record 11; record 3 "):
            Reader(folder, 3).read(10)

    def test_the_commands_find_it_whole_and_empty(self, folder: Path) -> None:
        [segment] = segments_of(folder)
        assert (segment.first_seq, segment.last_seq) == (11, None)
        assert verify(folder).shares == 0

    def test_a_ledger_that_has_all_of_it_asks_for_nothing(self, folder: Path) -> None:
        stream = FakeStream()
        shipping = Shipping(folder, (folder / "frontend").read_text().strip(), lambda: 10, stream)
        ledger = Ledger(stream)
        ledger.high_water[(folder / "frontend").read_text().strip()] = 10
        ledger.take()
        with logged() as names:
            shipping.step()
        assert (stream.entries, names) == ([], [])

    def test_a_ledger_that_lacks_records_is_told_that_they_are_gone(self, folder: Path) -> None:
        shipping = Shipping(folder, (folder / "frontend").read_text().strip(), lambda: 10, FakeStream())
        with logged() as names:
            for _ in range(20):
                shipping.step()
        assert names == ["journal_records_gone"]

    def test_statistics_that_are_lost_too_keep_no_thread_busy(self, folder: Path) -> None:
        frontend = (folder / "frontend").read_text().strip()
        statistics = Statistics(folder, frontend, lambda: 10, FakeBoard(), lambda: 0.0)
        assert statistics.step() > 0.0
