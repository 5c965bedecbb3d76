"""pool.roles.sessions: files that any process may have written, or anybody."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pool.roles.sessions import FILE_BYTES_MAX, BadSessionFile, open_key, read, write
from stratum.remembered import REMEMBERED_MAX

ENTRIES = {"alice.rig1": (65536.0, 1_700_000_000_000), "bob": (0.0001, 1_700_000_000_001)}


def written(folder: Path, data: bytes) -> Path:
    path = folder / "0"
    path.write_bytes(data)
    return path


class TestKey:
    def test_it_is_made_once_for_the_pools_user_alone(self, tmp_path: Path) -> None:
        key = open_key(tmp_path / "sessions")
        assert open_key(tmp_path / "sessions") == key
        assert len(key) == 32
        assert (tmp_path / "sessions" / "key").stat().st_mode & 0o777 == 0o600
        assert [path.name for path in (tmp_path / "sessions").iterdir()] == ["key"]

    def test_two_pools_have_two(self, tmp_path: Path) -> None:
        assert open_key(tmp_path / "one") != open_key(tmp_path / "other")

    def test_one_that_is_cut_is_refused(self, tmp_path: Path) -> None:
        tmp_path.joinpath("key").write_bytes(b"short")
        with pytest.raises(ValueError, match="remove it"):
            open_key(tmp_path)


class TestDifficulties:
    def test_they_come_back_as_they_were(self, tmp_path: Path) -> None:
        write(tmp_path / "0", ENTRIES)
        assert read(tmp_path / "0") == ENTRIES

    def test_without_a_file_there_are_none(self, tmp_path: Path) -> None:
        assert read(tmp_path / "0") == {}

    def test_a_crash_while_writing_leaves_the_last_ones(self, tmp_path: Path) -> None:
        write(tmp_path / "0", ENTRIES)
        tmp_path.joinpath("0.tmp").write_bytes(b"{")
        assert read(tmp_path / "0") == ENTRIES

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"{",
            b"\xff",
            b"[]",
            b"[" * 100_000,
            b'{"version":2,"difficulties":{}}',
            b'{"version":1,"difficulties":{},"more":1}',
            b'{"version":1,"difficulties":{"alice":[1.0]}}',
            b'{"version":1,"difficulties":{"alice":["1",5]}}',
            b'{"version":1,"difficulties":{"alice":[0,5]}}',
            b'{"version":1,"difficulties":{"alice":[-1,5]}}',
            b'{"version":1,"difficulties":{"alice":[1e999,5]}}',
            b'{"version":1,"difficulties":{"alice":[1,-5]}}',
            b'{"version":1,"difficulties":{"alice":[1,99999999999999999999]}}',
            b'{"version":1,"difficulties":{"<script>":[1,5]}}',
        ],
    )
    def test_a_file_of_somebody_else_is_passed_over(self, tmp_path: Path, data: bytes) -> None:
        with pytest.raises(BadSessionFile):
            read(written(tmp_path, data))

    def test_and_one_that_is_too_long(self, tmp_path: Path) -> None:
        with pytest.raises(BadSessionFile, match="too large"):
            read(written(tmp_path, bytes(FILE_BYTES_MAX + 1)))
        many = {f"a.{number}": (1.0, 1) for number in range(REMEMBERED_MAX + 1)}
        with pytest.raises(BadSessionFile):
            read(written(tmp_path, msgspec.json.encode({"version": 1, "difficulties": many})))

    def test_a_folder_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(BadSessionFile):
            read(tmp_path)
