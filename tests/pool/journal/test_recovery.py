"""What a crash leaves, and what is made of it; pool/journal/recovery.py."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pool.journal.folder import frontend_of
from pool.journal.format import HEADER_BYTES, Group, Header, encode_frame
from pool.journal.journal import Durability
from pool.journal.reader import groups
from pool.journal.segments import JournalDamaged, create, read_segment, segment_paths
from tests.pool.journal.samples import Bench, nonces_in

SIZES = (1, 3, 2, 1, 4)


def written(folder: Path, *, segment_bytes_max: int = 1 << 20) -> list[Group]:
    """A journal with groups of these sizes, each on the disk before the next one, closed."""
    bench = Bench(folder, segment_bytes_max=segment_bytes_max)
    nonce = 0
    for size in SIZES:
        bench.commit(*range(nonce, nonce + size))
        bench.clock.advance(1)
        nonce += size
    bench.close()
    return list(groups(folder))


def last_segment(folder: Path) -> Path:
    return sorted(folder.glob("*.seg"))[-1]


class TestCutOff:
    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def test_a_journal_cut_at_any_byte_loses_only_the_groups_that_are_not_whole(self, data: st.DataObject) -> None:
        with TemporaryDirectory() as name:
            folder = Path(name) / "journal"
            before = written(folder)
            content = last_segment(folder).read_bytes()
            cut = data.draw(st.integers(0, len(content)))
            last_segment(folder).write_bytes(content[:cut])

            bench = Bench(folder)

            ends = [HEADER_BYTES]
            for group in before:
                ends.append(ends[-1] + len(encode_frame(group, 0)))
            whole = [group for group, end in zip(before, ends[1:], strict=True) if end <= cut]
            assert list(groups(folder)) == whole
            bench.commit(1000)
            assert nonces_in(folder)[-1] == 1000
            bench.close()

    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def test_a_cut_at_any_byte_of_the_last_of_several_segments_leaves_no_gap(self, data: st.DataObject) -> None:
        with TemporaryDirectory() as name:
            folder = Path(name) / "journal"
            written(folder, segment_bytes_max=300)
            content = last_segment(folder).read_bytes()
            last_segment(folder).write_bytes(content[: data.draw(st.integers(0, len(content)))])
            bench = Bench(folder)
            bench.commit(1000)
            found = nonces_in(folder)
            assert found == [*range(len(found) - 1), 1000]
            bench.close()

    def test_the_tail_that_a_power_cut_filled_with_zeros_is_cut_away(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        before = written(folder)
        with last_segment(folder).open("ab") as file:
            file.write(bytes(4096))
        Bench(folder)
        assert list(groups(folder)) == before

    def test_a_segment_of_which_only_the_name_reached_the_disk_is_removed(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        before = written(folder)
        (folder / "0000000000000012.seg").write_bytes(bytes(HEADER_BYTES + 100))
        Bench(folder)
        assert list(groups(folder)) == before

    def test_an_empty_segment_behind_one_that_was_cut_off_is_removed(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        bench = Bench(folder)
        bench.commit(1)
        bench.commit(2)
        bench.close()
        content = last_segment(folder).read_bytes()
        create(folder, Header(2, 3, bench.journal.frontend)).close()
        (folder / "0000000000000001.seg").write_bytes(content[:-1])
        Bench(folder).commit(3)
        assert nonces_in(folder) == [1, 3]

    def test_a_file_that_never_became_a_segment_is_removed(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        written(folder)
        (folder / "0000000000000012.new").write_bytes(b"half")
        Bench(folder)
        assert list(folder.glob("*.new")) == []


class TestPowerCut:
    """What a disk may do to bytes that it was not yet told to keep: any page of them may be there or not."""

    def unsynced(self, folder: Path, *, segment_bytes_max: int = 1 << 20) -> Bench:
        """A journal whose first two records are on the disk, and eight more that were never synced."""
        bench = Bench(folder, segment_bytes_max=segment_bytes_max)
        bench.commit(1)
        bench.commit(2)
        bench.clock.advance(1)
        for nonce in range(3, 11):
            bench.commit(nonce)
        bench.abandon()
        return bench

    def blank(self, path: Path, start: int, size: int) -> None:
        with path.open("r+b") as file:
            file.seek(start)
            file.write(bytes(size))

    def test_a_hole_behind_what_was_synced_ends_the_journal_there(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        self.unsynced(folder)
        frame = (last_segment(folder).stat().st_size - HEADER_BYTES) // 10
        self.blank(last_segment(folder), HEADER_BYTES + 4 * frame + 7, frame)
        Bench(folder).commit(77)
        assert nonces_in(folder) == [1, 2, 3, 4, 77]

    def test_a_hole_in_what_was_synced_keeps_the_journal_shut(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        self.unsynced(folder)
        frame = (last_segment(folder).stat().st_size - HEADER_BYTES) // 10
        self.blank(last_segment(folder), HEADER_BYTES + frame + 7, frame)
        with pytest.raises(JournalDamaged):
            Bench(folder)

    def test_segments_behind_one_that_lost_its_unsynced_end_are_dropped(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        self.unsynced(folder, segment_bytes_max=500)
        second = sorted(folder.glob("*.seg"))[1]
        assert len(sorted(folder.glob("*.seg"))) == 4
        second.write_bytes(second.read_bytes()[:-1])
        bench = Bench(folder)
        found = nonces_in(folder)
        assert found == list(range(1, len(found) + 1))
        bench.commit(77)
        assert nonces_in(folder) == [*found, 77]
        bench.close()

    def test_unsynced_segments_without_a_header_are_dropped_with_those_behind_them(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        self.unsynced(folder, segment_bytes_max=500)
        second = sorted(folder.glob("*.seg"))[1]
        self.blank(second, 0, HEADER_BYTES)
        Bench(folder).commit(77)
        assert nonces_in(folder)[-1] == 77
        assert len(sorted(folder.glob("*.seg"))) == 1

    def test_a_journal_of_which_nothing_reached_the_disk_begins_anew(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        bench = Bench(folder)
        bench.commit(1)
        bench.commit(2)
        bench.abandon()
        self.blank(last_segment(folder), 0, HEADER_BYTES)
        Bench(folder).commit(77)
        assert nonces_in(folder) == [77]


class TestDamage:
    @settings(max_examples=80, deadline=None)
    @given(st.data())
    def test_a_flipped_bit_anywhere_is_found_when_the_journal_is_read(self, data: st.DataObject) -> None:
        with TemporaryDirectory() as name:
            folder = Path(name) / "journal"
            last_seq = written(folder)[-1].last_seq
            flip(last_segment(folder), data.draw(st.integers(0, last_segment(folder).stat().st_size * 8 - 1)))
            with pytest.raises(JournalDamaged):
                list(groups(folder))
            assert last_seq == sum(SIZES)

    @settings(max_examples=80, deadline=None)
    @given(st.data())
    def test_a_flipped_bit_in_front_of_a_whole_group_keeps_the_journal_shut(self, data: st.DataObject) -> None:
        with TemporaryDirectory() as name:
            folder = Path(name) / "journal"
            last = written(folder)[-1]
            size = last_segment(folder).stat().st_size - len(encode_frame(last, 0))
            flip(last_segment(folder), data.draw(st.integers(0, size * 8 - 1)))
            with pytest.raises(JournalDamaged):
                Bench(folder)

    def test_damage_names_the_file_the_place_and_the_mend(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        written(folder)
        flip(last_segment(folder), HEADER_BYTES * 8)
        with pytest.raises(JournalDamaged, match=r"0000000000000001\.seg, byte 44: .*Move the folder .* away"):
            Bench(folder)

    def test_a_journal_that_could_not_be_opened_is_not_locked(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        written(folder)
        flip(last_segment(folder), HEADER_BYTES * 8)
        for _ in range(2):
            with pytest.raises(JournalDamaged):
                Bench(folder)

    def test_records_missing_between_two_segments_keep_the_journal_shut(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        written(folder, segment_bytes_max=300)
        before_last = sorted(folder.glob("*.seg"))[-2]
        before_last.write_bytes(before_last.read_bytes()[:-1])
        with pytest.raises(JournalDamaged, match="records are missing from here"):
            Bench(folder)

    def test_a_segment_of_another_journal_is_refused(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        written(folder)
        create(folder, Header(2, 12, "f" * 16)).close()
        with pytest.raises(JournalDamaged, match="belongs to journal ffffffffffffffff"):
            Bench(folder)

    def test_a_renamed_segment_is_refused(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        written(folder)
        last_segment(folder).rename(folder / "0000000000000002.seg")
        with pytest.raises(JournalDamaged, match="named otherwise than its first record, 1"):
            Bench(folder)

    def test_a_folder_with_segments_but_without_an_id_is_refused(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        written(folder)
        (folder / "frontend").unlink()
        with pytest.raises(JournalDamaged, match="id is missing"):
            Bench(folder)


class TestSuperseded:
    def test_what_a_later_made_segment_begins_with_is_void_in_the_one_before(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        bench = Bench(folder, Durability.FSYNC)
        bench.commit(1, 2)
        bench.commit(3)
        bench.close()
        create(folder, Header(2, 3, bench.journal.frontend)).close()
        Bench(folder).commit(33)
        assert nonces_in(folder) == [1, 2, 33]

    def test_segments_that_a_crash_kept_from_being_removed_are_removed(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        written(folder, segment_bytes_max=300)
        frontend = (folder / "frontend").read_text().strip()
        first = next(groups(folder))
        create(folder, Header(99, first.last_seq + 1, frontend)).close()
        Bench(folder).commit(1000)
        assert nonces_in(folder) == [0, 1000]

    def test_a_reader_sees_the_same_before_they_are_removed(self, tmp_path: Path) -> None:
        folder = tmp_path / "journal"
        written(folder, segment_bytes_max=300)
        frontend = (folder / "frontend").read_text().strip()
        first = next(groups(folder))
        create(folder, Header(99, first.last_seq + 1, frontend)).close()
        assert list(groups(folder)) == [first]


class TestTwoLives:
    """A copy of a journal, and segments that another copy got since, in one folder: none of them may go."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "journal"
        written(folder, segment_bytes_max=300)
        return folder

    def end(self, folder: Path, path: Path, first_seq: int) -> list[Path]:
        """What the folder has when the copy ended within that segment, and was ended there by an empty one."""
        create(folder, Header(read_segment(path).header.ordinal + 1, first_seq, frontend_of(folder))).close()
        return segment_paths(folder)

    def test_a_copy_that_goes_on_where_another_one_ended_is_refused(self, folder: Path) -> None:
        before = self.end(folder, segment_paths(folder)[1], 3)
        with pytest.raises(JournalDamaged, match="of two copies"):
            Bench(folder)
        assert segment_paths(folder) == before

    def test_records_that_were_on_the_disk_are_not_void_because_of_it(self, folder: Path) -> None:
        last = segment_paths(folder)[-1]
        group = list(groups(folder, read_segment(last).first_seq))[-1]
        with last.open("ab") as file:
            file.write(encode_frame(Group(group.last_seq + 1, group.count, group.payload), group.last_seq))
        before = self.end(folder, last, group.last_seq)
        with pytest.raises(JournalDamaged, match=f"record {group.last_seq} was on the disk"):
            Bench(folder)
        assert segment_paths(folder) == before


def flip(path: Path, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
