"""What the three Twisted roles share: a reactor on uvloop, a start that may fail with a reason, an orderly stop."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import uvloop
from twisted.internet import asyncioreactor
from twisted.internet.defer import Deferred
from twisted.internet.main import installReactor

from pool import events
from pool.supervisor import EXIT_CONFIGURATION, has_terminal


class CannotStart(Exception):
    """The configuration is well-formed, but this machine cannot work with it; the text says what and how to mend it."""


class Role(ABC):
    """A role, built but not yet at work."""

    @abstractmethod
    async def start(self) -> None:
        """Begin; when it returns the role is ready. Raises CannotStart for what a restart does not mend."""

    @abstractmethod
    async def stop(self) -> None:
        """Wind down: nothing that was acknowledged may be lost by it."""

    def reload(self) -> None:  # noqa: B027 - most have nothing that could change
        """Read again what may change without a restart."""

    def hurry(self) -> None:  # noqa: B027 - most wait for no miner
        """Asked to end once more: wait for no miner."""


class _SteadyReactor(asyncioreactor.AsyncioSelectorReactor):
    """Twisted's timers go by the wall clock: where that is set back an hour, all of them wait an hour longer."""

    seconds = staticmethod(time.monotonic)


def run(name: str, build: Callable[[Any, asyncio.AbstractEventLoop], Role]) -> int:
    """Run a role until SIGINT or SIGTERM; returns the exit code of the process.

    SIGHUP makes the role read its files again, unless it says that the terminal is gone.
    """
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    reactor: Any = _SteadyReactor(loop)
    installReactor(reactor)
    failures: list[BaseException] = []
    had_terminal = has_terminal()
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if stopping:
            role.hurry()
        else:
            stopping = True
            reactor.stop()

    def hang_up() -> None:
        if had_terminal and not has_terminal():
            stop()
        else:
            role.reload()

    async def begin() -> None:
        try:
            await role.start()
        except CannotStart as error:
            failures.append(error)
            events.role_cannot_start(name, str(error))
            stop()
        except Exception as error:  # noqa: BLE001 - a bug; the supervisor starts another process
            failures.append(error)
            events.bug(name, error)
            stop()
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
    for number, action in ((signal.SIGINT, stop), (signal.SIGTERM, stop), (signal.SIGHUP, hang_up)):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            loop.add_signal_handler(number, action)
    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(begin()))
    reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(end()))
    reactor.run(installSignalHandlers=False)
    sys.stdout.flush()
    if not failures:
        return 0
    return EXIT_CONFIGURATION if isinstance(failures[0], CannotStart) else 1
