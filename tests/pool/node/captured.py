"""The events that a test's code logged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from twisted.logger import globalLogPublisher


@contextmanager
def captured_events() -> Iterator[list[dict[str, Any]]]:
    """Every event of `pool.events` inside the block, in order."""
    logged: list[dict[str, Any]] = []

    def observe(event: dict[str, Any]) -> None:
        if "event" in event:
            logged.append(event)

    observer: Any = observe
    globalLogPublisher.addObserver(observer)
    try:
        yield logged
    finally:
        globalLogPublisher.removeObserver(observer)


def names(logged: list[dict[str, Any]]) -> list[str]:
    """Their names."""
    return [event["event"] for event in logged]
