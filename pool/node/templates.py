"""The templates of recent jobs, without which a winning share cannot become a block; they outlive the process."""

from __future__ import annotations

from pathlib import Path

import msgspec

from pool import events
from pool.node.durable import UNFINISHED
from pool.work.template import Template

# Templates in memory: those of the last minutes, where nearly all blocks come from. A full one takes 4 MB.
_IN_MEMORY = 8


class TemplateShelf:
    """Template by job id, for keep_seconds.

    The last few are in memory. All are in a file each, which the kernel has but not surely the disk: enough for a role
    that is killed between a job and its block. Times are monotonic seconds; files of an earlier run count from `now`.
    """

    def __init__(self, folder: Path, keep_seconds: float, now: float) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._keep_seconds = keep_seconds
        self._kept: dict[str, float] = {}
        self._recent: dict[str, Template] = {}
        for path in folder.iterdir():
            if path.suffix == UNFINISHED:
                path.unlink()
            else:
                self._kept[path.name] = now

    def keep(self, job_id: str, template: Template, now: float) -> None:
        """Keep the template of a new job, and drop those whose time is over."""
        self._kept[job_id] = now
        self._recent[job_id] = template
        while len(self._recent) > _IN_MEMORY:
            del self._recent[next(iter(self._recent))]
        self._drop_old(now)
        try:
            unfinished = self._folder / (job_id + UNFINISHED)
            unfinished.write_bytes(msgspec.msgpack.encode(template))
            unfinished.rename(self._folder / job_id)
        except OSError as error:
            # It is still in memory; only a crash right now would lose a block by this.
            events.template_not_written(job_id, str(error))

    def get(self, job_id: str) -> Template | None:
        """The template of a job; None if it was never here, or is too old, or its file is damaged."""
        if job_id not in self._kept:
            return None
        return self._recent.get(job_id) or self._read(job_id)

    def _read(self, job_id: str) -> Template | None:
        try:
            return msgspec.msgpack.decode((self._folder / job_id).read_bytes(), type=Template)
        except (OSError, msgspec.DecodeError):
            return None

    def _drop_old(self, now: float) -> None:
        for job_id in [each for each, kept in self._kept.items() if now - kept > self._keep_seconds]:
            del self._kept[job_id]
            self._recent.pop(job_id, None)
            (self._folder / job_id).unlink(missing_ok=True)
