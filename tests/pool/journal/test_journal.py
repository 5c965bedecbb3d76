"""The share journal; pool/journal/journal.py."""

import os
from pathlib import Path

import pytest

from pool.journal.format import GROUP_BYTES_MAX
from pool.journal.journal import Durability
from pool.journal.reader import groups
from pool.journal.segments import JournalBusy, JournalDamaged
from pool.ports import ShareLog
from tests.pool.journal.samples import JOB, Bench, nonces_in, records_of, result_of, share, size_of_last


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


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

    def test_one_that_cannot_be_encoded_leaves_no_trace_either(self, folder: Path) -> None:
        bench = Bench(folder)
        with pytest.raises(OverflowError):
            bench.journal.append(share(2**64))
        bench.commit(2)
        assert nonces_in(folder) == [2]


class TestFolder:
    def test_the_id_is_made_with_the_folder_and_stays(self, folder: Path) -> None:
        first = Bench(folder)
        first.close()
        assert Bench(folder).journal.frontend == first.journal.frontend

    def test_a_wiped_folder_gets_another_id(self, folder: Path, tmp_path: Path) -> None:
        assert Bench(folder).journal.frontend != Bench(tmp_path / "other").journal.frontend

    def test_an_id_that_is_no_text_is_damage(self, folder: Path) -> None:
        Bench(folder).close()
        (folder / "frontend").write_bytes(b"\xff" * 16)
        with pytest.raises(JournalDamaged, match="no id of a journal"):
            Bench(folder)

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


def test_the_journal_is_not_inherited_by_programs_it_starts(folder: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    Bench(folder)
    opened = {
        int(name) for name in set(os.listdir("/proc/self/fd")) - before if os.path.exists(f"/proc/self/fd/{name}")
    }
    assert opened
    assert not any(os.get_inheritable(descriptor) for descriptor in opened)
