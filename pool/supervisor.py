"""Starts the roles as processes, starts again what dies, stops them all in order."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from msgspec import Struct

from pool import events

# A role that lives this long has started well, and its next death is a first one again.
GOOD_LIFE_SECONDS = 30.0
RESTART_SECONDS_MAX = 10.0
POLL_SECONDS = 0.1
STOP_SECONDS = 15.0
# A role says so when it cannot work with this configuration; starting it again would not help.
EXIT_CONFIGURATION = 78  # EX_CONFIG of sysexits.h


class CannotSupervise(Exception):
    """The programs cannot be kept running: starting again would not help. The text says what and how to mend it."""


class Program(Struct, frozen=True):
    """What to run. log: file that gets its output."""

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] | None = None


def bound_to_parent(argv: Sequence[str]) -> list[str]:
    """The same command, but the kernel ends it when the process that started it is gone, however that died."""
    setpriv = shutil.which("setpriv")  # util-linux, part of Debian's base system
    return [setpriv, "--pdeathsig", "TERM", "--", *argv] if setpriv else list(argv)


class Child:
    """One program, alive or waiting to be started again."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self.pause_seconds = 0.0
        self._start_at = 0.0

    def tend(self, now: float) -> None:
        """Start it if it is time to. Raises CannotSupervise when it says that this will not help."""
        if self.process is None:
            if now >= self._start_at:
                self._start(now)
            return
        status = self.process.poll()
        if status is None:
            return
        self.process = None
        if status == EXIT_CONFIGURATION:
            raise CannotSupervise(f"{self.program.name}: {_last_message(self.program.log)}")
        lived = now - self._started
        self.pause_seconds = (
            0.2 if lived >= GOOD_LIFE_SECONDS else min(RESTART_SECONDS_MAX, self.pause_seconds * 2 or 0.2)
        )
        self._start_at = now + self.pause_seconds
        events.role_died(self.program.name, status, self.pause_seconds)

    def stop(self, deadline: float) -> None:
        """Ask it to end, and end it when it does not."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _start(self, now: float) -> None:
        self._started = now
        with self.program.log.open("ab") as log:
            # A session of its own: Ctrl-C at the terminal reaches the supervisor alone, which then stops them in order.
            self.process = subprocess.Popen(
                bound_to_parent(self.program.argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=None if self.program.env is None else dict(self.program.env),
                start_new_session=True,
            )


def supervise(programs: Sequence[Program], *, stop: Callable[[], bool]) -> None:
    """Keep all programs alive until `stop()`; then end them in reverse order."""
    children = [Child(program) for program in programs]
    try:
        while not stop():
            now = time.monotonic()
            for child in children:
                child.tend(now)
            time.sleep(POLL_SECONDS)
    finally:
        deadline = time.monotonic() + STOP_SECONDS
        for child in reversed(children):
            child.stop(deadline)


def _last_message(log: Path) -> str:
    """Why a role cannot work: the message of its last critical event, or whatever it said last."""
    lines = log.read_text(errors="replace").splitlines()
    for line in reversed(lines):
        with contextlib.suppress(ValueError, TypeError, KeyError):
            event = json.loads(line)
            if event["level"] == "critical":
                return str(event["message"])
    return lines[-1] if lines else "it ended without a word"


@contextlib.contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """Within: SIGINT, SIGTERM and SIGHUP (the terminal is gone) do nothing but make the returned function say True.

    What is ignored on purpose, as nohup does with SIGHUP, stays ignored.
    """
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {
        number: signal.signal(number, note) for number in numbers if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
