"""A time in which the journal takes no shares: nobody is told `true`, nobody new comes in, all are sent away.

But a block that was found goes to the nodes all the same, and the books know of it by its share alone. So this share is
recorded as soon as the journal takes it, though its miner was told nothing, and if not by this process, by the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pool import events as log
from pool.ports import Clock
from pool.work.job import Job
from pool.work.share import Share
from stratum.jobs import JobBook
from stratum.limits import CloseReason
from stratum.ports import FoundBlocks
from stratum.settling import Settling, Unsettled
from stratum.warden import Warden

# A sync that failed is mended within a moment; sending ten thousand miners away for that would cost more than it saves.
SEND_AWAY_SECONDS: Final = 2

LAST_TRIES: Final = 3
"""To record blocks when the process ends, a second from one to the next: as often as the journal tries to come back."""


class Outage:
    """Begins with a commit that failed and ends with one that worked. found: keeps the shares of blocks for the next
    process. send_away: resets every connection."""

    def __init__(
        self,
        clock: Clock,
        warden: Warden,
        settling: Settling,
        book: JobBook,
        found: FoundBlocks,
        send_away: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._found = found
        self._warden = warden
        self._settling = settling
        self._book = book
        self._send_away = send_away
        self._since: float | None = None
        # Shares that are blocks and that the journal has not yet, by hash; and those that it was given again.
        self._blocks: dict[bytes, tuple[Share, Job]] = {}
        self._given: set[bytes] = set()

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

    def adopt(self, share: Share, job: Job) -> None:
        """A process before could not have the share of a block recorded, nor perhaps its job; it is with the next
        `sweep`."""
        if share.block_hash is not None:
            self._settling.take_job(job)
            self._blocks[share.block_hash] = share, job

    def keep(self, share: Share, job: Job | None) -> bool:
        """A share was lost; returns whether it is a block, and so recorded later, with whatever outcome. job: the one
        it is for, if known."""
        if share.block_hash is None:
            return False
        self._given.discard(share.block_hash)
        if share.block_hash not in self._blocks and job is not None:
            self._blocks[share.block_hash] = share, job
        return share.block_hash in self._blocks

    def recorded(self, share: Share) -> None:
        """The journal has the share of a block."""
        if share.block_hash is not None:
            self._found.settle(share.block_hash)
            self._given.discard(share.block_hash)
            self._blocks.pop(share.block_hash, None)

    async def finish(self) -> None:
        """Have the last blocks recorded, if the journal comes back soon; the sweeping has ended."""
        for _ in range(LAST_TRIES):
            if not self._blocks:
                return
            self._record_blocks()
            await self._settling.finish()
            if self._blocks:
                await self._settling.pause(1)

    def _record_blocks(self) -> None:
        for block_hash, (share, job) in self._blocks.items():
            if block_hash not in self._given:
                self._given.add(block_hash)
                self._settling.take_share(None, None, share, job)

    def sweep(self) -> None:
        """Called each second."""
        self._record_blocks()
        if self._since is not None:
            if self._clock.monotonic() - self._since >= SEND_AWAY_SECONDS:
                self._send_away()
            if self._book.current is not None:
                # Once more, which harms nobody, to see whether the journal takes it.
                self._settling.take_job(self._book.current.job)
