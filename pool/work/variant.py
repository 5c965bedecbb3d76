"""The same job again with another coinbase, so that nothing hashed for the one is of use for the other.

A session whose difficulty has to change at once gets one: what it hashed before stays at the old difficulty, whatever
it says afterwards (decision 0010).
"""

from __future__ import annotations

import msgspec

from pool.work.job import Job

# In each coinbase, right before the opcode that pushes the extranonce. Zeros are the job itself.
MARK_BYTES = 4
NO_MARK = bytes(MARK_BYTES)

_EXTRANONCE_OPCODE_BYTES = 1
_BEHIND = -_EXTRANONCE_OPCODE_BYTES
_BEFORE = _BEHIND - MARK_BYTES
_SEPARATOR = "x"


def variant_of(job: Job, mark: bytes) -> Job:
    """The variant with this mark: MARK_BYTES, not all zero, which no other variant of the pool has.

    Its id is that of the job, an x and the mark in hex. A variant of a variant is one of the job itself.
    """
    if len(mark) != MARK_BYTES or mark == NO_MARK:
        raise ValueError(f"a mark is {MARK_BYTES} bytes that are not all zero, not {mark.hex()!r}")
    return msgspec.structs.replace(
        job,
        job_id=f"{template_id(job.job_id)}{_SEPARATOR}{mark.hex()}",
        coinb1=job.coinb1[:_BEFORE] + mark + job.coinb1[_BEHIND:],
        clean=False,
    )


def is_variant(job_id: str) -> bool:
    """Whether a job is the variant of another."""
    return _SEPARATOR in job_id


def template_id(job_id: str) -> str:
    """The id of the job that a job is a variant of; its own if it is none. The work role keeps templates under it."""
    return job_id.partition(_SEPARATOR)[0]
