"""What a stratum process that was killed left open, read from its journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

import native
from pool.ports import Record
from pool.stats.tally import login
from pool.work.candidate import Candidate
from pool.work.job import Job
from pool.work.share import Outcome, Share
from stratum.judge import hash_of


class FormerRun(Struct, frozen=True):
    """What a run before knew of its newest tip. accepted: the hashes of accepted shares.
    told: by extranonce1 and job id, the difficulty that shares of the session were judged by."""

    jobs: tuple[Job, ...]
    accepted: frozenset[bytes]
    told: Mapping[bytes, Mapping[str, float]]


def former_run(records: Iterable[Record]) -> FormerRun:
    """From the end of its journal. A job whose record is not there is not known, and so are its shares: whatever is
    known is known whole."""
    jobs: dict[str, Job] = {}
    checks: dict[str, native.JobCheck] = {}
    accepted: set[bytes] = set()
    told: dict[bytes, dict[str, float]] = {}
    tip = b""
    for record in records:
        if isinstance(record, Job):
            if record.prev_hash != tip:
                jobs, checks, accepted, told, tip = {}, {}, set(), {}, record.prev_hash
            if record.job_id not in jobs:
                jobs[record.job_id] = record
                checks[record.job_id] = check_of(record)
        elif (check := checks.get(record.job_id)) is not None and record.difficulty > 0:
            told.setdefault(record.extranonce1, {})[record.job_id] = record.difficulty
            if record.outcome is Outcome.ACCEPTED:
                accepted.add(hash_of(check, record))
    return FormerRun(tuple(jobs.values()), frozenset(accepted), told)


def with_found(former: FormerRun | None, left: Iterable[tuple[Share, Job]]) -> FormerRun | None:
    """The same, with shares of blocks that it could not have recorded: they do not count twice if they come again."""
    for share, job in left:
        if share.outcome is not Outcome.ACCEPTED or share.block_hash is None:
            continue
        if former is None:
            former = FormerRun((job,), frozenset({share.block_hash}), {})
        elif former.jobs and former.jobs[-1].prev_hash == job.prev_hash:
            jobs = former.jobs if job in former.jobs else (*former.jobs, job)
            former = FormerRun(jobs, former.accepted | {share.block_hash}, former.told)
    return former


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
            check = check_of(job)
            place = record.extranonce1, record.extranonce2
            yield Candidate(
                job_id=record.job_id,
                block_hash=record.block_hash,
                header=check.header(*place, record.version, record.ntime, record.nonce),
                coinbase=check.coinbase(*place),
                login=login(record.account, record.worker),
                time_ms=record.time_ms,
            )


def check_of(job: Job) -> native.JobCheck:
    """What tests the shares of a job."""
    return native.JobCheck(job.coinb1, job.coinb2, b"".join(job.branch), job.prev_hash, job.nbits)
