"""Reads requirements/*.txt, as scripts/pin writes them."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct
from packaging.markers import Marker

FOLDER = Path(__file__).parents[2] / "requirements"
_PIN = re.compile(r"^([a-z0-9.-]+)==(\S+)(?: ; (.+?))? \\\n((?:    .+\n?)+)", re.MULTILINE)


class Pin(Struct, frozen=True):
    """One package. needed_by: names of packages, `steppe (pyproject.toml)` or `-r FILE`."""

    name: str
    version: str
    marker: str | None
    hashes: tuple[str, ...]
    needed_by: tuple[str, ...]

    def applies(self, **environment: str) -> bool:
        """Whether it is installed on this machine, or on another that differs so: see packaging.markers."""
        return self.marker is None or Marker(self.marker).evaluate(environment)


def pins(lock: str) -> tuple[Pin, ...]:
    """What a lock holds."""
    return tuple(
        Pin(
            name,
            version,
            marker or None,
            tuple(re.findall(r"--hash=(\S+)", rest)),
            tuple(each for each in re.findall(r"#(?: {1,3}via)? *(\S.*)$", rest, re.MULTILINE) if each != "via"),
        )
        for name, version, marker, rest in _PIN.findall((FOLDER / lock).read_text())
    )
