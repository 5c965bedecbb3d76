"""A real terminal for tests, with what a person would see on it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios

import pyte

from tests.regtest.whole_pool import WAIT_SECONDS_MAX, eventually

STEPPE = (sys.executable, "-m", "pool")


class Terminal:
    """A terminal with a command in it, as a person sees it."""

    def __init__(self, *words: str, width: int = 80, height: int = 24, **environment: str) -> None:
        self.screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._master, slave = pty.openpty()
        self.resize(width, height)
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        self.process = subprocess.Popen(
            list(words),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C and a resize are told by it
            env=os.environ | {"TERM": "xterm-256color"} | environment,
        )

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.screen.resize(height, width)

    def text(self) -> str:
        """What is on it now."""
        while select.select([self._master], [], [], 0.05)[0]:
            with contextlib.suppress(OSError):
                data = os.read(self._master, 65536)
                self.raw += data
                self._stream.feed(data)
        return "\n".join(line.rstrip() for line in self.screen.display)

    def shows(self, text: str) -> None:
        """Wait until it does."""
        eventually(f"the terminal shows {text!r}", lambda: text in self.text())

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def end(self) -> int:
        code = self.process.wait(WAIT_SECONDS_MAX)
        self.text()
        return code

    def is_as_it_was(self) -> bool:
        """Echo and lines as before, the other screen left, the cursor back."""
        left = self.raw.rfind(b"\x1b[?1049l") > self.raw.rfind(b"\x1b[?1049h")
        return left and termios.tcgetattr(self._slave) == self.before and not self.screen.cursor.hidden

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)
        os.close(self._slave)
