"""Files that are whole or not there, whatever fails."""

from __future__ import annotations

import os
from pathlib import Path

# Of a file that is not whole yet; what a crash left under such a name may be deleted.
UNFINISHED = ".tmp"


def write_durably(path: Path, *pieces: bytes) -> None:
    """Create or replace a file; on return it is on the disk, and at no moment is it there in part. Raises OSError."""
    unfinished = path.with_name(path.name + UNFINISHED)
    with unfinished.open("wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    # The new name is part of the folder, not of the file.
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
