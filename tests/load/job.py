"""Jobs of mainnet size, of a tip of their own or of the one before."""

from __future__ import annotations

import hashlib

from pool.work.job import Job

NTIME = 1_780_000_000
LEVELS = 12  # 3,000 transactions


def mainnet_job(number: int = 1, tip: int = 1, clean: bool = True) -> Job:
    """The sizes are those of a real job; the hashes lead nowhere. number: of the job, from 1 to 4095; tip: of the
    previous block; clean: it changed with this job."""
    return Job(
        job_id=f"19e0a1b2{number:03x}",
        time_ms=NTIME * 1000,
        height=951_300 + tip,
        version=0x20000000,
        prev_hash=_hash(b"previous block %d" % tip)[:26] + bytes(6),
        coinb1=bytes.fromhex("01000000") + bytes(37) + b"\xff" * 4 + _hash(b"script")[:30],
        coinb2=_hash(b"script")[:8] + b"\xff" * 4 + _hash(b"outputs") * 4,
        branch=tuple(_hash(b"level %d of %d" % (level, number)) for level in range(LEVELS)),
        nbits=0x1701FFFF,
        ntime=NTIME,
        ntime_min=NTIME - 600,
        ntime_max=NTIME + 7200,
        subsidy_sat=312_500_000,
        fees_sat=4_000_000,
        clean=clean,
    )


def _hash(name: bytes) -> bytes:
    return hashlib.sha256(name).digest()
