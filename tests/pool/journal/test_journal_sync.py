"""What a commit waits for, and what becomes of it when a sync fails; pool/journal/journal.py."""

import errno
from pathlib import Path

import pytest

from pool.journal.journal import UNSYNCED_BYTES_MAX, Durability
from tests.pool.journal.samples import Bench, nonces_in, result_of, size_of_last

EIO = OSError(errno.EIO, "Input/output error")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


class TestRelaxed:
    def test_a_commit_does_not_wait_for_the_disk(self, folder: Path) -> None:
        bench = Bench(folder, held=True)
        bench.commit(1)
        assert bench.journal.durable_seq == 0

    def test_records_are_durable_after_the_window(self, folder: Path) -> None:
        bench = Bench(folder)
        bench.commit(1)
        bench.commit(2)
        bench.clock.advance(0.2)
        assert bench.journal.durable_seq == 2

    def test_records_written_during_a_sync_are_durable_after_the_next_window(self, folder: Path) -> None:
        bench = Bench(folder, held=True)
        bench.commit(1)
        bench.clock.advance(0.2)
        bench.commit(2)
        bench.held.release()
        assert bench.journal.durable_seq == 1
        bench.clock.advance(0.2)
        bench.held.release()
        assert bench.journal.durable_seq == 2

    def test_an_idle_journal_leaves_the_disk_alone(self, folder: Path) -> None:
        bench = Bench(folder, held=True)
        bench.commit(1)
        bench.clock.advance(0.2)
        bench.held.release()
        bench.clock.advance(10)
        assert bench.held.calls == []

    def test_closing_puts_everything_on_disk(self, folder: Path) -> None:
        bench = Bench(folder)
        bench.commit(1)
        bench.close()
        assert bench.journal.durable_seq == 1

    def test_closing_waits_for_the_sync_that_runs_and_for_what_came_after_it(self, folder: Path) -> None:
        bench = Bench(folder, held=True)
        bench.commit(1)
        bench.clock.advance(0.2)
        bench.commit(2)
        closed = bench.start_close()
        bench.held.release()
        assert not closed.called
        bench.held.release()
        result_of(closed)
        assert bench.journal.durable_seq == 2

    def test_what_comes_after_the_close_is_refused_and_touches_no_file_of_the_next_process(self, folder: Path) -> None:
        bench = Bench(folder)
        bench.commit(1)
        bench.close()
        successor = Bench(folder)
        successor.commit(2)
        with pytest.raises(OSError, match="the journal is closed"):
            bench.commit(3)
        bench.clock.advance(100)
        successor.commit(4)
        assert nonces_in(folder) == [1, 2, 4]
        successor.close()

    def test_acknowledged_records_are_written_again_when_their_sync_failed(self, folder: Path) -> None:
        bench = Bench(folder)
        bench.commit(1)
        bench.clock.advance(0.2)
        bench.commit(2)
        bench.commit(3)
        bench.inline.fails = [EIO]
        bench.clock.advance(0.2)
        assert bench.journal.durable_seq == 3
        assert sorted(path.name for path in folder.glob("*.seg"))[-1] == "0000000000000002.seg"
        bench.commit(4)
        assert nonces_in(folder) == [1, 2, 3, 4]

    def test_commits_are_refused_until_the_new_segment_is_on_disk(self, folder: Path) -> None:
        bench = Bench(folder)
        bench.commit(1)
        bench.inline.fails = [EIO, EIO]
        bench.clock.advance(0.2)
        with pytest.raises(OSError, match="waits for a new segment"):
            bench.commit(99)
        bench.clock.advance(1.0)
        bench.commit(2)
        assert nonces_in(folder) == [1, 2]

    def test_a_disk_that_stops_answering_does_not_fill_the_memory(self, folder: Path) -> None:
        bench = Bench(folder, held=True)
        while size_of_last(folder) <= UNSYNCED_BYTES_MAX:
            bench.commit(*range(5000))
        with pytest.raises(OSError, match="does not keep up"):
            bench.commit(1)


class TestFsync:
    def test_a_commit_waits_for_the_disk(self, folder: Path) -> None:
        bench = Bench(folder, Durability.FSYNC, held=True)
        bench.append(1)
        done = bench.start_commit()
        assert not done.called
        bench.held.release()
        result_of(done)

    def test_commits_that_arrive_during_a_sync_share_the_next_one(self, folder: Path) -> None:
        bench = Bench(folder, Durability.FSYNC, held=True)
        bench.append(1)
        first = bench.start_commit()
        waiting = []
        for nonce in (2, 3, 4):
            bench.append(nonce)
            waiting.append(bench.start_commit())
        bench.held.release()
        assert (first.called, [each.called for each in waiting]) == (True, [False, False, False])
        assert len(bench.held.calls) == 1
        bench.held.release()
        assert [each.called for each in waiting] == [True, True, True]

    def test_a_failed_sync_refuses_its_records_and_they_are_gone(self, folder: Path) -> None:
        bench = Bench(folder, Durability.FSYNC)
        bench.commit(1)
        bench.inline.fails = [EIO]
        with pytest.raises(OSError, match="Input/output"):
            bench.commit(98, 99)
        bench.commit(2)
        assert nonces_in(folder) == [1, 2]

    def test_a_failed_sync_of_the_first_group_of_a_segment_replaces_it(self, folder: Path) -> None:
        bench = Bench(folder, Durability.FSYNC)
        bench.inline.fails = [EIO]
        with pytest.raises(OSError, match="Input/output"):
            bench.commit(99)
        bench.commit(1)
        assert nonces_in(folder) == [1]
        assert len(list(folder.glob("*.seg"))) == 1

    def test_a_failed_sync_also_refuses_what_was_written_behind_it(self, folder: Path) -> None:
        bench = Bench(folder, Durability.FSYNC, held=True)
        bench.append(98)
        first = bench.start_commit()
        bench.append(99)
        second = bench.start_commit()
        bench.held.break_down(EIO)
        for done in (first, second):
            with pytest.raises(OSError, match="Input/output"):
                result_of(done)
        bench.held.release()
        assert nonces_in(folder) == []

    def test_a_group_that_was_open_when_the_sync_failed_is_refused_whole(self, folder: Path) -> None:
        bench = Bench(folder, Durability.FSYNC, held=True)
        bench.append(97)
        first = bench.start_commit()
        bench.append(98)
        bench.held.break_down(EIO)
        bench.held.release()  # the new segment is there before the turn ends
        bench.append(99)
        with pytest.raises(OSError, match="Input/output"):
            result_of(first)
        with pytest.raises(OSError, match="waits for a new segment"):
            bench.commit()
        assert bench.append(1) == [1]

    def test_segments_behind_the_failed_one_are_superseded(self, folder: Path) -> None:
        bench = Bench(folder, Durability.FSYNC, held=True, segment_bytes_max=300)
        refused = []
        for nonce in range(90, 96):
            bench.append(nonce)
            refused.append(bench.start_commit())
        bench.held.break_down(EIO)
        for done in refused:
            with pytest.raises(OSError, match="Input/output"):
                result_of(done)
        bench.held.release()
        assert [path.name for path in folder.glob("*.seg")] == ["0000000000000001.seg"]
        bench.append(1)
        done = bench.start_commit()
        bench.held.release()
        result_of(done)
        assert nonces_in(folder) == [1]

    def test_the_same_file_is_never_synced_again_after_a_failure(self, folder: Path) -> None:
        bench = Bench(folder, Durability.FSYNC)
        inode = next(folder.glob("*.seg")).stat().st_ino
        bench.inline.fails = [EIO]
        with pytest.raises(OSError, match="Input/output"):
            bench.commit(99)
        assert next(folder.glob("*.seg")).stat().st_ino != inode
