"""Twisted's reactor beside a test that waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet import reactor as installed
from twisted.internet import threads
from twisted.internet.defer import Deferred

T = TypeVar("T")

reactor: Any = installed
_blocking_call: Any = threads.blockingCallFromThread


def start() -> None:
    """Run the reactor in a thread of its own, once for all tests of this process; it ends with the process."""
    if not reactor.running:
        running = threading.Event()
        reactor.callWhenRunning(running.set)
        threading.Thread(target=reactor.run, kwargs={"installSignalHandlers": False}, daemon=True).start()
        assert running.wait(10)


def wait_for(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that runs on the reactor."""
    result: T = _blocking_call(reactor, lambda: Deferred.fromCoroutine(coroutine))
    return result


def on_reactor(call: Callable[[], T]) -> T:
    """The result of a call made on the reactor's thread."""
    result: T = _blocking_call(reactor, call)
    return result


def begin(coroutine: Coroutine[Any, Any, T]) -> Deferred[T]:
    """A coroutine that goes on running on the reactor."""
    begun: list[Deferred[T]] = []
    on_reactor(lambda: begun.append(Deferred.fromCoroutine(coroutine)))
    return begun[0]


def result(deferred: Deferred[T]) -> T:
    """What a Deferred of the reactor's thread gives; waits for it. Raises its failure."""

    async def wait() -> T:
        return await deferred

    return wait_for(wait())
