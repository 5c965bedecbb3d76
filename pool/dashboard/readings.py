"""What came of asking a source: a value, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Generic, TypeVar

from msgspec import Struct
from twisted.internet.defer import Deferred

from pool.dashboard.ports import SourceUnavailable

T = TypeVar("T")
U = TypeVar("U")


class Reading(Struct, Generic[T], frozen=True):
    """Exactly one of the two is set."""

    value: T | None = None
    reason: str | None = None


async def reading(answer: Awaitable[T]) -> Reading[T]:
    """Wait for a source; its failure is a value too, so that the rest of an answer goes on without it."""
    try:
        return Reading(value=await answer)
    except SourceUnavailable as unavailable:
        return Reading(reason=str(unavailable))


async def together(first: Awaitable[T], second: Awaitable[U]) -> tuple[Reading[T], Reading[U]]:
    """Two sources at once: if both hang, the asker waits once."""
    both = Deferred.fromCoroutine(reading(first)), Deferred.fromCoroutine(reading(second))
    return await both[0], await both[1]


def unavailable(**readings: Reading[Any]) -> dict[str, str]:
    """The reason of each source that failed, by its name: the `unavailable` part of an answer."""
    return {name: each.reason for name, each in readings.items() if each.reason is not None}
