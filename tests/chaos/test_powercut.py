"""Power cuts: whatever the journal acknowledged in mode `fsync` is there after any; reliability goal R2."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pool.journal.journal import RELAXED_WINDOW_SECONDS, Durability
from pool.journal.reader import OLDEST, groups
from pool.work.share import Share
from tests.chaos.powercut import Note, PowerCut, cuts
from tests.pool.journal.samples import Bench, records_of
from tests.regtest.whole_pool import eventually

ROOT = Path(__file__).parents[2]
LIFE_SECONDS = 0.8
# Operations of powercut.c; with upkeep files are removed (U) too.
EVERYTHING = frozenset("CWRsSM")
CUTS = 40
# The writer is as busy as it can be and shares its machine with other tests: its timer may be late.
LATE_SECONDS = 1.0


def notes_of(tmp_path: Path, durability: Durability, *words: str) -> list[Note]:
    """What a journal did to its disk until its process was killed, with its promises as marks."""
    data = tmp_path / "data"
    data.mkdir()
    cut = PowerCut(data, tmp_path / "log", tmp_path / "marks")
    with cut.marks.open("wb") as marks:
        writer = subprocess.Popen(
            [sys.executable, "-m", "tests.regtest.journal_child", str(data / "journal"), durability.value, *words],
            stdout=marks,
            cwd=ROOT,
            env={**os.environ, **cut.environment},
        )
    while not cut.marks.stat().st_size:
        assert writer.poll() is None
        time.sleep(0.01)
    time.sleep(LIFE_SECONDS)
    # With a slow disk it takes longer until all was done once.
    wanted = EVERYTHING | {"U"} if words else EVERYTHING
    eventually("all that a journal does", lambda: wanted <= {note.operation for note in cut.notes()})
    writer.kill()
    writer.wait()
    return cut.notes()


def promised(notes: list[Note], before_ns: int) -> int:
    """The last record that was acknowledged before a time; 0 for none."""
    marks = [note.data for note in notes if note.operation == "M" and note.time_ns < before_ns]
    return max((int(line) for data in marks for line in data.split()), default=0)


def longest_sync_ns(notes: list[Note]) -> int:
    began = {note.number: note.time_ns for note in notes if note.operation in "sf"}
    return max(note.time_ns - began[note.number] for note in notes if note.operation == "S")


def found_in(folder: Path) -> tuple[int, int]:
    """Open a journal after a power cut: its first and last record, between which all are there, each as written."""
    if not folder.exists():
        return 1, 0
    bench = Bench(folder)
    next_seq = bench.journal.next_seq
    bench.close()
    records = records_of(list(groups(folder, OLDEST)))
    nonces = [record.nonce for record in records if isinstance(record, Share)]
    first = nonces[0] if nonces else next_seq
    assert nonces == list(range(first, next_seq))
    return first, next_seq - 1


@pytest.mark.parametrize("words", [(), ("upkeep",)], ids=["growing", "compressed and shortened"])
@pytest.mark.parametrize("durability", Durability)
def test_a_power_cut_takes_no_more_than_the_mode_says(
    tmp_path: Path, durability: Durability, words: tuple[str, ...]
) -> None:
    notes = notes_of(tmp_path, durability, *words)
    first_mark = next(place for place, note in enumerate(notes) if note.operation == "M")
    window_ns = 0
    if durability is Durability.RELAXED:
        window_ns = int((RELAXED_WINDOW_SECONDS + LATE_SECONDS) * 1e9) + longest_sync_ns(notes)
    chance = random.Random(20_260_102)
    early = [chance.randint(1, first_mark) for _ in range(CUTS // 10)]
    places = sorted([*early, *(chance.randint(first_mark, len(notes)) for _ in range(CUTS))])
    lost, longest = 0, 0
    for number, (place, disk) in enumerate(cuts(notes, places)):
        left = tmp_path / f"cut-{number}"
        disk.left(left, seed=number)
        first, last = found_in(left / "journal")
        at_ns = notes[place - 1].time_ns
        assert last >= promised(notes[:place], at_ns - window_ns), f"cut {number}, before note {place}"
        assert first == 1 or words
        lost += last < promised(notes[:place], at_ns)
        longest = max(longest, promised(notes[:place], at_ns) - last)
    if durability is Durability.FSYNC:
        assert lost == 0
    else:
        assert lost, "the shim loses nothing, or the journal syncs before it answers"
    print(f"{durability.value} {words}: {len(places)} cuts, {lost} lost something, {longest} records at most")


class TestShim:
    """What the shim makes of a small program."""

    def run(self, tmp_path: Path, program: str) -> list[Note]:
        (tmp_path / "data").mkdir()
        cut = PowerCut(tmp_path / "data", tmp_path / "log", tmp_path / "marks")
        environment = {**os.environ, **cut.environment}
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path / "data", env=environment, check=True)
        return cut.notes()

    def left(self, tmp_path: Path, notes: list[Note]) -> set[tuple[tuple[str, bytes], ...]]:
        """All that a cut at the end may leave, of a hundred seeds: the files with their content."""
        [(_, disk)] = cuts(notes, [len(notes)])
        found = set()
        for seed in range(100):
            disk.left(tmp_path / f"{seed}", seed)
            files = sorted(path for path in (tmp_path / f"{seed}").rglob("*") if path.is_file())
            found.add(tuple((path.name, path.read_bytes()) for path in files))
        return found

    def test_what_was_not_synced_may_be_there_in_part_or_not_at_all(self, tmp_path: Path) -> None:
        notes = self.run(tmp_path, "open('a', 'wb', 0).write(b'12')")
        assert self.left(tmp_path, notes) == {(), (("a", b""),), (("a", b"1"),), (("a", b"12"),), (("a", b"\0\0"),)}

    def test_a_synced_file_may_lack_its_name(self, tmp_path: Path) -> None:
        notes = self.run(tmp_path, "import os; f = open('a', 'wb', 0); f.write(b'12'); os.fsync(f.fileno())")
        assert self.left(tmp_path, notes) == {(), (("a", b"12"),)}

    def test_what_is_synced_with_its_name_is_there(self, tmp_path: Path) -> None:
        program = (
            "import os; f = open('a', 'wb', 0); f.write(b'12'); os.fdatasync(f.fileno()); os.rename('a', 'b')\n"
            "os.fsync(os.open('.', os.O_RDONLY))"
        )
        assert self.left(tmp_path, self.run(tmp_path, program)) == {(("b", b"12"),)}

    def test_a_new_name_may_be_there_before_the_content(self, tmp_path: Path) -> None:
        program = "f = open('a', 'wb', 0); f.write(b'1'); import os; os.rename('a', 'b')"
        assert (("b", b""),) in self.left(tmp_path, self.run(tmp_path, program))

    def test_a_second_name_of_a_file_is_seen(self, tmp_path: Path) -> None:
        program = (
            "import os; f = open('a', 'wb', 0); f.write(b'1'); os.fsync(f.fileno()); os.link('a', 'b')\n"
            "os.unlink('a'); os.fsync(os.open('.', os.O_RDONLY))"
        )
        assert self.left(tmp_path, self.run(tmp_path, program)) == {(("b", b"1"),)}

    def test_a_removed_file_may_be_back(self, tmp_path: Path) -> None:
        program = (
            "import os; f = open('a', 'wb', 0); f.write(b'1'); os.fsync(f.fileno())\n"
            "os.fsync(os.open('.', os.O_RDONLY)); os.unlink('a')"
        )
        assert self.left(tmp_path, self.run(tmp_path, program)) == {(), (("a", b"1"),)}

    def test_a_folder_without_its_name_takes_its_files_along(self, tmp_path: Path) -> None:
        program = (
            "import os; os.mkdir('d'); f = open('d/a', 'wb', 0); f.write(b'1'); os.fsync(f.fileno())\n"
            "os.fsync(os.open('d', os.O_RDONLY))"
        )
        assert self.left(tmp_path, self.run(tmp_path, program)) == {(), (("a", b"1"),)}

    def test_writes_in_the_middle_and_truncation_are_seen(self, tmp_path: Path) -> None:
        program = (
            "import os; f = os.open('a', os.O_RDWR | os.O_CREAT); os.pwrite(f, b'12345678', 0)\n"
            "os.pwrite(f, b'xx', 2); os.ftruncate(f, 6); os.truncate('a', 5); os.posix_fallocate(f, 0, 7)\n"
            "os.fsync(f); os.fsync(os.open('.', os.O_RDONLY))"
        )
        assert self.left(tmp_path, self.run(tmp_path, program)) == {(("a", b"12xx5\0\0"),)}

    def test_writes_of_other_folders_are_not_noted(self, tmp_path: Path) -> None:
        assert self.run(tmp_path, "open('../elsewhere', 'wb', 0).write(b'1')") == []
