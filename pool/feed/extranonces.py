"""A stratum process's extranonces, with what was set aside kept in a file."""

from __future__ import annotations

import os
from pathlib import Path

from pool.work.extranonce import RANGE_SIZE, ExtranonceRange, keyed_permutation


def open_extranonces(path: Path, range_id: int, key: bytes) -> ExtranonceRange:
    """The range of this process, behind everything that an earlier run with this file can have used. key: secret, the
    same in every run; with another one values may come twice.

    Raises OSError if the file cannot be read, ValueError if it is another's.
    """
    return ExtranonceRange(range_id, _last_line(path), lambda reserved: _append(path, reserved), keyed_permutation(key))


def _last_line(path: Path) -> int:
    """A line without its end was being written at a crash: nothing of what it sets aside was used."""
    try:
        lines = path.read_text(encoding="ascii").split("\n")[:-1]
    except FileNotFoundError:
        return 0
    try:
        reserved = int(lines[-1]) if lines else 0
    except ValueError as error:
        raise ValueError(f"{path} should hold extranonce counters, one on a line: remove it ({error})") from error
    if not 0 <= reserved < RANGE_SIZE:
        raise ValueError(f"{path} should hold extranonce counters below {RANGE_SIZE}: remove it")
    return reserved


def _append(path: Path, reserved: int) -> None:
    with path.open("a", encoding="ascii") as file:
        file.write(f"{reserved}\n")
        file.flush()
        os.fsync(file.fileno())
