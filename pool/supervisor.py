"""Starts the roles as processes, starts again what dies, stops them all in order."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from msgspec import Struct

from pool import events
from pool.service_manager import ServiceManager

# A role that lives this long has started well, and its next death is a first one again.
GOOD_LIFE_SECONDS = 30.0
RESTART_SECONDS_MAX = 10.0
POLL_SECONDS = 0.1
STOP_SECONDS = 15.0
# A role says so when it cannot work with this configuration; at its first start, starting it again would not help.
EXIT_CONFIGURATION = 78  # EX_CONFIG of sysexits.h

# More than a role's last words have.
_LAST_BYTES = 65_536


class CannotSupervise(Exception):
    """The programs cannot be kept running: starting again would not help. The text says what and how to mend it."""


class Program(Struct, frozen=True):
    """What to run. log: file that gets its output. reloads: whether it wants to hear of SIGHUP. drain_seconds: for so
    long it may send its clients away when it is told to end, while the others work on."""

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] | None = None
    reloads: bool = False
    drain_seconds: float = 0.0


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
        self._log_start = 0
        self.pause_seconds = 0.0
        self._start_at = 0.0
        self._has_worked = False

    def tend(self, now: float) -> None:
        """Start it if it is time to. Raises CannotSupervise when it says that this will not help, and OSError when it
        cannot be started, unless it has worked before: what has changed since then, as half a certificate or a disk in
        trouble, is no reason to end all others."""
        if self.process is None:
            if now >= self._start_at:
                self._try_to_start(now)
            return
        status = self.process.poll()
        if status is None:
            return
        self.process = None
        lived_well = now - self._started >= GOOD_LIFE_SECONDS
        self._has_worked = self._has_worked or lived_well
        if status == EXIT_CONFIGURATION and not self._has_worked:
            raise CannotSupervise(f"{self.program.name}: {self._last_message()}")
        if lived_well:
            self.pause_seconds = 0.0
        self._rest(now, status, self._last_message())

    def reload(self) -> None:
        """Have it read its files again, if it runs."""
        if self.process is not None and self.program.reloads:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGHUP)

    def ask_to_end(self) -> None:
        """The first time politely; a second time it waits for nobody."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()

    def ended(self) -> bool:
        """Whether it is gone."""
        return self.process is None or self.process.poll() is not None

    def stop(self, deadline: float) -> None:
        """Ask it to end, and end it when it does not."""
        if self.process is None:
            return
        self.ask_to_end()
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _rest(self, now: float, status: int, reason: str) -> None:
        self.pause_seconds = min(RESTART_SECONDS_MAX, self.pause_seconds * 2 or 0.2)
        self._start_at = now + self.pause_seconds
        events.role_died(self.program.name, status, reason, self.pause_seconds)

    def _try_to_start(self, now: float) -> None:
        try:
            self._start(now)
        except OSError as error:
            if not self._has_worked:
                raise
            self._rest(now, 1, f"it cannot be started: {error}")

    def _start(self, now: float) -> None:
        self._started = now
        with self.program.log.open("ab") as log:
            self._log_start = os.fstat(log.fileno()).st_size
            # A session of its own: Ctrl-C at the terminal reaches the supervisor alone, which then stops them in order.
            self.process = subprocess.Popen(
                bound_to_parent(self.program.argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=None if self.program.env is None else dict(self.program.env),
                start_new_session=True,
            )

    def _last_message(self) -> str:
        """Why it ended: the message of the last critical event since its start, or the last line that is no event."""
        try:
            with self.program.log.open("rb") as log:
                size = os.fstat(log.fileno()).st_size
                # One that somebody has emptied since then begins anew.
                log.seek(max(self._log_start if self._log_start <= size else 0, size - _LAST_BYTES))
                lines = log.read().decode(errors="replace").splitlines()
        except OSError as error:
            return f"its log cannot be read: {error}"
        plain = ""
        for line in reversed(lines):
            try:
                event = json.loads(line)
                if event["level"] == "critical":
                    return str(event["message"])
            except (ValueError, TypeError, KeyError):
                plain = plain or line.strip()
        return plain or "it ended without a word"


def supervise(programs: Sequence[Program], *, signals: Signals, manager: ServiceManager) -> None:
    """Keep all programs alive until a signal to stop; then end them in reverse order. manager: is told how it goes."""
    children = [Child(program) for program in programs]
    try:
        while not signals():
            if signals.reload():
                manager.reloading()
                for child in children:
                    child.reload()
            now = time.monotonic()
            for child in children:
                child.tend(now)
            manager.alive(now)
            time.sleep(POLL_SECONDS)
        manager.stopping(_drain_seconds(children) + 2 * STOP_SECONDS)
        _drain(children, signals)
    finally:
        deadline = time.monotonic() + STOP_SECONDS
        for child in reversed(children):
            child.stop(deadline)


def _drain(children: Sequence[Child], signals: Signals) -> None:
    """Have those end first who take their time, with all others at work, unless a second signal says to hurry."""
    draining = [child for child in children if child.program.drain_seconds]
    working = [child for child in children if child not in draining]
    for child in draining:
        child.ask_to_end()
    deadline = time.monotonic() + _drain_seconds(children) + STOP_SECONDS
    while not all(child.ended() for child in draining) and not signals.again() and time.monotonic() < deadline:
        for child in working:
            child.tend(time.monotonic())
        time.sleep(POLL_SECONDS)


def _drain_seconds(children: Sequence[Child]) -> float:
    return max((child.program.drain_seconds for child in children), default=0.0)


class Signals:
    """What was asked of this process by signals. Called, it says whether to stop."""

    def __init__(self) -> None:
        self._stops = 0
        self._reload = False
        self._had_terminal = has_terminal()

    def __call__(self) -> bool:
        return self._stops > 0

    def again(self) -> bool:
        """Whether it was asked to stop more than once: then nothing is waited for."""
        return self._stops > 1

    def reload(self) -> bool:
        """Whether files shall be read again; true once for each time that it was asked."""
        asked, self._reload = self._reload, False
        return asked

    def note(self, number: int, _frame: FrameType | None) -> None:
        """Handles the signals. SIGHUP asks to reload, as with any daemon, unless it says that the terminal is gone."""
        if number == signal.SIGHUP and not (self._had_terminal and not has_terminal()):
            self._reload = True
        else:
            self._stops += 1


def has_terminal() -> bool:
    """Whether this process has a controlling terminal; the kernel takes it away before it sends SIGHUP. See tty(4)."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


@contextlib.contextmanager
def stop_signals() -> Iterator[Signals]:
    """Within: SIGINT, SIGTERM and SIGHUP do nothing but be noted in what is returned.

    What is ignored on purpose, as nohup does with SIGHUP, stays ignored.
    """
    received = Signals()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {
        number: signal.signal(number, received.note)
        for number in numbers
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
