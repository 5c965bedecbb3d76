"""A time in which the journal takes no shares: nobody is told `true`, nobody new comes in, all are sent away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pool import events as log
from pool.ports import Clock
from stratum.jobs import JobBook
from stratum.limits import CloseReason
from stratum.settling import Settling, Unsettled
from stratum.warden import Warden

# A sync that failed is mended within a moment; sending ten thousand miners away for that would cost more than it saves.
SEND_AWAY_SECONDS: Final = 2


class Outage:
    """Begins with a commit that failed and ends with one that worked. send_away: resets every connection."""

    def __init__(
        self, clock: Clock, warden: Warden, settling: Settling, book: JobBook, send_away: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._warden = warden
        self._settling = settling
        self._book = book
        self._send_away = send_away
        self._since: float | None = None

    def begin(self, shares: list[Unsettled], error: Exception) -> None:
        """A commit failed; its shares are lost."""
        if not isinstance(error, OSError):
            log.bug("share journal", error)
        elif self._since is None:
            log.share_commit_failed(len(shares), str(error))
        if self._since is None:
            self._since = self._clock.monotonic()
            self._warden.shut(CloseReason.JOURNAL_FAILED)

    def end(self) -> None:
        """A commit worked."""
        self._since = None
        self._warden.open(CloseReason.JOURNAL_FAILED)

    def sweep(self) -> None:
        """Called each second."""
        if self._since is not None:
            if self._clock.monotonic() - self._since >= SEND_AWAY_SECONDS:
                self._send_away()
            if self._book.current is not None:
                # Once more, which harms nobody, to see whether the journal takes it.
                self._settling.take_job(self._book.current.job)
