"""Compressing what is sealed; pool/journal/packing.py."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pool.journal.packing import Packing
from pool.journal.reader import Reader, groups, recent, tail
from pool.journal.segments import JournalDamaged, segment_paths
from tests.pool.journal.samples import Bench, logged, nonces_in

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def sealed(folder: Path) -> Bench:
    """A journal of several segments, all on disk."""
    bench = Bench(folder, segment_bytes_max=300)
    for nonce in range(1, 10):
        bench.commit(nonce)
    bench.clock.advance(1)
    return bench


def packing(bench: Bench) -> Packing:
    return Packing(bench.folder, lambda: bench.journal.durable_seq, threading.Lock(), lambda: 0.0)


def pack(bench: Bench) -> None:
    """Compress all that can be."""
    work = packing(bench)
    while work.step() == 0.0:
        pass


def suffixes(folder: Path) -> list[str]:
    return [path.suffix for path in segment_paths(folder)]


def test_all_but_the_last_segment_are_compressed(folder: Path) -> None:
    bench = sealed(folder)
    count = len(segment_paths(folder))
    pack(bench)
    assert suffixes(folder) == [".segz"] * (count - 1) + [".seg"]


def test_the_journal_reads_the_same(folder: Path) -> None:
    bench = sealed(folder)
    before = list(groups(folder))
    pack(bench)
    assert list(groups(folder)) == before
    assert [list(groups(folder, seq)) for seq in range(1, 10)] == [before[seq - 1 :] for seq in range(1, 10)]


def test_a_reader_goes_on_where_it_was(folder: Path) -> None:
    bench = sealed(folder)
    whole = list(groups(folder))
    reader = Reader(folder)
    found = reader.read(records_max=1)
    pack(bench)
    while part := reader.read(records_max=1):
        found += part
    assert found == whole


def test_what_is_not_on_the_disk_is_left(folder: Path) -> None:
    bench = Bench(folder, segment_bytes_max=300)
    for nonce in range(1, 10):
        bench.commit(nonce)
    pack(bench)
    assert set(suffixes(folder)) == {".seg"}


def test_what_a_later_segment_made_void_is_left_out(folder: Path) -> None:
    bench = sealed(folder)
    first = segment_paths(folder)[0]
    with first.open("ab") as file:
        file.write(b"void")
    before = list(groups(folder))
    pack(bench)
    assert list(groups(folder)) == before


def test_the_time_of_the_last_write_is_kept(folder: Path) -> None:
    bench = sealed(folder)
    for path in segment_paths(folder):
        os.utime(path, (1000, 1000))
    pack(bench)
    assert {path.stat().st_mtime for path in segment_paths(folder)} == {1000}


def test_the_end_of_a_journal_is_found_in_compressed_segments(folder: Path) -> None:
    bench = sealed(folder)
    pack(bench)
    assert list(tail(folder, 1 << 20)) == list(groups(folder))
    assert list(recent(folder, 0.0)) == list(groups(folder))


def test_tail_counts_what_segments_were_before_they_were_compressed(folder: Path) -> None:
    bench = sealed(folder)
    last_two = sum(path.stat().st_size for path in segment_paths(folder)[-2:])
    before = list(tail(folder, last_two))
    pack(bench)
    assert list(tail(folder, last_two)) == before


def test_the_journal_goes_on_behind_compressed_segments(folder: Path) -> None:
    bench = sealed(folder)
    pack(bench)
    bench.close()
    Bench(folder).commit(77)
    assert nonces_in(folder) == [*range(1, 10), 77]


def test_a_journal_of_compressed_segments_alone_goes_on_in_a_new_one(folder: Path) -> None:
    bench = sealed(folder)
    pack(bench)
    bench.close()
    segment_paths(folder)[-1].unlink()
    found = nonces_in(folder)
    Bench(folder).commit(77)
    assert nonces_in(folder) == [*found, 77]


def test_a_damaged_segment_is_not_compressed(folder: Path) -> None:
    bench = sealed(folder)
    first = segment_paths(folder)[0]
    content = bytearray(first.read_bytes())
    content[-1] ^= 1
    first.write_bytes(content)
    with pytest.raises(JournalDamaged, match="a group does not match"):
        pack(bench)
    assert segment_paths(folder)[0] == first
    assert list(folder.glob("*.new")) == []


def test_a_full_disk_is_said_once_and_leaves_nothing_half_done(folder: Path) -> None:
    bench = sealed(folder)
    work = packing(bench)
    (folder / "0000000000000001.segz.new").mkdir()  # no file can be made there
    with logged() as names:
        assert work.step() > 1.0
        assert work.step() > 1.0
    assert names == ["journal_not_packed"]
    assert nonces_in(folder) == list(range(1, 10))
    (folder / "0000000000000001.segz.new").rmdir()
    assert work.step() == 0.0


def test_work_that_is_left_off_leaves_nothing(folder: Path) -> None:
    bench = sealed(folder)
    work = packing(bench)
    work.step()
    assert list(folder.glob("*.new")) != []
    work.close()
    assert list(folder.glob("*.new")) == []


class TestTwice:
    """A crash came when both forms of a segment were there."""

    def twice(self, folder: Path) -> tuple[Bench, Path]:
        bench = sealed(folder)
        plain = segment_paths(folder)[0]
        content = plain.read_bytes()
        pack(bench)
        plain.write_bytes(content)
        return bench, plain

    def test_it_reads_the_same(self, folder: Path) -> None:
        self.twice(folder)
        assert nonces_in(folder) == list(range(1, 10))

    def test_opening_leaves_both(self, folder: Path) -> None:
        bench, plain = self.twice(folder)
        bench.close()
        Bench(folder)
        assert plain.exists()
        assert plain.with_suffix(".segz").exists()

    def test_the_plain_one_goes_once_the_other_is_seen_to_be_whole(self, folder: Path) -> None:
        bench, plain = self.twice(folder)
        pack(bench)
        assert not plain.exists()
        assert nonces_in(folder) == list(range(1, 10))

    def test_a_damaged_compressed_one_goes_instead(self, folder: Path) -> None:
        bench, plain = self.twice(folder)
        packed = plain.with_suffix(".segz")
        content = bytearray(packed.read_bytes())
        content[60] ^= 1
        packed.write_bytes(content)
        with logged() as names:
            work = packing(bench)
            while plain.exists():
                work.step()
        assert names == ["journal_segment_dropped"]
        assert nonces_in(folder) == list(range(1, 10))


@pytest.mark.parametrize(
    "place",
    ["journal-pack-written", "journal-pack-renamed", "journal-pack-synced", "journal-pack-plain-removed"],
)
def test_a_kill_between_any_two_steps_leaves_a_journal_that_reads_the_same(folder: Path, place: str) -> None:
    bench = sealed(folder)
    before = list(groups(folder))
    bench.close()
    program = (
        "import sys, threading; from pathlib import Path; from pool.journal.packing import Packing\n"
        f"work = Packing(Path(sys.argv[1]), lambda: {before[-1].last_seq}, threading.Lock())\n"
        "while work.step() < 5: pass"
    )
    for count in (1, 1):  # what the first left is the beginning of the second
        environment = {**os.environ, "STEPPE_FAILPOINTS": f"{place}={count}"}
        killed = subprocess.run([sys.executable, "-c", program, str(folder)], cwd=ROOT, env=environment, check=False)
        assert killed.returncode == -9
        assert list(groups(folder)) == before
        copy = folder.with_name("copy")
        shutil.copytree(folder, copy)
        opened = Bench(copy)
        pack(opened)
        opened.close()
        assert list(groups(copy)) == before
        shutil.rmtree(copy)
