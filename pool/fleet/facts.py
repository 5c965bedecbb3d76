"""What somebody said to hold for a time: rows of history with two times, when it holds and when it became known.

Nothing is overwritten. A correction is a row that names the one whose place it takes, so what was known at any moment
can be asked for ever. Source: docs/decisions/0070.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, TypeVar

from msgspec import Struct


class FleetRefused(ValueError):
    """Something about a fleet that cannot be taken. The text says what, where and how to mend it."""


class Fact(Struct, frozen=True, kw_only=True):
    """A row of history, of `[valid_from_ms, valid_to_ms)`; without an end it holds until something follows.

    A row that holds for no time at all withdraws what it replaces. row_id: 0 until it is recorded. replaces: the row
    whose place it takes. source: who says so, in words.
    """

    valid_from_ms: int
    valid_to_ms: int | None = None
    source: str = ""
    row_id: int = 0
    recorded_ms: int = 0
    replaces: int | None = None

    key_fields: ClassVar[tuple[str, ...]] = ()
    """What it is about: two rows about the same may not hold at the same time."""

    @property
    def key(self) -> tuple[str, ...]:
        """The values of `key_fields`."""
        return tuple(str(getattr(self, name)) for name in self.key_fields)

    def holds_at(self, valid_ms: int) -> bool:
        """Whether it holds at a time."""
        return self.valid_from_ms <= valid_ms and (self.valid_to_ms is None or valid_ms < self.valid_to_ms)

    @property
    def is_withdrawn(self) -> bool:
        """Whether it holds at no time."""
        return self.valid_to_ms is not None and self.valid_to_ms <= self.valid_from_ms


BOOKKEEPING = frozenset({"row_id", "recorded_ms", "replaces"})
"""Fields that say when something became known, not what."""

F = TypeVar("F", bound=Fact)


def known(facts: Iterable[F], recorded_ms: int | None = None) -> list[F]:
    """The rows that nothing has taken the place of, as of what was recorded by a time; None: by now."""
    told = [fact for fact in facts if recorded_ms is None or fact.recorded_ms <= recorded_ms]
    replaced = {fact.replaces for fact in told}
    return [fact for fact in told if fact.row_id not in replaced]


def holding(facts: Iterable[F], valid_ms: int, recorded_ms: int | None = None) -> list[F]:
    """What held at a time, as of what was recorded by another."""
    return [fact for fact in known(facts, recorded_ms) if fact.holds_at(valid_ms)]


def overlap(one: Fact, other: Fact) -> bool:
    """Whether there is a moment at which both hold."""
    if one.is_withdrawn or other.is_withdrawn:
        return False
    return _before(one.valid_from_ms, other.valid_to_ms) and _before(other.valid_from_ms, one.valid_to_ms)


def says(fact: Fact) -> dict[str, Any]:
    """What a row says, without when that became known."""
    return {name: getattr(fact, name) for name in fact.__struct_fields__ if name not in BOOKKEEPING}


def _before(time_ms: int, end_ms: int | None) -> bool:
    return end_ms is None or time_ms < end_ms
