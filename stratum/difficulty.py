"""The difficulty of a session: what it should be, what was announced with which job, and the target that follows.

The number announced is the number judged by, bit for bit: the text on the wire parses to the very double that is kept.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Final

from msgspec import Struct

from pool.bitcoin.target import TARGET_MAX, difficulty_from_target, share_target, target_from_nbits

_NUMBER: Final = re.compile(r"[0-9]{1,20}(?:\.[0-9]{0,20})?(?:[eE][+-]?[0-9]{1,3})?")
_INTEGERS_BELOW: Final = 1 << 256  # float() of a longer integer may raise
_CACHED: Final = 4096  # as many as pool.bitcoin.target caches, for the same reason


class DifficultyBounds(Struct, frozen=True):
    """A port's difficulty and the range that its miners may ask for."""

    default: float
    minimum: float
    maximum: float

    def clamp(self, difficulty: float) -> float:
        return min(max(difficulty, self.minimum), self.maximum)


@lru_cache(maxsize=_CACHED)
def announceable(difficulty: float, nbits: int) -> float:
    """The nearest difficulty that may be announced: never harder than the network's, and whole from 1 on.

    Bitaxe (2025) and NerdQAxe cut fractions off, cgminer's integer and float paths differ: whole numbers mean the same
    to all.
    """
    capped = min(difficulty, difficulty_from_target(target_from_nbits(nbits)))
    return float(math.floor(capped)) if capped >= 1 else capped


@lru_cache(maxsize=_CACHED)
def judged_target(difficulty: float, nbits: int) -> bytes:
    """The target of a share whose job was announced with this difficulty: 32 bytes, little-endian.

    One part in 65535 above 0xffff * 2**208 / difficulty, because bfgminer reads whole difficulties as
    2**224 / difficulty and submits what meets that.
    """
    target = share_target(difficulty, nbits)
    return min(target + target // 0xFFFF, TARGET_MAX).to_bytes(32, "little")


def wire_text(difficulty: float) -> bytes:
    """As JSON: without exponent or fraction if whole, else the shortest text that parses to the same double."""
    return b"%d" % int(difficulty) if difficulty.is_integer() else repr(difficulty).encode()


def parse_difficulty(value: object) -> float | None:
    """A difficulty as a miner may write it, or None: a number, or one in a string (cpuminer-opt: `["0.500000"]`)."""
    if isinstance(value, str):
        number = float(value) if _NUMBER.fullmatch(value) else 0.0
    elif isinstance(value, int | float) and not isinstance(value, bool) and value < _INTEGERS_BELOW:
        number = float(value)
    else:
        return None
    return number if 0 < number < math.inf else None


class SessionDifficulty:
    """What one session wants, and since which job it was announced what.

    A wish takes effect with the next job; shares for earlier jobs keep the difficulty of those. Jobs are named by
    their number, which grows.
    """

    __slots__ = ("_announced", "_asked", "_bounds", "_floor", "_pinned", "_whole")

    def __init__(self, bounds: DifficultyBounds) -> None:
        self._bounds = bounds
        self._asked: float | None = None
        self._pinned = False
        self._whole = False
        self._floor = 0.0
        # (number of the first job, difficulty): nearly always one entry.
        self._announced: list[tuple[int, float]] = []

    def suggest(self, difficulty: float) -> None:
        """mining.suggest_difficulty: taken unless the owner set one in the password; firmwares suggest unasked
        (esp-miner's factory setting is 1000)."""
        if not self._pinned:
            self._asked = difficulty

    def pin(self, difficulty: float) -> None:
        """The password asks for it."""
        self._pinned = True
        self._asked = difficulty

    def set_floor(self, difficulty: float) -> bool:
        """BIP-0310 minimum-difficulty. Returns whether the port's range allows it."""
        if difficulty > self._bounds.maximum:
            return False
        self._floor = difficulty
        return True

    def avoid_fractions(self) -> None:
        """Nothing below 1 unless the miner asks for it, or the port or the network allow no more."""
        self._whole = True

    @property
    def current(self) -> float | None:
        """The difficulty of the newest job, if any was sent."""
        return self._announced[-1][1] if self._announced else None

    def announce(self, number: int, nbits: int, oldest: int) -> float | None:
        """Fix the difficulty of a job that is about to be sent; what to announce before it, or None if unchanged.

        oldest: number of the oldest job still known; what no job needs any more is forgotten.
        """
        difficulty = announceable(max(self._wanted(), self._floor), nbits)
        announced = self._announced
        if announced and announced[-1][1] == difficulty:
            return None
        while len(announced) > 1 and announced[1][0] <= oldest:
            del announced[0]
        announced.append((number, difficulty))
        return difficulty

    def at(self, number: int) -> float | None:
        """The difficulty announced with that job; None if the job is older than the session."""
        for first, difficulty in reversed(self._announced):
            if number >= first:
                return difficulty
        return None

    def _wanted(self) -> float:
        if self._asked is not None:
            return self._bounds.clamp(self._asked)
        default = self._bounds.default
        return max(default, min(1.0, self._bounds.maximum)) if self._whole else default
