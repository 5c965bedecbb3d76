"""When a disk that was full has room again; pool/journal/room.py."""

import errno
from pathlib import Path

from pool.journal.room import has_room, is_full


def test_a_disk_with_hundreds_of_mib_has_room(tmp_path: Path) -> None:
    assert has_room(tmp_path)


def test_want_of_room_and_of_quota_are_told_from_other_errors() -> None:
    assert is_full(OSError(errno.ENOSPC, ""))
    assert is_full(OSError(errno.EDQUOT, ""))
    assert not is_full(OSError(errno.EIO, ""))
