"""How far long work is, for who looks at a terminal; scripts and logs see nothing of it."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Final, Self

import click

_BAR: Final = 30
_SECONDS: Final = 0.1
"""Between two pictures of it."""


class Progress:
    """A line on standard error for as long as the block lasts, if that is a terminal."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._is_terminal = sys.stderr.isatty()
        self._shown_at = float("-inf")
        self._width = 0
        self._counted = 0

    def __enter__(self) -> Self:
        self._begin = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._width:
            click.echo(f"\r{' ' * self._width}\r", nl=False, err=True)

    def __call__(self, part: float) -> None:
        """part: 0 to 1."""
        done = int(part * _BAR)
        self._show(f"[{'#' * done}{'.' * (_BAR - done)}] {part:4.0%}", is_last=part >= 1)

    def counted(self, number: int, what: str) -> None:
        """Of work of which nobody knows how much it is: what was done."""
        self._show(f"{number:,} {what}")

    def added(self, number: int, what: str) -> None:
        """The same, told in pieces."""
        self._counted += number
        self.counted(self._counted, what)

    def _show(self, state: str, *, is_last: bool = False) -> None:
        now = time.monotonic()
        if not self._is_terminal or (now - self._shown_at < _SECONDS and not is_last):
            return
        self._shown_at = now
        line = f"{self._label} {state} {now - self._begin:.0f} s"
        click.echo(f"\r{line:<{self._width}}", nl=False, err=True)
        self._width = max(self._width, len(line))
