"""The share journal; pool/journal/journal.py."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pool.journal.format import GROUP_BYTES_MAX
from pool.journal.journal import UNSYNCED_BYTES_MAX, Durability
from pool.journal.reader import groups
from pool.journal.segments import JournalBusy
from pool.ports import ShareLog
from tests.pool.journal.samples import JOB, Bench, nonces_in, records_of, result_of, share

EIO = OSError(errno.EIO, "Input/output error")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Within: no file grows beyond `size` bytes, and a write across the limit is short, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def size_of_last(folder: Path) -> int:
    return sorted(folder.glob("*.seg"))[-1].stat().st_size


class TestAppendAndCommit:
    def test_it_is_a_share_log(self, folder: Path) -> None:
        log: ShareLog = Bench(folder).journal
        assert log.append(share(1)) == 1

    def test_numbers_begin_at_1_and_have_no_gaps(self, folder: Path) -> None:
        bench = Bench(folder)
        assert bench.append(1, 2) == [1, 2]
        bench.commit()
        assert bench.append(3) == [3]

    def test_what_was_committed_is_in_the_file_at_once(self, folder: Path) -> None:
        bench = Bench(folder, held=True)
        bench.commit(7, 8)
        assert nonces_in(folder) == [7, 8]

    def test_what_was_not_committed_is_not(self, folder: Path) -> None:
        bench = Bench(folder)
        bench.append(7)
        assert nonces_in(folder) == []

    def test_one_commit_is_one_group(self, folder: Path) -> None:
        bench = Bench(folder)
        bench.commit(1, 2, 3)
        bench.commit(4)
        assert [(group.first_seq, group.count) for group in groups(folder)] == [(1, 3), (4, 1)]

    def test_a_commit_of_nothing_writes_nothing(self, folder: Path) -> None:
        bench = Bench(folder)
        before = size_of_last(folder)
        bench.commit()
        assert size_of_last(folder) == before

    def test_jobs_and_shares_stand_in_the_order_they_came(self, folder: Path) -> None:
        bench = Bench(folder)
        bench.journal.append(JOB)
        bench.commit(1)
        assert records_of(list(groups(folder))) == [JOB, share(1)]

    def test_a_turn_with_very_many_records_becomes_several_groups(self, folder: Path) -> None:
        bench = Bench(folder)
        bench.commit(*range(5000))
        found = list(groups(folder))
        assert len(found) > 1
        assert max(len(group.payload) for group in found) < GROUP_BYTES_MAX + 1000
        assert nonces_in(folder) == list(range(5000))

    def test_a_record_of_absurd_size_is_refused_and_leaves_no_trace(self, folder: Path) -> None:
        bench = Bench(folder)
        with pytest.raises(ValueError, match="larger than any"):
            bench.journal.append(share(1, worker="x" * 2_000_000))
        bench.commit(2)
        assert nonces_in(folder) == [2]


class TestFolder:
    def test_the_id_is_made_with_the_folder_and_stays(self, folder: Path) -> None:
        first = Bench(folder)
        first.close()
        assert Bench(folder).journal.frontend == first.journal.frontend

    def test_a_wiped_folder_gets_another_id(self, folder: Path, tmp_path: Path) -> None:
        assert Bench(folder).journal.frontend != Bench(tmp_path / "other").journal.frontend

    def test_an_empty_folder_made_by_hand_is_taken(self, folder: Path) -> None:
        folder.mkdir()
        Bench(folder).commit(1)
        assert nonces_in(folder) == [1]

    def test_a_second_journal_in_the_same_folder_is_refused(self, folder: Path) -> None:
        Bench(folder)
        with pytest.raises(JournalBusy, match="in use by another process"):
            Bench(folder)

    def test_a_closed_journal_may_be_opened_again(self, folder: Path) -> None:
        bench = Bench(folder)
        bench.commit(1)
        bench.close()
        Bench(folder).commit(2)
        assert nonces_in(folder) == [1, 2]


class TestSegments:
    def test_a_full_segment_is_followed_by_one_named_after_its_first_record(self, folder: Path) -> None:
        bench = Bench(folder, segment_bytes_max=300)
        for nonce in range(1, 6):
            bench.commit(nonce)
        assert sorted(path.name for path in folder.glob("*.seg"))[:2] == [
            "0000000000000001.seg",
            "0000000000000003.seg",
        ]
        assert nonces_in(folder) == [1, 2, 3, 4, 5]

    def test_a_group_larger_than_a_segment_has_one_to_itself(self, folder: Path) -> None:
        bench = Bench(folder, segment_bytes_max=100)
        bench.commit(1, 2, 3)
        bench.commit(4)
        assert len(list(folder.glob("*.seg"))) == 2

    def test_segments_go_on_after_a_restart(self, folder: Path) -> None:
        for nonce in range(1, 6):
            bench = Bench(folder, segment_bytes_max=300)
            bench.commit(nonce)
            bench.close()
        assert nonces_in(folder) == [1, 2, 3, 4, 5]

    def test_a_full_segment_is_on_disk_before_records_of_the_next_count_as_durable(self, folder: Path) -> None:
        bench = Bench(folder, Durability.FSYNC, held=True, segment_bytes_max=300)
        bench.append(1, 2)
        first = bench.start_commit()
        bench.append(3, 4)
        second = bench.start_commit()  # in the next segment, while the first one is being synced
        bench.held.release()
        result_of(first)
        assert (bench.journal.durable_seq, second.called) == (2, False)
        bench.held.release()
        result_of(second)
        assert bench.journal.durable_seq == 4


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


class TestFailedWrites:
    def test_a_group_that_fits_only_in_part_is_refused_and_cut_off_again(self, folder: Path) -> None:
        bench = Bench(folder)
        bench.commit(1)
        size = size_of_last(folder)
        with file_size_limit(size + 50), pytest.raises(OSError, match="File too large"):
            bench.commit(98, 99)
        assert size_of_last(folder) == size

    def test_it_goes_on_by_itself_when_there_is_room_again_without_a_gap(self, folder: Path) -> None:
        bench = Bench(folder)
        bench.commit(1)
        with file_size_limit(size_of_last(folder) + 50):
            for nonce in (97, 98, 99):
                with pytest.raises(OSError, match="File too large"):
                    bench.commit(nonce)
        assert bench.append(2) == [2]
        bench.commit()
        assert nonces_in(folder) == [1, 2]

    def test_a_segment_that_cannot_be_made_refuses_the_group_alone(self, folder: Path) -> None:
        bench = Bench(folder, segment_bytes_max=200)
        bench.commit(1)
        with file_size_limit(10), pytest.raises(OSError, match="File too large"):
            bench.commit(99)
        bench.commit(2)
        assert nonces_in(folder) == [1, 2]
        assert list(folder.glob("*.new")) == []

    def test_a_write_that_cannot_be_undone_is_followed_by_a_new_segment(self, folder: Path) -> None:
        bench = Bench(folder)
        bench.commit(1)
        bench.lose_file()
        with pytest.raises(OSError, match="Bad file descriptor"):
            bench.commit(99)
        bench.commit(2)
        assert nonces_in(folder) == [1, 2]
        assert len(list(folder.glob("*.seg"))) == 1  # record 1 was not on disk yet: it was written again

    def test_refusals_never_reach_what_may_be_shipped(self, folder: Path) -> None:
        bench = Bench(folder)
        bench.commit(1)
        with file_size_limit(size_of_last(folder) + 50), pytest.raises(OSError, match="File too large"):
            bench.commit(99)
        bench.clock.advance(0.2)
        assert bench.journal.durable_seq == 1


def test_the_journal_is_not_inherited_by_programs_it_starts(folder: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    Bench(folder)
    opened = {
        int(name) for name in set(os.listdir("/proc/self/fd")) - before if os.path.exists(f"/proc/self/fd/{name}")
    }
    assert opened
    assert not any(os.get_inheritable(descriptor) for descriptor in opened)


class TestFullDisk:
    """After the disk was full commits are refused until there is enough room to go on for some time."""

    def full(self, folder: Path) -> Bench:
        bench = Bench(folder, Durability.FSYNC, held=True)
        bench.append(1)
        done = bench.start_commit()
        bench.has_room = False
        bench.held.break_down(OSError(errno.ENOSPC, "No space left on device"))
        with pytest.raises(OSError, match="No space left"):
            result_of(done)
        bench.held.release()  # a new segment: a little room there is
        return bench

    def test_a_commit_is_refused_although_a_little_would_fit(self, folder: Path) -> None:
        bench = self.full(folder)
        bench.append(2)
        with pytest.raises(OSError, match="too little room"):
            result_of(bench.start_commit())
        assert bench.journal.refusal is not None
        assert "too little room" in bench.journal.refusal

    def test_it_goes_on_by_itself(self, folder: Path) -> None:
        bench = self.full(folder)
        bench.append(2)
        with pytest.raises(OSError, match="too little room"):
            result_of(bench.start_commit())
        bench.has_room = True
        bench.append(3)
        done = bench.start_commit()
        bench.held.release()
        result_of(done)
        assert bench.journal.refusal is None
        assert nonces_in(folder) == [3]
