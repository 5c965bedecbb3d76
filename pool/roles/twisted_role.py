"""What the three Twisted roles share: a reactor on uvloop, a start that may fail with a reason, an orderly stop."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any, Protocol

import uvloop
from twisted.internet import asyncioreactor
from twisted.internet.defer import Deferred

from pool import events
from pool.supervisor import EXIT_CONFIGURATION


class CannotStart(Exception):
    """The configuration is well-formed, but this machine cannot work with it; the text says what and how to mend it."""


class Role(Protocol):
    """A role, built but not yet at work."""

    async def start(self) -> None:
        """Begin; when it returns the role is ready. Raises CannotStart for what a restart does not mend."""

    async def stop(self) -> None:
        """Wind down: nothing that was acknowledged may be lost by it."""


def run(name: str, build: Callable[[Any, asyncio.AbstractEventLoop], Role]) -> int:
    """Run a role until SIGINT or SIGTERM; returns the exit code of the process."""
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)
    from twisted.internet import reactor as installed

    reactor: Any = installed
    failures: list[BaseException] = []

    async def begin() -> None:
        try:
            await role.start()
        except CannotStart as error:
            failures.append(error)
            events.role_cannot_start(name, str(error))
            reactor.stop()
        except Exception as error:  # noqa: BLE001 - a bug; the supervisor starts another process
            failures.append(error)
            events.bug(name, error)
            reactor.stop()
        else:
            events.role_started(name, os.getpid())

    async def end() -> None:
        events.role_stopping(name, "cannot start" if failures else "told to")
        try:
            await role.stop()
        except Exception as error:  # noqa: BLE001 - it stops all the same
            events.bug(name, error)

    try:
        role = build(reactor, loop)
    except CannotStart as error:
        events.role_cannot_start(name, str(error))
        return EXIT_CONFIGURATION
    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(begin()))
    reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(end()))
    reactor.run()
    sys.stdout.flush()
    if not failures:
        return 0
    return EXIT_CONFIGURATION if isinstance(failures[0], CannotStart) else 1
