"""The power of the machine that the pool runs on: when it is cut, the disk of the journals has what a disk then has."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.chaos.powercut import Disk, PowerCut


class Power:
    """Of the journals below a folder, which are written by programs with `environment`."""

    def __init__(self, folder: Path, journals: Path) -> None:
        self._journals = journals
        self._before = folder / "power.before"
        self._left = folder / "power.left"
        self._log = folder / "power.notes"
        self._cut = PowerCut(journals, self._log, folder / "power.marks")

    @property
    def environment(self) -> Mapping[str, str]:
        return self._cut.environment

    def on(self) -> None:
        """From now on it is known what the disk has; nothing may be running yet."""
        shutil.rmtree(self._before, ignore_errors=True)
        shutil.copytree(self._journals, self._before)
        self._log.unlink(missing_ok=True)

    def cut(self, seed: int) -> None:
        """Leave in the journals what the disk would have; everything that wrote there must have been killed."""
        disk = Disk(self._before)
        for note in self._cut.notes():
            disk.take(note)
        shutil.rmtree(self._left, ignore_errors=True)
        disk.left(self._left, seed)
        for path in self._journals.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self._left, self._journals, dirs_exist_ok=True)
        self.on()
