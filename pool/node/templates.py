"""What the blocks of recent jobs are made of, without which a winning share cannot become a block; it outlives the
process."""

from __future__ import annotations

from binascii import crc32
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pool import events
from pool.node.durable import UNFINISHED
from pool.work.block import Body, body, body_of
from pool.work.template import Template

# Bodies in memory: those of the last minutes, where nearly all blocks come from. A full one takes some 6 MB.
_IN_MEMORY = 8

_TRANSACTIONS = ".transactions"


class _Rest(Struct, frozen=True, array_like=True):
    """Of a body, what is not its transactions. Append fields only."""

    height: int
    branch: tuple[bytes, ...]
    count: int
    checksum: int


class TemplateShelf:
    """The body of each job's blocks, by job id, for keep_seconds.

    The last few are in memory. All are in two files each, JOB and JOB.transactions, which the kernel has but not surely
    the disk: enough for a role that is killed between a job and its block. They must be there before the job goes out:
    miners work on it for as long as it takes the next run to send another one, and each block of it would be lost. What
    else is large is made by `run` in a thread. Times are monotonic seconds; files of an earlier run count from `now`.
    """

    def __init__(
        self, folder: Path, keep_seconds: float, now: float, run: Callable[[Callable[[], Body]], Deferred[Body]]
    ) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._keep_seconds = keep_seconds
        self._run = run
        self._kept: dict[str, float] = {}
        self._recent: dict[str, Template | Body] = {}
        for path in folder.iterdir():
            if path.suffix == UNFINISHED:
                path.unlink()
            elif path.suffix != _TRANSACTIONS:
                self._kept[path.name] = now

    def keep(self, job_id: str, template: Template, siblings: tuple[bytes, ...], now: float) -> None:
        """Keep what the blocks of a new job are made of, and drop what has been kept long enough.

        siblings: the job's branch. On return the kernel has it.
        """
        self._kept[job_id] = now
        self._recent[job_id] = template
        while len(self._recent) > _IN_MEMORY:
            del self._recent[next(iter(self._recent))]
        over = [each for each, kept in self._kept.items() if now - kept > self._keep_seconds]
        for each in over:
            del self._kept[each]
            self._recent.pop(each, None)
        transactions = b"".join(transaction.data for transaction in template.transactions)
        self._write(job_id, template, siblings, transactions)
        made = self._run(lambda: self._make(template, siblings, transactions, over))
        made.addCallback(lambda made: self._take(job_id, template, made)).addErrback(_log_bug)

    def get(self, job_id: str) -> Body | None:
        """The body of a job's blocks; None if it was never here, or is too old, or its files are damaged."""
        if job_id not in self._kept:
            return None
        found = self._recent.get(job_id)
        if isinstance(found, Template):
            found = self._recent[job_id] = body_of(found)
        return found or self._read(job_id)

    def transactions_file(self, job_id: str) -> Path:
        """Where the transactions of a job's blocks are, serialised one behind the other, once they are written."""
        return self._folder / (job_id + _TRANSACTIONS)

    def _take(self, job_id: str, template: Template, made: Body) -> None:
        if self._recent.get(job_id) is template:  # neither made meanwhile nor dropped
            self._recent[job_id] = made

    def _write(self, job_id: str, template: Template, siblings: tuple[bytes, ...], transactions: bytes) -> None:
        rest = _Rest(template.height, siblings, len(template.transactions), crc32(transactions))
        try:
            _put(self.transactions_file(job_id), transactions)
            _put(self._folder / job_id, msgspec.msgpack.encode(rest))
        except OSError as error:
            # It is still in memory; only a crash would lose a block by this.
            events.template_not_written(job_id, str(error))

    def _make(self, template: Template, siblings: tuple[bytes, ...], transactions: bytes, over: list[str]) -> Body:
        """In a thread."""
        for each in over:
            (self._folder / each).unlink(missing_ok=True)
            self.transactions_file(each).unlink(missing_ok=True)
        return body(template.height, siblings, len(template.transactions), transactions)

    def _read(self, job_id: str) -> Body | None:
        try:
            rest = msgspec.msgpack.decode((self._folder / job_id).read_bytes(), type=_Rest)
            found = body(rest.height, rest.branch, rest.count, self.transactions_file(job_id).read_bytes())
        except (OSError, msgspec.DecodeError):
            return None
        return found if found.checksum == rest.checksum else None


def _put(path: Path, data: bytes) -> None:
    """Whole or not there, as long as the machine lives."""
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        unfinished.write_bytes(data)
    except OSError:
        # On a full disk the part that was written would take the room that others wait for, once for each job.
        unfinished.unlink(missing_ok=True)
        raise
    unfinished.rename(path)


def _log_bug(failure: Failure) -> None:
    events.bug("templates", failure.value or Exception(failure.getErrorMessage()))
