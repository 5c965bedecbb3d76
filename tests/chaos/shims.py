"""Libraries that stand between a program and the system: a clock that steps, a disk that fails."""

from __future__ import annotations

import struct
import time
from collections.abc import Mapping
from pathlib import Path

from tests.compiled import compiled

HERE = Path(__file__).parent
_FLAGS = ("-shared", "-fPIC", "-ldl")


class Orders:
    """A small file that a library reads at each call; here its numbers are set."""

    def __init__(self, path: Path, count: int) -> None:
        self._path = path
        self._format = f"={count}q"
        path.write_bytes(struct.pack(self._format, *[0] * count))

    def set(self, *numbers: int) -> None:
        """Takes effect at once, in every program."""
        with self._path.open("r+b") as file:
            file.write(struct.pack(self._format, *numbers))


class SteppingClock:
    """The wall clock of programs that run with `environment`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "clock"
        self._orders = Orders(self._path, 2)

    @property
    def environment(self) -> Mapping[str, str]:
        return {"LD_PRELOAD": str(_library("clock")), "STEPPE_CHAOS_CLOCK": str(self._path)}

    def step(self, seconds: float) -> None:
        """It is so far ahead of the true time from now on; 0 sets it right."""
        self._orders.set(int(seconds * 1e9), 0)

    def freeze(self) -> None:
        """It stands still."""
        self._orders.set(0, time.time_ns())


class FailingDisk:
    """The files below a folder, for programs that run with `environment`."""

    _WELL, _FULL, _UNWRITABLE, _UNSYNCABLE = range(4)

    def __init__(self, folder: Path, below: Path) -> None:
        self._path = folder / "disk"
        self._below = below
        self._orders = Orders(self._path, 1)

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "LD_PRELOAD": str(_library("disk")),
            "STEPPE_CHAOS_DISK": str(self._path),
            "STEPPE_CHAOS_DISK_FOLDER": str(self._below.resolve()),
        }

    def work(self) -> None:
        """It takes and keeps everything."""
        self._orders.set(self._WELL)

    def fill(self) -> None:
        """It is full."""
        self._orders.set(self._FULL)

    def refuse_writes(self) -> None:
        """It fails at each write."""
        self._orders.set(self._UNWRITABLE)

    def refuse_syncs(self) -> None:
        """It fails at each sync; what was written before it may be gone or not."""
        self._orders.set(self._UNSYNCABLE)


def _library(name: str) -> Path:
    return compiled(f"{name}.so", [HERE / f"{name}.c"], flags=_FLAGS)


def preloaded(*environments: Mapping[str, str]) -> dict[str, str]:
    """One environment of several."""
    together = {key: value for environment in environments for key, value in environment.items()}
    if libraries := [each["LD_PRELOAD"] for each in environments]:
        together["LD_PRELOAD"] = ":".join(libraries)
    return together
