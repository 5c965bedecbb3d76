"""C programs and libraries of the tests, compiled when they are first wanted and kept in the user's cache."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_FLAGS: Final = ("-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror")


def compiled(name: str, sources: Sequence[Path], headers: Sequence[Path] = (), flags: Sequence[str] = ()) -> Path:
    """What the sources as they are now make. Raises subprocess.CalledProcessError."""
    digest = hashlib.sha256(" ".join(flags).encode())
    for source in (*sources, *headers):
        digest.update(source.read_bytes())
    path = _cache() / f"{name}-{digest.hexdigest()[:16]}"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        subprocess.run(["cc", *_FLAGS, "-o", unfinished, *sources, *flags], check=True)
        unfinished.rename(path)
    return path


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "steppe" / "tests"
