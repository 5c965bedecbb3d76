"""Journals that nobody appends to any more, shipped by the first stratum process."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from pool.journal import folder as journal_folder
from pool.journal.former import FormerJournal, FormerJournals, former_name
from pool.journal.found import FoundBlocks
from pool.journal.segments import JournalBusy, segment_paths
from pool.journal.shipper import Shipper
from pool.stats.tally import Snapshot
from pool.work.share import Share
from tests.pool.journal.fakes import FakeStream
from tests.pool.journal.samples import JOB, Bench, share
from tests.pool.node.captured import captured_events, names

SECONDS_MAX = 60.0


class FakeStore(FakeStream):
    """Redis with a board for tallies."""

    def publish_tallies(self, frontend: str, snapshot: Snapshot, seq: int, *, previous: int | None) -> bool:
        return True


def journal(folder: Path, shares: int) -> str:
    bench = Bench(folder)
    bench.journal.append(JOB)
    for nonce in range(1, shares + 1):
        bench.commit(nonce)
    bench.close()
    return bench.journal.frontend


def block(nonce: int) -> Share:
    """A share that is a block."""
    return msgspec.structs.replace(share(nonce), block_hash=bytes([nonce]) * 32)


def test_a_folder_is_named_by_its_range_and_its_journal() -> None:
    assert former_name("7", "0123456789abcdef") == "7-01234567"


def test_its_last_record_is_known_and_it_is_locked(tmp_path: Path) -> None:
    frontend = journal(tmp_path / "old", 3)
    former = FormerJournal(tmp_path / "old")
    assert (former.frontend, former.durable_seq) == (frontend, 4)
    with pytest.raises(JournalBusy):
        journal_folder.lock(tmp_path / "old")
    former.close()
    os.close(journal_folder.lock(tmp_path / "old"))


def test_what_was_being_written_at_the_end_is_cut_off(tmp_path: Path) -> None:
    journal(tmp_path / "old", 3)
    [segment] = segment_paths(tmp_path / "old")
    with segment.open("ab") as file:
        file.write(b"half")
    former = FormerJournal(tmp_path / "old")
    assert former.durable_seq == 4
    former.close()


def test_those_of_the_ranges_are_left_alone_and_all_others_are_shipped(tmp_path: Path) -> None:
    journal(tmp_path / "0", 1)
    old = journal(tmp_path / "0-old", 2)
    stores: list[FakeStore] = []

    def store() -> FakeStore:
        stores.append(FakeStore())
        return stores[-1]

    former = FormerJournals(tmp_path, {"0"}, tmp_path / "found", store, 0, committed_seq=lambda frontend: 0)
    former.start()
    former.stop()
    [stream] = stores
    assert {batch.frontend for batch in stream.entries} == {old}
    assert sum(batch.count for batch in stream.entries) == 3


def test_one_that_is_in_use_or_damaged_keeps_no_other_waiting(tmp_path: Path) -> None:
    journal(tmp_path / "a", 1)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "frontend").write_text("no id\n")
    journal(tmp_path / "c", 1)
    busy = journal_folder.lock(tmp_path / "a")
    opened: list[FakeStore] = []

    def store() -> FakeStore:
        opened.append(FakeStore())
        return opened[-1]

    former = FormerJournals(tmp_path, set(), tmp_path / "found", store, 0, committed_seq=lambda frontend: 0)
    former.start()
    former.stop()
    os.close(busy)
    assert len(opened) == 1


class TestUpkeep:
    """The threads that keep former journals small."""

    KEEP_DAYS = 1

    @pytest.fixture
    def old(self, tmp_path: Path) -> Path:
        """A journal of three records that nobody wrote to for a week, with its statistics kept."""
        folder = tmp_path / "0-old"
        bench = Bench(folder)
        for record in (JOB, share(1), block(2)):
            bench.journal.append(record)
        bench.commit()
        bench.close()
        former = FormerJournal(folder)
        shipper = Shipper(former, FakeStore())
        shipper.loops[1].attempt()
        shipper.stop()
        former.close()
        for path in segment_paths(folder):
            os.utime(path, (time.time() - 7 * 86_400,) * 2)
        return folder

    def run(self, root: Path, keep_days: int, until: str | None = None) -> list[str]:
        """The names of the events of a run in which the ledger has all three records of each: up to an event, or for
        a moment."""
        with captured_events() as events, self.running(root, keep_days):
            deadline = time.monotonic() + (0.3 if until is None else SECONDS_MAX)
            while until not in names(events) and time.monotonic() < deadline:
                time.sleep(0.01)
        return names(events)

    @contextmanager
    def running(self, root: Path, keep_days: int) -> Iterator[None]:
        former = FormerJournals(root, {"0"}, root / "found", FakeStore, keep_days, committed_seq=lambda frontend: 3)
        former.start()
        yield
        former.stop()

    def test_what_is_old_and_in_the_ledger_goes(self, old: Path) -> None:
        found = self.run(old.parent, self.KEEP_DAYS, until="journal_shortened")
        assert [path.name for path in segment_paths(old)] == ["0000000000000004.seg"]
        assert "journal_shortened" in found
        assert (old / "frontend").exists()
        assert (old / "statistics.json").exists()

    def test_it_stays_for_ever_if_journals_are_kept_so(self, old: Path) -> None:
        assert "journal_shortened" not in self.run(old.parent, 0)
        assert [path.name for path in segment_paths(old)] == ["0000000000000001.seg"]

    @pytest.mark.parametrize("name", ["0", "0-older"])
    def test_of_one_that_is_there_twice_nothing_goes_and_all_is_shipped(self, old: Path, name: str) -> None:
        """The ledger's numbers may be those of the other one, whose records are others."""
        shutil.copytree(old, old.parent / name)
        found = self.run(old.parent, self.KEEP_DAYS)
        assert "journal_not_removed" in found
        assert "journal_shortened" not in found
        assert [path.name for path in segment_paths(old)] == ["0000000000000001.seg"]

    @pytest.mark.parametrize(("nonce", "goes"), [(2, True), (3, False)])
    def test_it_stays_while_it_lacks_a_block_that_its_next_process_appends(
        self, old: Path, nonce: int, goes: bool
    ) -> None:
        """And goes once nothing is left to append: that process must not take what was removed for what is missing."""
        frontend = journal_folder.frontend_of(old)
        kept = FoundBlocks(old.parent / "found" / "0-old", old, frontend, lambda: 0)
        kept.note(block(nonce), JOB)
        kept.close()
        found = self.run(old.parent, self.KEEP_DAYS, until="journal_shortened" if goes else None)
        assert ("journal_shortened" in found, "journal_not_removed" in found) == (goes, not goes)
        again = FoundBlocks(old.parent / "found" / "0-old", old, frontend, lambda: 3)
        assert len(again.missing()) == (not goes)
        again.close()
