"""The difficulty of a session: what it should be, what was announced with which job, and the target that follows.

The number announced is the number judged by, bit for bit: the text on the wire parses to the very double that is kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from msgspec import Struct

from pool.bitcoin.target import TARGET_MAX, difficulty_from_target, share_target, target_from_nbits

_NUMBER: Final = re.compile(r"[0-9]{1,20}(?:\.[0-9]{0,20})?(?:[eE][+-]?[0-9]{1,3})?")
_TARGET: Final = re.compile(r"[0-9a-fA-F]{64}")
_INTEGERS_BELOW: Final = 1 << 256  # float() of a longer integer may raise
_CACHED: Final = 4096  # as many as pool.bitcoin.target caches, for the same reason


class DifficultyBounds(Struct, frozen=True):
    """A port's difficulty to begin with, the range it stays in, and how often a session should find a share. With
    minimum and maximum the same, the difficulty never changes."""

    default: float
    minimum: float
    maximum: float
    shares_per_minute: float = 6.0

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


def parse_target(value: object) -> float | None:
    """The difficulty of a target in 64 hex digits, as bfgminer suggests it; None for anything else."""
    if not isinstance(value, str) or not _TARGET.fullmatch(value):
        return None
    target = int(value, 16)
    return difficulty_from_target(target) if target else None


class SessionDifficulty:
    """What one session should have, and since which job it was announced what.

    A change takes effect with the next job; shares for earlier jobs keep the difficulty of those. Jobs are named by
    their number, which grows.

    Nobody may choose the difficulty of a job after hashing on it: a job counts only if it was sent, and a difficulty
    goes out only with a job that was made after it was wished for (decision 0010).
    """

    __slots__ = (
        "_announced",
        "_away",
        "_bounds",
        "_changed_at",
        "_floor",
        "_former",
        "_newest",
        "_pinned",
        "_recalled",
        "_suggested",
        "_variants",
        "_wanted",
        "_whole",
        "_wish",
    )

    def __init__(self, bounds: DifficultyBounds) -> None:
        self._bounds = bounds
        self._wanted: float | None = None
        self._suggested: float | None = None
        self._pinned = False
        self._whole = False
        self._floor = 0.0
        # (number of the first job, difficulty): nearly always one entry. None: those were not sent.
        self._announced: list[tuple[int, float | None]] = []
        # Whether jobs may have gone to others since the newest one: the session was resumed.
        self._away = False
        self._newest = 0
        # The variants among what was sent; of other jobs a session is sent every one.
        self._variants: set[int] = set()
        # What was wished for when `mark` was called last, and number of the newest job when that changed.
        self._wish: float | None = None
        self._changed_at = 0
        # Of a session that is resumed from the run before: what it was told, by the number of the job.
        self._former: Mapping[int, float] = {}
        self._recalled = False

    def begin(self) -> None:
        """The session has an extranonce1 now, which nobody could know before: what was wished for so far was not chosen
        after any hash."""
        self._wish, self._changed_at = self._wished(), 0

    def mark(self, number: int) -> None:
        """Note whether another difficulty is wished for. number: of the newest job there is."""
        if (wish := self._wished()) != self._wish:
            self._wish, self._changed_at = wish, number

    def may_take(self, number: int) -> bool:
        """Whether a job that the session was not sent may be sent now: not if it was there before the wish."""
        return number > max(self._newest, self._changed_at)

    def recall(self, difficulty: float) -> None:
        """What the worker's shares had when it was here last: better than what a firmware suggests."""
        if not self._pinned and not self._recalled:
            self._recalled = True
            self._wanted = self._bounds.clamp(max(difficulty, self._least()))

    def inherit(self, other: SessionDifficulty) -> None:
        """Go on from an earlier session: whatever job it was sent keeps the difficulty it had."""
        self._announced = list(other._announced)
        self._newest = other._newest
        self._away = True
        self._variants = set(other._variants)
        self._wish, self._changed_at = other._wish, other._changed_at
        self._former = other._former
        if other.current is not None:
            self.recall(other.current if other._wanted is None else other._wanted)

    def restore(self, former: Mapping[int, float], newest: int) -> None:
        """Go on from a session of the run before, of which only this is known. newest: what its last job's number can
        be at most."""
        self._former = former
        self._newest = newest
        if former:
            self.recall(former[max(former)])

    def suggest(self, difficulty: float) -> None:
        """mining.suggest_difficulty: where to go on from, unless the owner set one in the password; firmwares suggest
        unasked (esp-miner's factory setting is 1000). The same again is a sign of life, no wish (NerdMiner: each 30
        s)."""
        if self._pinned or difficulty == self._suggested:
            return
        if not self._recalled or self._suggested is not None:
            self._wanted = self._bounds.clamp(difficulty)
        self._suggested = difficulty

    def pin(self, difficulty: float) -> None:
        """The password asks for it; it stays."""
        self._pinned = True
        self._suggested = difficulty
        self._wanted = self._bounds.clamp(difficulty)

    def set_floor(self, difficulty: float) -> bool:
        """BIP-0310 minimum-difficulty, or the password. Returns whether the port's range allows it."""
        if difficulty > self._bounds.maximum:
            return False
        self._floor = difficulty
        return True

    def adapt(self, difficulty: float, nbits: int) -> bool:
        """The miner's pace asks for it. Returns whether the next job, if it has these nbits, will announce another
        difficulty than the last."""
        if self._pinned:
            return False
        self._wanted = self._bounds.clamp(max(difficulty, self._least()))
        return self.differs(nbits)

    def avoid_fractions(self) -> None:
        """Nothing below 1 unless the miner asks for it, or the port or the network allow no more."""
        self._whole = True

    @property
    def current(self) -> float | None:
        """The difficulty of the newest job, if any was sent."""
        return self._announced[-1][1] if self._announced else None

    @property
    def newest(self) -> int:
        """Number of the newest job that was sent, or 0."""
        return self._newest

    def announce(self, number: int, nbits: int, oldest: int, *, variant: bool = False) -> float | None:
        """Fix the difficulty of a job that is about to be sent; what to announce before it, or None if unchanged.

        oldest: number of the oldest job still known; what no job needs any more is forgotten.
        """
        if number <= self._newest:
            return None  # the session that this one resumes was sent it: that holds
        if self._away and self._announced and number > self._newest + 1:
            self._announced.append((self._newest + 1, None))
        self._away = False
        self._newest = number
        if variant:
            self._variants = {each for each in self._variants if each >= oldest} | {number}
        difficulty = self.due(nbits)
        announced = self._announced
        if announced and announced[-1][1] == difficulty:
            return None
        while len(announced) > 1 and announced[1][0] <= oldest:
            del announced[0]
        announced.append((number, difficulty))
        return difficulty

    def at(self, number: int, *, variant: bool = False) -> float | None:
        """The difficulty announced with that job; None if the session was not sent it."""
        if number > self._newest or (variant and number not in self._variants):
            return None if number > self._newest else self._former.get(number)
        for first, difficulty in reversed(self._announced):
            if number >= first:
                return difficulty
        return self._former.get(number)

    def differs(self, nbits: int) -> bool:
        """Whether another difficulty than the newest job's is due."""
        return self.due(nbits) != self.current

    def due(self, nbits: int) -> float:
        """What the next job of these nbits should have."""
        return announceable(self._wished(), nbits)

    def _wished(self) -> float:
        default = max(self._bounds.default, self._least())
        return max(default if self._wanted is None else self._wanted, self._floor)

    def _least(self) -> float:
        if not self._whole or (self._suggested is not None and self._suggested < 1):
            return 0.0
        return min(1.0, self._bounds.maximum)
