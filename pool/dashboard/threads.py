"""Blocking reads, away from the reactor's thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class InThread(Protocol):
    """Runs a function elsewhere: `twisted.internet.threads.deferToThread`."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...
