"""A step that is repeated in a thread of its own, through every outage, until told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pool import events
from pool.journal import events as journal_events
from pool.journal.segments import JournalDamaged
from pool.ports import StoreUnavailable

# While Redis is away: the first wait doubles up to the last, which is also how late shares and statistics may be when
# it is back.
RETRY_SECONDS_MIN = 0.2
RETRY_SECONDS_MAX = 5.0

# Between two steps when there is more to do: two threads that never rest leave a third of the interpreter to the one
# that answers miners.
BREATH_SECONDS = 0.001


class Loop:
    """Calls `step` again after the seconds that it returns.

    When the step raises StoreUnavailable it is called again later, and the outage is logged when it begins, when its
    reason changes and when it ends. A damaged journal ends the loop: reading on would skip shares.
    """

    def __init__(self, name: str, step: Callable[[], float]) -> None:
        self._name = name
        self._step = step
        self._reason: str | None = None
        self._retry_seconds = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> bool:
        """End after the step that runs; returns whether it has ended in time."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        return not self.is_alive

    @property
    def is_alive(self) -> bool:
        """Whether the thread has begun and not ended."""
        return self._thread.is_alive()

    def attempt(self) -> float | None:
        """One step: the seconds to wait until the next one, or None to end."""
        try:
            wait_seconds = self._step()
        except StoreUnavailable as error:
            if str(error) != self._reason:
                self._reason = str(error)
                events.redis_unavailable(self._name, self._reason)
            return self._retry()
        except (JournalDamaged, OSError) as error:
            journal_events.journal_unreadable(self._name, str(error))
            return None if isinstance(error, JournalDamaged) else self._retry()
        except Exception as error:  # noqa: BLE001 a thread that dies of a bug must not die in silence, nor for good
            events.bug(self._name, error)
            return RETRY_SECONDS_MAX
        if self._reason is not None:
            self._reason = None
            events.redis_ready(self._name)
        self._retry_seconds = 0.0
        return wait_seconds

    def _retry(self) -> float:
        self._retry_seconds = min(RETRY_SECONDS_MAX, max(RETRY_SECONDS_MIN, self._retry_seconds * 2))
        return self._retry_seconds

    def _run(self) -> None:
        wait_seconds: float | None = 0.0
        while wait_seconds is not None and not self._stop.wait(max(wait_seconds, BREATH_SECONDS)):
            wait_seconds = self.attempt()
