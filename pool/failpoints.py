"""Where tests kill a process: named places between two steps that must survive it.

`STEPPE_FAILPOINTS="journal-written=3,candidate-written=1"` kills the process, as `kill -9` does, when it comes to a
place for the third, or first, time. Without it a place costs one look into an empty dictionary.
"""

from __future__ import annotations

import os
import signal

VARIABLE = "STEPPE_FAILPOINTS"


def parse(text: str) -> dict[str, int]:
    """Names and at which passing of each the process ends. Raises ValueError for what is not `NAME=COUNT,...`."""
    found = {}
    for part in filter(None, text.split(",")):
        name, _, count = part.partition("=")
        if not name or not count.isdecimal() or not int(count):
            raise ValueError(f"{VARIABLE}: {part!r} is not NAME=COUNT with a count of 1 or more")
        found[name] = int(count)
    return found


_left = parse(os.environ.get(VARIABLE, ""))


def hit(name: str) -> None:
    """A place that a test may name."""
    if _left and name in _left:
        _left[name] -= 1
        if not _left[name]:
            os.kill(os.getpid(), signal.SIGKILL)
