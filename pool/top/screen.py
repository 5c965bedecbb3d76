"""The terminal: frames go to it, keys come from it, and it is left as it was.

By ncurses, which comes with Python, knows every terminal, and sends only what changed: decision 0083.
"""

from __future__ import annotations

import curses
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType
from typing import Final

from pool.top.frame import frame
from pool.top.lines import Line, Style
from pool.top.seen import Seen
from pool.top.view import View, press

KEY_MS: Final = 250
"""How long a key is waited for before the frame is made anew: ages count on by themselves."""

ESCAPE_MS: Final = 25
"""After an escape, how long the rest of a function key may take; longer than over any ssh that one can type on."""

_KEYS: Final[Mapping[int, str]] = {
    curses.KEY_UP: "up",
    curses.KEY_DOWN: "down",
    curses.KEY_PPAGE: "page_up",
    curses.KEY_NPAGE: "page_down",
    curses.KEY_HOME: "home",
    curses.KEY_ENTER: "enter",
    curses.KEY_BACKSPACE: "backspace",
}
_CHARACTERS: Final[Mapping[str, str]] = {
    "\n": "enter",
    "\r": "enter",
    "\x1b": "escape",
    "\x7f": "backspace",
    "\b": "backspace",
}
_COLOURS: Final[Mapping[Style, int]] = {
    Style.GOOD: curses.COLOR_GREEN,
    Style.WARN: curses.COLOR_YELLOW,
    Style.BAD: curses.COLOR_RED,
}


class NoTerminal(Exception):
    """There is no terminal to draw on. The text says why."""


def show(newest: Callable[[], Seen | None], now_ms: Callable[[], int], view: View) -> None:
    """Draw until the operator is done, by q, Ctrl-C or SIGTERM. Raises NoTerminal."""
    os.environ.setdefault("ESCDELAY", str(ESCAPE_MS))
    before = signal.signal(signal.SIGTERM, _end)
    try:
        curses.setupterm()
        if not curses.tigetstr("cup"):
            raise NoTerminal(f"the terminal {os.environ.get('TERM', '')!r} cannot place text")
        with suppress(KeyboardInterrupt):
            curses.wrapper(_Screen(newest, now_ms, view))
    except curses.error as error:
        raise NoTerminal(f"the terminal {os.environ.get('TERM', '')!r} is not known: {error}") from error
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


class _Screen:
    """One session at a terminal."""

    def __init__(self, newest: Callable[[], Seen | None], now_ms: Callable[[], int], view: View) -> None:
        self._newest = newest
        self._now_ms = now_ms
        self._view: View | None = view
        self._styles: dict[Style, int] = {}

    def __call__(self, window: curses.window) -> None:
        self._styles = _styles()
        with suppress(curses.error):
            curses.curs_set(0)
        window.timeout(KEY_MS)
        while self._view is not None:
            self._draw(window, self._view)
            if (key := _key(window)) is not None:
                self._view = press(self._view, key)

    def _draw(self, window: curses.window, view: View) -> None:
        height, width = window.getmaxyx()
        window.erase()
        seen = self._newest()
        if seen is None:
            self._write(window, 0, "looking at the pool; q ends it"[:width], 0)
        else:
            lines, self._view = frame(seen, view, self._now_ms(), width, height)
            for row, line in enumerate(lines):
                self._line(window, row, line)
        window.refresh()

    def _line(self, window: curses.window, row: int, line: Line) -> None:
        column = 0
        for piece in line:
            self._write(window, row, piece.text, self._styles[piece.style], column)
            column += len(piece.text)

    def _write(self, window: curses.window, row: int, text: str, style: int, column: int = 0) -> None:
        # The last cell of the screen is written, and then the cursor has nowhere to go.
        with suppress(curses.error):
            window.addstr(row, column, text, style)


def _styles() -> dict[Style, int]:
    """Without colours what matters is bold. Source for the variable: no-color.org."""
    found = dict.fromkeys(Style, curses.A_NORMAL)
    found |= {Style.STRONG: curses.A_BOLD, Style.BAD: curses.A_BOLD, Style.BAR: curses.A_REVERSE}
    if not curses.has_colors():
        return found
    curses.use_default_colors()  # else every text would be white on black
    if not os.environ.get("NO_COLOR"):
        for number, (style, colour) in enumerate(_COLOURS.items(), 1):
            curses.init_pair(number, colour, -1)
            found[style] |= curses.color_pair(number)
        found[Style.QUIET] = curses.A_DIM
    return found


def _key(window: curses.window) -> str | None:
    """The next key; None if none came, or it means nothing here (a terminal that was resized is one)."""
    try:
        key = window.get_wch()
    except curses.error:
        return None
    if isinstance(key, int):
        return _KEYS.get(key)
    return _CHARACTERS.get(key, key)
