"""What a test of a journal leaves open ends with it, as with a process that is killed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    """Else there are so many in the end that a later test of the same worker meets its limit, or that of select(2)."""
    before = _open_files()
    yield
    for descriptor, path in _open_files().items():
        is_ours = path.startswith(f"{tempfile.gettempdir()}/") or path == os.devnull
        if is_ours and before.get(descriptor) != path:
            os.close(descriptor)


def _open_files() -> dict[int, str]:
    """What each descriptor of this process is."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the list's own
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
    return found
