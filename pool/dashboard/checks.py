"""What a check of `/readyz` says."""

from __future__ import annotations

import enum

from msgspec import Struct


class State(enum.Enum):
    """Of a dependency. UNKNOWN: whoever could tell is down itself."""

    OK = "ok"
    WARN = "warn"
    DOWN = "down"
    UNKNOWN = "unknown"


class Check(Struct, frozen=True):
    """One dependency. text: what is; mend: what to do about it, None when there is nothing to do."""

    name: str
    state: State
    text: str
    mend: str | None = None
