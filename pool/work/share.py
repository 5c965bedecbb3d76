"""A judged share: the record that the journal keeps and that accounting and statistics read."""

from __future__ import annotations

import enum

from msgspec import Struct

NEAR_MAX = 10
"""Hashes that are a thousand times as frequent as blocks soon tell whether those are missing: docs/payouts.md 5.1."""


class Outcome(enum.IntEnum):
    """What became of a submission. The numbers are a file format: append only."""

    ACCEPTED = 0
    STALE = 1
    DUPLICATE = 2
    LOW_DIFFICULTY = 3
    UNKNOWN_JOB = 4
    BAD_NTIME = 5
    BAD_VERSION = 6
    BAD_EXTRANONCE = 7
    MALFORMED = 8
    UNAUTHORIZED = 9


class Share(Struct, frozen=True, array_like=True, tag=1):
    """One submission and its outcome.

    time_ms: when it was judged, Unix milliseconds of the wall clock. account and worker: the two parts of the login
    (`account.worker`; worker may be empty). extranonce1, extranonce2: as in the coinbase. version: the whole header
    version. difficulty: as announced with the job, the exact double on the wire; its target is
    `target_from_difficulty(Fraction(difficulty))`, never harder than the network's. nbits and height: of the job, so
    that the share can be paid without it. slice_id: the assignment that was in force, if any. block_hash: set when
    the header meets the network target, whatever the outcome. Fields that a refused submission lacks are zero or
    empty. agent: what the miner says it is (its firmware), printable ASCII, untrusted. near: of an accepted share, how
    near its hash came to the network target T: the smallest number j for which it is at most T * 2^j; None above
    NEAR_MAX.

    Tag and field order are a file format: append only.
    """

    time_ms: int
    outcome: Outcome
    job_id: str
    account: str
    worker: str
    extranonce1: bytes
    extranonce2: bytes
    version: int
    ntime: int
    nonce: int
    difficulty: float
    nbits: int
    height: int
    slice_id: int | None = None
    block_hash: bytes | None = None
    agent: str = ""
    near: int | None = None
