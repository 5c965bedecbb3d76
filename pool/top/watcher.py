"""Looks at the pool again and again beside the screen, so that a source that hangs keeps no key waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pool.top.seen import Seen


class Watcher:
    """The newest look. A bug in it is raised where the newest is asked for."""

    def __init__(self, look: Callable[[], Seen], interval_seconds: float) -> None:
        self._look = look
        self._interval_seconds = interval_seconds
        self._wake = threading.Event()
        self._is_over = False
        self._newest: Seen | None = None
        self._bug: Exception | None = None
        # It must not keep the program when a source hangs at the end.
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Look at once, then after each interval."""
        self._thread.start()

    def stop(self) -> None:
        """Do not look again."""
        self._is_over = True
        self._wake.set()

    def newest(self) -> Seen | None:
        """None before the first look is over."""
        if self._bug is not None:
            raise self._bug
        return self._newest

    def _watch(self) -> None:
        while not self._is_over:
            try:
                self._newest = self._look()
            except Exception as error:  # noqa: BLE001 - raised again in newest()
                self._bug = error
                return
            self._wake.wait(self._interval_seconds)
