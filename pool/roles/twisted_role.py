"""What the three Twisted roles share: a reactor on uvloop, a start that may fail with a reason, an orderly stop."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
import threading
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

# A thread may hang for a store that neither answers nor refuses. By then a role has put away all that counts.
_THREADS_SECONDS = 5.0


# By default a thread may keep the interpreter for 5 ms each time: all the time that the answer to a share may take, or
# a block to its nodes.
SWITCH_SECONDS = 0.0005


# A disk that is full or fails, or a machine that has no more of something: what may be otherwise in a moment.
_PASSING = {errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}


class CannotStart(Exception):
    """The configuration is well-formed, but this machine cannot work with it; the text says what and how to mend it.

    passes: it may be able to in a moment, so the role is started again.
    """

    def __init__(self, text: str, *, passes: bool = False) -> None:
        super().__init__(text)
        self.passes = passes


def cannot_start(what: str, error: Exception) -> CannotStart:
    """An error at the start as its reason. what: that was tried, with its place."""
    passes = isinstance(error, OSError) and error.errno in _PASSING
    return CannotStart(f"{what}: {error}" + ("; it is tried again" if passes else ""), passes=passes)


class Role(ABC):
    """A role, built but not yet at work."""

    @abstractmethod
    async def start(self) -> None:
        """Begin; when it returns the role is ready. Raises CannotStart."""

    async def work_on(self) -> None:  # noqa: B027 - most can go on with whatever happens
        """Raises CannotStart when it finds later what it should not have been started with."""

    @abstractmethod
    async def stop(self) -> None:
        """Wind down: nothing that was acknowledged may be lost by it."""

    def reload(self) -> None:  # noqa: B027 - most have nothing that could change
        """Read again what may change without a restart."""

    def hurry(self) -> None:  # noqa: B027 - most wait for no miner
        """Asked to end once more: wait for no miner."""


class _SteadyReactor(asyncioreactor.AsyncioSelectorReactor):
    """Twisted's timers go by the wall clock: where that is set back an hour, all of them wait an hour longer.

    soon: calls at the end of this turn (`stratum.ports.Timers`). A timer of Twisted's costs ten times as much, and each
    share that comes alone needs one.
    """

    seconds = staticmethod(time.monotonic)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.soon = loop.call_soon


def run(name: str, build: Callable[[Any, asyncio.AbstractEventLoop], Role]) -> int:
    """Run a role until SIGINT or SIGTERM; returns the exit code of the process.

    SIGHUP makes the role read its files again, unless it says that the terminal is gone.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
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

    def work() -> None:
        # Not before the loop runs: a signal that comes between the two would be forgotten. Until here it just ends us.
        for number, action in ((signal.SIGINT, stop), (signal.SIGTERM, stop), (signal.SIGHUP, hang_up)):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                loop.add_signal_handler(number, action)
        Deferred.fromCoroutine(begin())

    async def begin() -> None:
        try:
            await role.start()
            events.role_started(name, os.getpid())
            await role.work_on()
        except CannotStart as error:
            failures.append(error)
            events.role_cannot_start(name, str(error))
            stop()
        except Exception as error:  # noqa: BLE001 - a bug; the supervisor starts another process
            failures.append(error)
            events.bug(name, error)
            stop()

    async def end() -> None:
        events.role_stopping(name, "cannot go on" if failures else "told to")
        try:
            await role.stop()
        except Exception as error:  # noqa: BLE001 - it stops all the same
            events.bug(name, error)
        threading.Thread(target=leave, daemon=True).start()

    def leave() -> None:
        time.sleep(_THREADS_SECONDS)
        events.role_left_threads(name, threading.active_count() - 2)  # less this one and the main one
        sys.stdout.flush()
        os._exit(exit_code())

    def exit_code() -> int:
        if not failures:
            return 0
        return _exit_code(failures[0])

    try:
        role = build(reactor, loop)
    except CannotStart as error:
        events.role_cannot_start(name, str(error))
        return _exit_code(error)
    loop.call_soon(work)
    reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(end()))
    reactor.run(installSignalHandlers=False)
    sys.stdout.flush()
    return exit_code()


def _exit_code(failure: BaseException) -> int:
    return EXIT_CONFIGURATION if isinstance(failure, CannotStart) and not failure.passes else 1
