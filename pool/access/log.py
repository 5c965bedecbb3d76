"""The log of access: who did what, when, from where, with what result. Each row has the hash of the one before in its
own, so that one that is changed or missing shows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec
from msgspec import Struct

FIRST = "0" * 64
TEXT_MAX = 300


class Entry(Struct, frozen=True):
    """One thing that was done or tried. who: as operator:anna, link:noc, cli:root, nobody. origin: an address, or this
    machine. result: done, begun, or what was said against it."""

    time_ms: int
    who: str
    action: str
    target: str
    origin: str
    result: str


class Row(Struct, frozen=True):
    """An entry as it is kept."""

    id: int
    entry: Entry
    hash: str


class Sought(Struct, frozen=True):
    """Which rows. words: each in one of its texts, in either case; result: done, begun, or refused for all others."""

    words: tuple[str, ...] = ()
    result: str = ""


class Excerpt(Struct, frozen=True):
    """Some rows, from the newest on. found: how many there are of those that were sought; kept: of all."""

    rows: tuple[Row, ...]
    found: int
    kept: int


RESULTS = ("done", "begun", "refused")
"""What can be sought."""


def entry(time_ms: int, who: str, action: str, target: str, origin: str, result: str) -> Entry:
    """With every text cut to what a row has room for."""
    return Entry(time_ms, *(text[:TEXT_MAX] for text in (who, action, target, origin, result)))


def chained(previous: str, number: int, said: Entry) -> str:
    """The hash of a row."""
    text = msgspec.json.encode([previous, number, *msgspec.structs.astuple(said)])
    return hashlib.sha256(text).hexdigest()


def broken(rows: Iterable[Row]) -> int | None:
    """The first row, of all from the oldest on, that is not what it was or has one missing before it."""
    previous, expected = FIRST, 1
    for row in rows:
        if row.id != expected or row.hash != chained(previous, row.id, row.entry):
            return expected
        previous, expected = row.hash, row.id + 1
    return None
