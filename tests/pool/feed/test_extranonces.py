"""The file of extranonces set aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from pool.feed.extranonces import open_extranonces
from pool.work.extranonce import STRIDE, keyed_permutation

KEY = b"of the session ids"


def permuted(counter: int) -> bytes:
    return keyed_permutation(KEY)(counter).to_bytes(3, "big")


def test_the_first_run_begins_at_zero(tmp_path: Path) -> None:
    assert open_extranonces(tmp_path / "extranonces", 3, KEY).take() == b"\x03" + permuted(0)


def test_the_next_run_begins_behind_what_was_set_aside(tmp_path: Path) -> None:
    open_extranonces(tmp_path / "extranonces", 3, KEY).take()
    assert open_extranonces(tmp_path / "extranonces", 3, KEY).take() == b"\x03" + permuted(STRIDE)


def test_a_run_that_gave_out_nothing_sets_nothing_aside(tmp_path: Path) -> None:
    open_extranonces(tmp_path / "extranonces", 3, KEY)
    assert not (tmp_path / "extranonces").exists()


def test_a_line_that_a_crash_cut_off_was_never_in_force(tmp_path: Path) -> None:
    (tmp_path / "extranonces").write_text("4096\n81")
    assert open_extranonces(tmp_path / "extranonces", 0, KEY).take() == b"\x00" + permuted(4096)


@pytest.mark.parametrize("content", ["something else\n", "-1\n", f"{1 << 24}\n"])
def test_a_file_of_something_else_is_refused_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "extranonces").write_text(content)
    with pytest.raises(ValueError, match=r"extranonces should hold .*: remove it"):
        open_extranonces(tmp_path / "extranonces", 0, KEY)
