"""Patterns of worker names: `*` is any run of characters, everything else is itself."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from pool.fleet.facts import FleetRefused

WORKER_CHARACTERS_MAX = 64  # as `stratum.login` takes them

_PATTERN = re.compile(r"[A-Za-z0-9_.:*-]{0,128}")


def check_pattern(pattern: str) -> str:
    """The pattern, or FleetRefused if there is no worker that it could fit."""
    if not _PATTERN.fullmatch(pattern):
        raise FleetRefused(
            f"pattern {pattern!r} fits no worker: names have letters, digits, _ . : and -, and * stands for any of them"
        )
    if literal(pattern) > WORKER_CHARACTERS_MAX:
        raise FleetRefused(f"pattern {pattern!r} fits no worker: names have at most {WORKER_CHARACTERS_MAX} characters")
    return re.sub(r"\*+", "*", pattern)


def literal(pattern: str) -> int:
    """How many characters of a pattern are themselves: of several patterns that fit, the one with most counts."""
    return len(pattern) - pattern.count("*")


def fits(pattern: str, worker: str) -> bool:
    """Whether a worker is meant."""
    return _compiled(pattern).fullmatch(worker) is not None


def common(one: str, other: str) -> str | None:
    """A worker that both patterns fit, the shortest there is; None if there is none."""

    @cache
    def rest(at: int, beside: int) -> str | None:
        """The shortest name that fits what is left of both."""
        mine, yours = one[at : at + 1], other[beside : beside + 1]
        if not mine and not yours:
            return ""
        found = []
        if mine == "*":
            found.append(rest(at + 1, beside))
        if yours == "*":
            found.append(rest(at, beside + 1))
        if mine == "*" and yours not in ("*", ""):
            found.append(_led(yours, rest(at, beside + 1)))
        elif yours == "*" and mine not in ("*", ""):
            found.append(_led(mine, rest(at + 1, beside)))
        elif mine == yours and mine != "*":
            found.append(_led(mine, rest(at + 1, beside + 1)))
        return min((name for name in found if name is not None), key=len, default=None)

    name = rest(0, 0)
    return name if name is not None and len(name) <= WORKER_CHARACTERS_MAX else None


def _led(character: str, name: str | None) -> str | None:
    return None if name is None else character + name


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))))
