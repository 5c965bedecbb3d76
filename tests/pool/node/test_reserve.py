"""Room set aside for blocks; pool/node/reserve.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from pool.node.reserve import PART_BYTES, Reserve
from tests.pool.journal.samples import logged

PART = 100_000


def reserve(folder: Path, wanted: int = 3) -> Reserve:
    made = Reserve(folder, wanted, PART)
    made.fill()
    return made


def test_a_part_holds_the_largest_block_in_hex() -> None:
    assert PART_BYTES >= 2 * 4_000_000 + 1


def test_its_parts_really_take_their_room(tmp_path: Path) -> None:
    reserve(tmp_path)
    assert [path.stat().st_size for path in tmp_path.iterdir()] == [PART] * 3
    assert all(path.stat().st_blocks * 512 >= PART for path in tmp_path.iterdir())


def test_what_is_written_is_a_part_under_another_name(tmp_path: Path) -> None:
    made = reserve(tmp_path)
    inodes = {path.stat().st_ino for path in tmp_path.iterdir()}
    with logged() as names:
        assert made.write(tmp_path / "a-block", b"content")
    assert (tmp_path / "a-block").read_bytes() == b"content"
    assert (tmp_path / "a-block").stat().st_ino in inodes
    assert len(made.parts) == 2
    assert names == ["reserve_used"]


def test_when_it_is_used_up_nothing_is_written(tmp_path: Path) -> None:
    made = reserve(tmp_path, 1)
    made.write(tmp_path / "first", b"1")
    assert not made.write(tmp_path / "second", b"2")
    assert not (tmp_path / "second").exists()


def test_what_is_larger_than_a_part_is_not_written(tmp_path: Path) -> None:
    made = reserve(tmp_path)
    assert not made.write(tmp_path / "block", bytes(PART + 1))
    assert len(made.parts) == 3


def test_it_is_filled_again(tmp_path: Path) -> None:
    made = reserve(tmp_path)
    made.write(tmp_path / "block", b"content")
    made.fill()
    assert len(made.parts) == 3


def test_a_part_that_a_crash_left_half_written_is_made_anew(tmp_path: Path) -> None:
    reserve(tmp_path)
    (tmp_path / "reserve-1").write_bytes(b"half a block")
    assert len(reserve(tmp_path).parts) == 3


def test_none_is_wanted_and_none_is_there(tmp_path: Path) -> None:
    assert reserve(tmp_path, 0).parts == []
    assert not reserve(tmp_path, 0).write(tmp_path / "block", b"content")


def test_a_reserve_that_cannot_be_made_is_said_once_and_tried_again(tmp_path: Path) -> None:
    made = Reserve(tmp_path / "missing", 2, PART)
    with logged() as names:
        made.fill()
        made.fill()
    assert names == ["reserve_incomplete"]
    (tmp_path / "missing").mkdir()
    made.fill()
    assert len(made.parts) == 2


@pytest.mark.parametrize("wanted", [0, 2])
def test_parts_are_no_candidates(tmp_path: Path, wanted: int) -> None:
    from pool.node.spool import CandidateSpool

    assert CandidateSpool(tmp_path, wanted).pending() == ()
