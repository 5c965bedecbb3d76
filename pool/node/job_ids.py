"""Job ids that are never used twice: not after a restart, nor after a clock that went back."""

from __future__ import annotations

from pathlib import Path

from pool import events
from pool.node.durable import write_durably
from pool.work.make_job import next_job_id

# Ids are milliseconds; so many are set aside at once, so that the file is written about each 17 minutes. A restart goes
# on behind them and so runs ahead of the clock for as long.
_STRIDE = 1 << 20


class JobIds:
    """Gives ids in rising order. The file holds the id, in hex, below which any may have been used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reserved = self._load()
        self._previous = f"{self._reserved - 1:x}" if self._reserved else None

    def next(self, now_ms: int) -> str:
        """The id of a new job."""
        job_id = self._previous = next_job_id(self._previous, now_ms)
        if int(job_id, 16) >= self._reserved:
            self._reserve(int(job_id, 16) + _STRIDE)
        return job_id

    def _load(self) -> int:
        try:
            return int(self._path.read_text(encoding="ascii"), 16)
        except FileNotFoundError:
            return 0
        except ValueError as error:
            raise ValueError(f"{self._path} should hold a job id in hex: remove it ({error})") from error

    def _reserve(self, reserved: int) -> None:
        try:
            write_durably(self._path, f"{reserved:x}\n".encode())
        except OSError as error:
            # Jobs matter more: without the file ids repeat only if the clock goes back and we are restarted too.
            events.job_ids_not_reserved(str(self._path), str(error))
        else:
            self._reserved = reserved
