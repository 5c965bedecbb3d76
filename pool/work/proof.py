"""The header that a share proves work with, from its record and its job's alone."""

from __future__ import annotations

from native import header, merkle_root, sha256d
from pool.work.job import Job
from pool.work.share import Share


def coinbase_of(share: Share, job: Job) -> bytes:
    """The coinbase transaction, without witness."""
    return job.coinb1 + share.extranonce1 + share.extranonce2 + job.coinb2


def header_of(share: Share, job: Job) -> bytes:
    """The 80 bytes that the miner hashed. share: with an extranonce2, a nonce and a time."""
    root = merkle_root(sha256d(coinbase_of(share, job)), b"".join(job.branch))
    return header(share.version, job.prev_hash, root, share.ntime, share.nbits, share.nonce)


def hash_of(share: Share, job: Job) -> bytes:
    """The hash of that header, wire order."""
    return sha256d(header_of(share, job))
