"""What a credential sees: the whole pool, or one account, site or fleet of it."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

ScopeKind = Literal["pool", "account", "site", "fleet"]

_NAME = {
    "account": re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII),
    "site": re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII),
    "fleet": re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}(/[A-Za-z0-9][A-Za-z0-9_.-]{0,63}){0,7}", re.ASCII),
}


class AccessRefused(Exception):
    """Something about access cannot be done as it was asked for. The text says why, and how to mend it."""


class Scope(Struct, frozen=True):
    """A part of the pool. name: empty for the pool itself."""

    kind: ScopeKind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind


POOL = Scope("pool")


def parse_scope(text: str) -> Scope:
    """`pool`, `account:NAME`, `site:NAME` or `fleet:NAME`. Raises AccessRefused."""
    kind, _, name = text.partition(":")
    if text == "pool":
        return POOL
    if kind in ("account", "site", "fleet") and _NAME[kind].fullmatch(name):
        return Scope(kind, name)  # type: ignore[arg-type]
    raise AccessRefused(f"{text!r} is no scope: write pool, account:NAME, site:NAME or fleet:NAME")
