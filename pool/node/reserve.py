"""Room that is set aside for blocks, so that one can be kept when the disk is full.

It is files of full length in the folder of the candidates, `reserve-N`. A block is written over one of them, which then
gets the block's name: nothing is given back to the disk that the journal, or anyone else, could take first.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from pathlib import Path

from pool import disk_events
from pool.node.durable import UNFINISHED, sync_folder

# A block of 4,000,000 bytes (BIP-0141) in hex, and a line's end.
PART_BYTES = 8 * 1024 * 1024

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def is_full(error: OSError) -> bool:
    """Whether it was for want of room that a write failed."""
    return error.errno in _NO_ROOM


class Reserve:
    """The parts of one folder. wanted: how many; 0 for none. Its methods may be called from any thread."""

    def __init__(self, folder: Path, wanted: int, part_bytes: int = PART_BYTES) -> None:
        self._folder = folder
        self._paths = [folder / f"reserve-{number}" for number in range(wanted)]
        self._part_bytes = part_bytes
        self._incomplete = False
        self._in_use = threading.Lock()

    @property
    def parts(self) -> list[Path]:
        """Those that are there, as they should be."""
        return [path for path in self._paths if self._is_whole(path)]

    def fill(self) -> None:
        """Set aside what is missing, as far as there is room; never waits for a block that is being written."""
        if not self._in_use.acquire(blocking=False):
            return
        try:
            for path in self._paths:
                if not self._is_whole(path):
                    self._make(path)
        except OSError as error:
            if not self._incomplete:
                self._incomplete = True
                disk_events.reserve_incomplete(self._folder, len(self.parts), len(self._paths), str(error))
        else:
            self._incomplete = False
        finally:
            self._in_use.release()

    def write(self, path: Path, *pieces: bytes) -> bool:
        """Keep data under a name, in a part that is there; on return it is on the disk. False if no part fits.

        Raises OSError. A crash on the way leaves the whole file, or a part that is made anew.
        """
        with self._in_use:
            return self._write(path, pieces)

    def _write(self, path: Path, pieces: tuple[bytes, ...]) -> bool:
        parts = self.parts
        if not parts or sum(map(len, pieces)) > self._part_bytes:
            return False
        part = parts[0]
        with part.open("r+b") as file:
            for piece in pieces:
                file.write(piece)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        try:
            part.replace(path)
        except OSError as error:
            # The folder itself may need room for the longer name.
            if not is_full(error) or len(parts) < 2:
                raise
            parts.pop().unlink()
            part.replace(path)
        sync_folder(path.parent)
        disk_events.reserve_used(path, len(parts) - 1)
        return True

    def _is_whole(self, path: Path) -> bool:
        try:
            return path.stat().st_size == self._part_bytes
        except FileNotFoundError:
            return False

    def _make(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        unfinished = path.with_name(path.name + UNFINISHED)
        try:
            with unfinished.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._part_bytes)
                os.fsync(file.fileno())
            unfinished.rename(path)
        except OSError:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise
