"""When a disk that was full has room again."""

from __future__ import annotations

import errno
import os
from pathlib import Path

# Minutes of shares. With less the journal would be full again before the miners are back, and so send them to and fro.
_ROOM_BYTES = 64 * 1024 * 1024
# Of a small disk, this part of it.
_ROOM_PART = 20

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def is_full(error: OSError) -> bool:
    """Whether it was for want of room that a write failed."""
    return error.errno in _NO_ROOM


def has_room(folder: Path) -> bool:
    """Whether a journal there may go on. Raises OSError."""
    disk = os.statvfs(folder)
    return disk.f_bavail >= min(_ROOM_BYTES // disk.f_frsize, disk.f_blocks // _ROOM_PART)
