"""The C programs of the benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from tests.compiled import compiled

HERE: Final = Path(__file__).parent
NATIVE: Final = HERE.parents[1] / "native"
_SHA256: Final = [NATIVE / f"{name}.c" for name in ("sha256", "sha256_portable", "sha256_ni")]
_SOURCES: Final = {
    "floor": [HERE / "floor.c"],
    "generator": [*(HERE / f"{name}.c" for name in ("generator", "miners", "work")), *_SHA256],
}
_HEADERS: Final = [*sorted(HERE.glob("*.h")), NATIVE / "sha256.h"]


def program(name: Literal["floor", "generator"]) -> Path:
    """The program, compiled from the sources as they are now. Raises subprocess.CalledProcessError."""
    return compiled(name, _SOURCES[name], _HEADERS, ["-lm"])
