"""Reading a journal while it grows; pool/journal/reader.py."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pool.journal.format import GROUP_BYTES_MAX, Group
from pool.journal.journal import Durability
from pool.journal.reader import OLDEST, Reader, RecordsGone, groups, recent, tail
from pool.journal.segments import JournalDamaged, segment_paths
from tests.pool.journal.samples import Bench, nonces_in, result_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def spans(found: list[Group]) -> list[tuple[int, int]]:
    return [(group.first_seq, group.last_seq) for group in found]


def test_a_reader_follows_the_tail(folder: Path) -> None:
    bench = Bench(folder)
    reader = Reader(folder)
    bench.commit(1)
    assert spans(reader.read()) == [(1, 1)]
    assert reader.read() == []
    bench.commit(2, 3)
    assert spans(reader.read()) == [(2, 3)]


def test_a_reader_follows_from_segment_to_segment(folder: Path) -> None:
    bench = Bench(folder, segment_bytes_max=300)
    reader = Reader(folder)
    seen = []
    for nonce in range(1, 8):
        bench.commit(nonce)
        seen += spans(reader.read())
    assert seen == [(n, n) for n in range(1, 8)]


def test_a_reader_that_was_there_before_the_journal_finds_it(folder: Path) -> None:
    reader = Reader(folder)
    assert reader.read() == []
    Bench(folder).commit(1)
    assert spans(reader.read()) == [(1, 1)]


def test_nothing_is_read_beyond_the_record_asked_for(folder: Path) -> None:
    bench = Bench(folder)
    for nonce in (1, 2, 3):
        bench.commit(nonce)
    reader = Reader(folder)
    assert spans(reader.read(2)) == [(1, 1), (2, 2)]
    assert reader.read(2) == []


def test_a_read_takes_whole_groups_within_its_limit_of_records(folder: Path) -> None:
    bench = Bench(folder)
    bench.commit(1, 2)
    bench.commit(3, 4)
    bench.commit(5, 6)
    reader = Reader(folder)
    assert spans(reader.read(records_max=5)) == [(1, 2), (3, 4)]
    assert spans(reader.read(records_max=5)) == [(5, 6)]


def test_a_group_that_is_larger_than_a_read_from_the_file_is_read_whole(folder: Path) -> None:
    Bench(folder).commit(*range(1, 5001))
    found = list(groups(folder))
    assert len(found[0].payload) > GROUP_BYTES_MAX
    assert nonces_in(folder) == list(range(1, 5001))


def test_a_read_takes_whole_groups_within_its_limit_of_bytes(folder: Path) -> None:
    bench = Bench(folder)
    for nonce in (1, 2, 3):
        bench.commit(nonce)
    size = len(next(groups(folder)).payload)
    assert spans(Reader(folder).read(bytes_max=2 * size)) == [(1, 1), (2, 2)]


def test_a_group_above_the_limit_is_taken_alone(folder: Path) -> None:
    bench = Bench(folder)
    bench.commit(1, 2, 3)
    bench.commit(4)
    assert spans(Reader(folder).read(records_max=2)) == [(1, 3)]


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=20), seq=st.integers(1, 60), limit=st.integers(1, 9))
def test_from_any_record_on_the_rest_is_read_whatever_the_limits(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], seq: int, limit: int
) -> None:
    folder = tmp_path_factory.mktemp("reader") / "journal"
    bench = Bench(folder, segment_bytes_max=500)
    for size in sizes:
        bench.commit(*range(size))
    whole = list(groups(folder))
    reader = Reader(folder, seq)
    found = []
    while part := reader.read(records_max=limit):
        found += part
    assert found == [group for group in whole if group.last_seq >= seq]
    bench.close()


def test_a_reader_goes_back_when_told(folder: Path) -> None:
    bench = Bench(folder, segment_bytes_max=300)
    for nonce in range(1, 8):
        bench.commit(nonce)
    reader = Reader(folder)
    reader.read()
    reader.seek(3)
    assert spans(reader.read())[0] == (3, 3)


class TestRemoved:
    @pytest.fixture
    def shortened(self, folder: Path) -> Path:
        """A journal whose first segment, of records 1 and 2, is gone."""
        bench = Bench(folder, segment_bytes_max=300)
        for nonce in range(1, 8):
            bench.commit(nonce)
        sorted(folder.glob("*.seg"))[0].unlink()
        return folder

    def test_who_asks_for_a_record_that_is_gone_is_told_so(self, shortened: Path) -> None:
        with pytest.raises(
            RecordsGone, match=r"begins with record 3; record 1 and those up to there were removed\. Put"
        ):
            Reader(shortened).read()

    def test_who_asks_for_the_oldest_there_is_gets_it(self, shortened: Path) -> None:
        assert spans(Reader(shortened, OLDEST).read())[0] == (3, 3)

    def test_who_asks_for_one_that_is_there_gets_it(self, shortened: Path) -> None:
        assert spans(Reader(shortened, 4).read())[0] == (4, 4)

    def test_a_reader_whose_segment_is_removed_behind_it_goes_on(self, folder: Path) -> None:
        bench = Bench(folder, segment_bytes_max=300)
        bench.commit(1)
        bench.commit(2)
        reader = Reader(folder)
        reader.read()
        bench.commit(3)
        sorted(folder.glob("*.seg"))[0].unlink()
        assert spans(reader.read()) == [(3, 3)]

    def test_a_reader_whose_segment_is_removed_before_it_is_told_so(self, folder: Path) -> None:
        bench = Bench(folder, segment_bytes_max=300)
        for nonce in range(1, 8):
            bench.commit(nonce)
        reader = Reader(folder)
        assert spans(reader.read(1)) == [(1, 1)]
        sorted(folder.glob("*.seg"))[0].unlink()
        with pytest.raises(RecordsGone):
            reader.read()


def test_a_place_behind_the_end_is_waited_for(folder: Path) -> None:
    bench = Bench(folder)
    bench.commit(1)
    reader = Reader(folder, 3)
    assert reader.read() == []
    bench.commit(2)
    bench.commit(3)
    assert spans(reader.read()) == [(3, 3)]


def test_a_group_that_another_process_is_just_writing_is_not_there_yet(folder: Path) -> None:
    bench = Bench(folder)
    bench.commit(1)
    bench.commit(2)
    segment = next(folder.glob("*.seg"))
    content = segment.read_bytes()
    segment.write_bytes(content[:-1])
    reader = Reader(folder)
    assert spans(reader.read()) == [(1, 1)]
    segment.write_bytes(content)
    assert spans(reader.read()) == [(2, 2)]


def test_a_journal_that_ends_before_what_it_should_have_is_damaged(folder: Path) -> None:
    Bench(folder).commit(1)
    reader = Reader(folder)
    assert spans(reader.read(2)) == [(1, 1)]
    with pytest.raises(JournalDamaged, match="it ends before record 2"):
        reader.read(2)


def test_a_missing_segment_in_the_middle_is_damage(folder: Path) -> None:
    bench = Bench(folder, segment_bytes_max=300)
    for nonce in range(1, 8):
        bench.commit(nonce)
    sorted(folder.glob("*.seg"))[1].unlink()
    with pytest.raises(JournalDamaged, match="it ends before record 4"):
        list(groups(folder))


def test_damage_names_the_file_and_the_byte(folder: Path) -> None:
    bench = Bench(folder)
    bench.commit(1)
    bench.commit(2)
    segment = next(folder.glob("*.seg"))
    content = bytearray(segment.read_bytes())
    content[-1] ^= 1
    segment.write_bytes(content)
    place = (len(content) + 44) // 2
    with pytest.raises(JournalDamaged, match=f"0000000000000001.seg, byte {place}: a group does not match"):
        list(groups(folder))


def test_a_follower_up_to_the_durable_record_never_sees_a_refused_group(folder: Path) -> None:
    bench = Bench(folder, Durability.FSYNC, held=True)
    reader = Reader(folder)
    bench.append(98, 99)
    refused = bench.start_commit()
    assert reader.read(bench.journal.durable_seq) == []
    bench.held.break_down(OSError(errno.EIO, "Input/output error"))
    with pytest.raises(OSError, match="Input/output"):
        result_of(refused)
    bench.held.release()
    bench.append(1)
    done = bench.start_commit()
    bench.held.release()
    result_of(done)
    assert spans(reader.read(bench.journal.durable_seq)) == [(1, 1)]


class TestRecent:
    def segments(self, folder: Path) -> list[Path]:
        """Three segments, written to at 100, 200 and 300 s."""
        bench = Bench(folder, segment_bytes_max=200)
        for nonce in range(1, 10):
            bench.commit(nonce)
        bench.close()
        paths = segment_paths(folder)
        for number, path in enumerate(paths, 1):
            os.utime(path, (number * 100, number * 100))
        assert len(paths) >= 3
        return paths

    def test_it_begins_one_segment_before_the_first_that_was_written_to_since(self, folder: Path) -> None:
        paths = self.segments(folder)
        first = next(recent(folder, 300.0))
        assert first == next(groups(folder, int(paths[1].stem)))

    def test_it_goes_to_the_end(self, folder: Path) -> None:
        self.segments(folder)
        assert list(recent(folder, 300.0))[-1] == list(groups(folder))[-1]

    def test_when_nothing_was_written_since_it_is_the_last_segment(self, folder: Path) -> None:
        paths = self.segments(folder)
        assert next(recent(folder, 10_000.0)) == next(groups(folder, int(paths[-1].stem)))

    def test_an_empty_journal_has_none(self, folder: Path) -> None:
        folder.mkdir()
        assert list(recent(folder, 0.0)) == []
        assert list(tail(folder, 1000)) == []

    def test_a_tail_is_of_whole_segments_within_a_number_of_bytes(self, folder: Path) -> None:
        paths = self.segments(folder)
        two = sum(path.stat().st_size for path in paths[-2:])
        assert next(tail(folder, two)) == next(groups(folder, int(paths[-2].stem)))
        assert list(tail(folder, two))[-1] == list(groups(folder))[-1]

    def test_but_of_one_in_any_case(self, folder: Path) -> None:
        paths = self.segments(folder)
        assert next(tail(folder, 1)) == next(groups(folder, int(paths[-1].stem)))
