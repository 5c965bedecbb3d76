"""The jobs that a share may still be for, by tip."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

import native
from pool.work.job import Job
from pool.work.variant import is_variant
from stratum.messages import JobLines, encode_job

OLD_TIP_SECONDS: Final = 60.0
"""How long the jobs of a former tip are known: for the block test (a late block may still win its race), and so that
their shares are called stale rather than unknown."""

JOBS_PER_TIP_MAX: Final = 8192
"""Jobs of one tip, variants too; at one each 30 seconds with six variants, 9 hours without a block. The oldest go
first."""


class Tip:
    """One previous block. accepted: the hash of each accepted share on it, from whatever session."""

    __slots__ = ("accepted", "jobs", "left_at")

    def __init__(self) -> None:
        self.jobs: list[LiveJob] = []
        self.accepted = native.SeenHashes()
        self.left_at: float | None = None


class LiveJob(Struct, frozen=True, eq=False):
    """A job as this process hands it out. number: grows by one with each job, whatever its tip. variant: it is sent to
    some sessions only."""

    number: int
    job: Job
    tip: Tip
    check: native.JobCheck
    lines: JobLines
    variant: bool = False


class JobBook:
    """Every job that is still known, and which tip is the current one. Times are seconds of a monotonic clock.

    former_number: of the newest job of the run before; 0 if none is known.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, LiveJob] = {}
        self._tips: dict[bytes, Tip] = {}
        self._number = 0
        self.former_number = 0
        self.current: LiveJob | None = None
        # When every session was last sent a job: variants go to some only.
        self.told_all_at = 0.0

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def newest_number(self) -> int:
        """Number of the newest job there is, or was."""
        return self._number

    @property
    def oldest_number(self) -> int:
        """Number of the oldest known job."""
        return next(iter(self._jobs.values())).number if self._jobs else self._number

    def add(self, job: Job, now: float) -> LiveJob | None:
        """Make a job the current one; None if it is known already (the feed repeats the newest when it reconnects).

        Raises ValueError if it cannot be a job.
        """
        if job.job_id in self._jobs:
            return None
        live = self._keep(job)
        for tip in self._tips.values():
            if tip is not live.tip and tip.left_at is None:
                tip.left_at = now
        live.tip.left_at = None
        if self.current is None or not live.variant:
            self.told_all_at = now
        self.current = live
        return live

    def add_former(self, job: Job) -> LiveJob | None:
        """Know a job of the run before, which no session of this one gets; None if it is known already.

        All of them come before the first job of this run. Their tip is left like any other, once that one has another.
        """
        if job.job_id in self._jobs:
            return None
        self.former_number = self._number + 1
        return self._keep(job)

    def _keep(self, job: Job) -> LiveJob:
        check = native.JobCheck(job.coinb1, job.coinb2, b"".join(job.branch), job.prev_hash, job.nbits)
        tip = self._tips.setdefault(job.prev_hash, Tip())
        self._number += 1
        live = LiveJob(self._number, job, tip, check, encode_job(job), is_variant(job.job_id))
        self._jobs[job.job_id] = live
        tip.jobs.append(live)
        if len(tip.jobs) > JOBS_PER_TIP_MAX:
            del self._jobs[tip.jobs.pop(0).job.job_id]
        return live

    def find(self, job_id: str) -> LiveJob | None:
        return self._jobs.get(job_id)

    def is_stale(self, live: LiveJob) -> bool:
        """Whether a block has come since: its shares can no longer be right, but it can still be a block."""
        return self.current is None or live.tip is not self.current.tip

    def expire(self, now: float) -> None:
        """Forget the tips that were left long enough ago, with their jobs and duplicates."""
        for prev_hash, tip in list(self._tips.items()):
            if tip.left_at is not None and now - tip.left_at >= OLD_TIP_SECONDS:
                del self._tips[prev_hash]
                for live in tip.jobs:
                    del self._jobs[live.job.job_id]
                # They hold each other no more: else megabytes of duplicates would wait for the garbage collector.
                tip.jobs.clear()
