"""What a stratum process that was killed left open, read from its journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import native
from pool.ports import Record
from pool.stats.tally import login
from pool.work.candidate import Candidate
from pool.work.job import Job


def candidates(records: Iterable[Record], since_ms: int) -> Iterator[Candidate]:
    """The blocks among the shares judged since a time, whole as when they were found.

    The work role may have been away when they were found, and then their process was killed too: only the journal has
    them. It takes a block that it knows as one more copy. A share whose job is not among the records is left out; a job
    stands before its first share.
    """
    jobs: dict[str, Job] = {}
    for record in records:
        if isinstance(record, Job):
            jobs[record.job_id] = record
        elif record.block_hash is not None and record.time_ms >= since_ms and (job := jobs.get(record.job_id)):
            check = native.JobCheck(job.coinb1, job.coinb2, b"".join(job.branch), job.prev_hash, job.nbits)
            place = record.extranonce1, record.extranonce2
            yield Candidate(
                job_id=record.job_id,
                block_hash=record.block_hash,
                header=check.header(*place, record.version, record.ntime, record.nonce),
                coinbase=check.coinbase(*place),
                login=login(record.account, record.worker),
                time_ms=record.time_ms,
            )
