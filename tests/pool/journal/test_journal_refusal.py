"""Writes that fail, and full disks; pool/journal/journal.py."""

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pool.journal.journal import RELAXED_WINDOW_SECONDS, Durability
from tests.pool.journal.samples import Bench, nonces_in, result_of, size_of_last


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

    def test_a_journal_that_was_closed_before_its_new_segment_was_there_leaves_the_folder_to_the_next(
        self, folder: Path
    ) -> None:
        bench = Bench(folder)
        bench.commit(1)  # within the window it will be synced
        bench.lose_file()
        bench.inline.fails = [OSError(errno.EIO, "Input/output error")]
        with pytest.raises(OSError, match="Invalid argument"):
            bench.commit(2)
        bench.clock.advance(RELAXED_WINDOW_SECONDS)
        bench.close()
        assert bench.clock.getDelayedCalls() == []

    def test_refusals_never_reach_what_may_be_shipped(self, folder: Path) -> None:
        bench = Bench(folder)
        bench.commit(1)
        with file_size_limit(size_of_last(folder) + 50), pytest.raises(OSError, match="File too large"):
            bench.commit(99)
        bench.clock.advance(0.2)
        assert bench.journal.durable_seq == 1


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
