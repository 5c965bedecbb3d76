"""pool.journal.found: the share of a block is safe from the moment at which the block is on its way."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.journal import found as module
from pool.journal.found import FILE_BYTES, FoundBlocks
from pool.work.job import Job
from pool.work.share import Share
from tests.pool.journal.samples import JOB, Bench, share
from tests.stratum.scene import logged


def block(number: int) -> Share:
    """A share that is a block, known by its number."""
    return msgspec.structs.replace(share(number), block_hash=number.to_bytes(32, "little"))


def opened_in(folder: Path, durable_seq: int = 0, frontend: str = "0123456789abcdef") -> FoundBlocks:
    """The file beside a journal in that folder."""
    return FoundBlocks(folder / "beside" / "7", folder, frontend, lambda: durable_seq)


def record(bench: Bench, *records: Job | Share) -> None:
    for each in records:
        bench.journal.append(each)
    bench.commit()


def left(folder: Path) -> list[tuple[Share, Job]]:
    """What the next run finds."""
    next_run = opened_in(folder)
    try:
        return next_run.missing()
    finally:
        next_run.close()


def test_what_is_not_settled_is_there_after_a_kill(tmp_path: Path) -> None:
    found = opened_in(tmp_path)
    for number in (1, 2, 3):
        found.note(block(number), JOB)
    found.settle(block(2).block_hash or b"")
    assert left(tmp_path) == [(block(number), JOB) for number in (1, 2, 3)]


def test_once_all_are_settled_nothing_is_left(tmp_path: Path) -> None:
    found = opened_in(tmp_path)
    for number in (1, 2):
        found.note(block(number), JOB)
    for number in (1, 2):
        found.settle(block(number).block_hash or b"")
    assert left(tmp_path) == []


def test_what_was_settled_does_not_come_back_behind_a_new_one(tmp_path: Path) -> None:
    found = opened_in(tmp_path)
    for number in (1, 2):
        found.note(block(number), JOB)
    for number in (1, 2):
        found.settle(block(number).block_hash or b"")
    found.note(block(3), JOB)
    assert left(tmp_path) == [(block(3), JOB)]


def test_a_block_that_comes_twice_is_kept_as_it_came_first(tmp_path: Path) -> None:
    found = opened_in(tmp_path)
    found.note(block(1), JOB)
    found.note(msgspec.structs.replace(block(1), worker="again"), JOB)
    assert left(tmp_path) == [(block(1), JOB)]


def test_the_next_run_adds_to_what_is_left(tmp_path: Path) -> None:
    opened_in(tmp_path).note(block(1), JOB)
    opened_in(tmp_path).note(block(2), JOB)
    assert left(tmp_path) == [(block(1), JOB), (block(2), JOB)]


def test_what_the_journal_has_is_not_missing(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "journal")
    found = opened_in(bench.folder)
    for number in (1, 2):
        found.note(block(number), JOB)
    record(bench, JOB, block(1))
    assert left(bench.folder) == [(block(2), JOB)]


def test_what_the_journal_has_leaves_room_for_what_comes(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "journal")
    opened_in(bench.folder).note(block(1), JOB)
    record(bench, block(1))
    found = opened_in(bench.folder)
    assert found.missing() == []
    found.note(block(2), JOB)
    assert left(bench.folder) == [(block(2), JOB)]


def test_only_what_was_recorded_since_is_looked_through(tmp_path: Path) -> None:
    """The record cannot be older than what was on the disk when the block was found."""
    bench = Bench(tmp_path / "journal")
    record(bench, block(1))
    opened_in(bench.folder, durable_seq=1).note(block(1), JOB)
    assert left(bench.folder) == [(block(1), JOB)]


def test_a_journal_that_was_shortened_meanwhile_is_looked_through_from_its_beginning(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "journal", segment_bytes_max=1)
    opened_in(bench.folder).note(block(3), JOB)
    for number in (1, 2, 3):
        record(bench, block(number))
    min(bench.folder.glob("*.seg")).unlink()
    assert left(bench.folder) == []


@given(st.integers(0, 3000), st.integers(1, 255))
def test_what_a_kill_cut_off_or_damage_altered_is_passed_over(
    tmp_path_factory: pytest.TempPathFactory, place: int, flip: int
) -> None:
    folder = tmp_path_factory.mktemp("found")
    found = opened_in(folder)
    for number in (1, 2):
        found.note(block(number), JOB)
    with (folder / "beside" / "7").open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ flip]))
    kept = [each for each, _ in left(folder)]
    assert kept in ([], [block(1)], [block(1), block(2)])


def test_what_belongs_to_another_journal_is_none_of_ours(tmp_path: Path) -> None:
    opened_in(tmp_path, frontend="another").note(block(1), JOB)
    assert left(tmp_path) == []


def test_the_file_has_its_size_from_the_start(tmp_path: Path) -> None:
    found = opened_in(tmp_path)
    found.note(block(1), JOB)
    assert (tmp_path / "beside" / "7").stat().st_size == FILE_BYTES


def test_when_it_is_full_that_is_said_once_and_mining_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FILE_BYTES", 1024)
    found = opened_in(tmp_path)
    with logged() as events:
        for number in range(10):
            found.note(block(number), JOB)
    kept = left(tmp_path)
    assert kept == [(block(number), JOB) for number in range(len(kept))]
    assert 0 < len(kept) < 10
    assert [event["event"] for event in events] == ["found_blocks_not_kept"]


def test_a_disk_that_refuses_is_said_once_and_mining_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = opened_in(tmp_path)

    def refuse(descriptor: int, data: bytes, place: int) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pwrite", refuse)
    with logged() as events:
        found.note(block(1), JOB)
        found.note(block(2), JOB)
        found.settle(bytes(32))
    assert [event["event"] for event in events] == ["found_blocks_not_kept"]
    monkeypatch.undo()
    assert left(tmp_path) == []


def test_without_a_file_mining_goes_on(tmp_path: Path) -> None:
    with logged() as events:
        found = opened_in(tmp_path / "nowhere" / "deeper")
        found.note(block(1), JOB)
        found.settle(block(1).block_hash or b"")
        found.close()
    assert (found.missing(), [event["event"] for event in events]) == ([], ["found_blocks_not_kept"])
