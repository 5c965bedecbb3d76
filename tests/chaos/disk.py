"""The disk of the journals: a small file system of its own, which can be filled, or where that may not be mounted one
that a shim makes fail."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.chaos.shims import FailingDisk

# What an hour of chaos writes, several times; a filler takes the rest in a moment.
SIZE_MIB = 48
_CHUNK = b"\0" * 65536


class JournalDisk:
    """Where the journals lie. is_mounted: it is a file system of its own, so that a full one is really full."""

    def __init__(self, folder: Path, journals: Path) -> None:
        self._journals = journals
        self._filler = journals / "filler"
        self._failing = FailingDisk(folder, journals)
        self.is_mounted = False

    @property
    def environment(self) -> Mapping[str, str]:
        """For the programs that write there."""
        return self._failing.environment

    def open(self) -> None:
        """Mount it, if this user may."""
        self._journals.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m,mode=0750", "steppe-chaos", str(self._journals)]
        self.is_mounted = os.getuid() == 0 and subprocess.run(command, check=False, capture_output=True).returncode == 0

    def close(self) -> None:
        """Unmount it; what is on it is kept where it was."""
        if not self.is_mounted:
            return
        kept = self._journals.with_name("journal.kept")
        shutil.copytree(self._journals, kept)
        subprocess.run(["umount", str(self._journals)], check=True)
        self._journals.rmdir()
        kept.rename(self._journals)
        self.is_mounted = False

    def fill(self) -> None:
        """No room is left."""
        if not self.is_mounted:
            self._failing.fill()
            return
        with contextlib.suppress(OSError), self._filler.open("wb", buffering=0) as file:
            while True:
                file.write(_CHUNK)

    def refuse_writes(self) -> None:
        """It fails at each write."""
        self._failing.refuse_writes()

    def refuse_syncs(self) -> None:
        """It fails at each sync."""
        self._failing.refuse_syncs()

    def mend(self) -> None:
        """It is as good as new."""
        self._failing.work()
        self._filler.unlink(missing_ok=True)
