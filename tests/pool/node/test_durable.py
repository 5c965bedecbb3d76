"""Files that are whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pool.node.durable import write_durably


def test_a_file_is_written(tmp_path: Path) -> None:
    write_durably(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content"


def test_a_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a longer earlier content")
    write_durably(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content"


def test_nothing_else_is_left(tmp_path: Path) -> None:
    write_durably(tmp_path / "file", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_a_crash_left_unfinished_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "file.tmp").write_bytes(b"half a fi")
    write_durably(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content"


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_durably(tmp_path / "folder" / "file", b"content")
