"""What a probe found."""

from __future__ import annotations

import enum

from msgspec import Struct


class Health(enum.Enum):
    """In the order of how bad it is."""

    GOOD = "good"
    UNKNOWN = "unknown"
    WARNING = "warning"
    BAD = "bad"


class Finding(Struct, frozen=True):
    """One thing that was looked at. what: its name, the same each time. text: how it is. mend: what to do, if it is not
    good."""

    what: str
    health: Health
    text: str
    mend: str = ""


def good(what: str, text: str) -> Finding:
    return Finding(what, Health.GOOD, text)


def unknown(what: str, text: str, mend: str = "") -> Finding:
    """It could not be looked at, because something else is not there."""
    return Finding(what, Health.UNKNOWN, text, mend)


def warning(what: str, text: str, mend: str) -> Finding:
    """The pool works, and something should be done."""
    return Finding(what, Health.WARNING, text, mend)


def bad(what: str, text: str, mend: str) -> Finding:
    """The pool does not work, or would lose something."""
    return Finding(what, Health.BAD, text, mend)
