"""The C programs of the benchmark, compiled when they are first wanted and kept in the user's cache."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Final, Literal

HERE: Final = Path(__file__).parent
NATIVE: Final = HERE.parents[1] / "native"
_FLAGS: Final = ("-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror")
_SHA256: Final = [NATIVE / f"{name}.c" for name in ("sha256", "sha256_portable", "sha256_ni")]
_SOURCES: Final = {
    "floor": [HERE / "floor.c"],
    "generator": [*(HERE / f"{name}.c" for name in ("generator", "miners", "work")), *_SHA256],
}
_HEADERS: Final = [*sorted(HERE.glob("*.h")), NATIVE / "sha256.h"]


def program(name: Literal["floor", "generator"]) -> Path:
    """The program, compiled from the sources as they are now. Raises subprocess.CalledProcessError."""
    digest = hashlib.sha256()
    for source in (*_SOURCES[name], *_HEADERS):
        digest.update(source.read_bytes())
    path = _cache() / f"{name}-{digest.hexdigest()[:16]}"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        subprocess.run(["cc", *_FLAGS, "-o", unfinished, *_SOURCES[name], "-lm"], check=True)
        unfinished.rename(path)
    return path


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "steppe" / "load"
