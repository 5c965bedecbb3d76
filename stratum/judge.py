"""From a submission to the record of it: the block test, then whether the share counts."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from msgspec import Struct

import native
from native import Verdict
from pool import events as log
from pool.bitcoin.target import target_from_nbits
from pool.ports import CandidateSink
from pool.stats.rejects import Reject
from pool.stats.tally import login
from pool.work.candidate import Candidate
from pool.work.share import NEAR_MAX, Outcome, Share
from stratum.events import ShareSubmitted
from stratum.jobs import LiveJob
from stratum.limits import JOB_ID_CHARACTERS_MAX

# Looked up once, not for each share: a member of an enumeration costs a twentieth of the check (Python 3.11).
_ACCEPTED: Final = Outcome.ACCEPTED
_BLOCK: Final = Verdict.BLOCK
_LOW: Final = Verdict.LOW


_network_target = lru_cache(maxsize=16)(target_from_nbits)


class Terms(Struct, frozen=True):
    """What a session was told with a job. difficulty: None if it never got that job. target: what the share's hash is
    measured against; the block test needs none. agent: what it said it is."""

    extranonce1: bytes
    difficulty: float | None
    version_mask: int
    target: bytes
    agent: str = ""


def judge(share: ShareSubmitted, terms: Terms, live: LiveJob | None, stale: bool, time_ms: int) -> Share:
    """The record of a submission; an accepted one is remembered, so that its like is a duplicate from now on.

    live: the job it names, if known; stale: whether that job's tip is gone. The header is tested for a block before
    anything else: `block_hash` is set whatever the outcome.
    """
    submission = share.submission
    if submission is None:
        return _unread(Outcome.MALFORMED, share, terms, time_ms)
    if live is None:
        return _unread(Outcome.UNKNOWN_JOB, share, terms, time_ms)
    extranonce2, ntime, nonce = submission.extranonce2, submission.ntime, submission.nonce
    bits = submission.version_bits
    if extranonce2 is None:
        return _unread(Outcome.BAD_EXTRANONCE, share, terms, time_ms)
    if ntime is None or nonce is None or bits is None:
        return _unread(Outcome.MALFORMED, share, terms, time_ms)

    job, mask = live.job, terms.version_mask
    # BIP-0310: the masked bits are replaced. Bits outside the mask are set as well: such a share is refused, but should
    # it be a block, this is the version that the miner hashed.
    version = job.version & ~mask | bits
    verdict, digest = live.check.check(terms.extranonce1, extranonce2, version, ntime, nonce, terms.target)
    if not share.authorized:
        outcome = Outcome.UNAUTHORIZED
    elif terms.difficulty is None:
        outcome = Outcome.UNKNOWN_JOB
    elif stale:
        outcome = Outcome.STALE
    elif bits & ~mask:
        outcome = Outcome.BAD_VERSION
    elif not job.ntime_min <= ntime <= job.ntime_max:
        outcome = Outcome.BAD_NTIME
    elif verdict is _LOW:
        outcome = Outcome.LOW_DIFFICULTY
    elif live.tip.accepted.add(digest):
        outcome = _ACCEPTED
    else:
        outcome = Outcome.DUPLICATE
    return Share(
        time_ms,
        outcome,
        job.job_id,
        share.login.account,
        share.login.worker,
        terms.extranonce1,
        extranonce2,
        version,
        ntime,
        nonce,
        terms.difficulty or 0.0,
        job.nbits,
        job.height,
        share.login.slice_id,
        digest if verdict is _BLOCK else None,
        terms.agent,
        nearness(digest, job.nbits) if outcome is _ACCEPTED else None,
    )


def nearness(digest: bytes, nbits: int) -> int | None:
    """`Share.near` of a hash."""
    value, target = int.from_bytes(digest, "little"), _network_target(nbits)
    if value >> NEAR_MAX > target:
        return None
    near = 0
    while value > target << near:
        near += 1
    return near if near <= NEAR_MAX else None


def forget(share: Share, live: LiveJob | None) -> None:
    """Undo what `judge` remembered, for a share that the journal did not take: it may come again."""
    if share.outcome is Outcome.ACCEPTED and live is not None:
        live.tip.accepted.discard(hash_of(live.check, share))


def hash_of(check: native.JobCheck, share: Share) -> bytes:
    """The hash of a share, by which `judge` knows its like again."""
    header = check.header(share.extranonce1, share.extranonce2, share.version, share.ntime, share.nonce)
    return native.sha256d(header)


def refusal_of(share: Share, live: LiveJob | None, text: str, share_id: str) -> tuple[str, Reject]:
    """A refused share for people: whose, and why. text: what the miner was told. share_id: its place in a journal."""
    age_ms = None if live is None else share.time_ms - live.job.time_ms
    reject = Reject(share.time_ms, share.outcome.name.lower(), text, share.job_id, age_ms, share_id)
    return login(share.account, share.worker), reject


def hand_in(candidates: CandidateSink, share: Share, live: LiveJob, login: str) -> None:
    """Send a share whose `block_hash` is set to the work role."""
    found = candidate(share, live, login)
    candidates.send(found)
    log.candidate_sent(share.height, found.block_hash[::-1].hex(), share.job_id, login, share.outcome.name.lower())


def candidate(share: Share, live: LiveJob, finder: str) -> Candidate:
    """The candidate of a share whose `block_hash` is set."""
    if share.block_hash is None:
        raise ValueError("the share is no block")
    return Candidate(
        job_id=share.job_id,
        block_hash=share.block_hash,
        header=_header(share, live),
        coinbase=live.check.coinbase(share.extranonce1, share.extranonce2),
        login=finder,
        time_ms=share.time_ms,
    )


def _header(share: Share, live: LiveJob) -> bytes:
    return live.check.header(share.extranonce1, share.extranonce2, share.version, share.ntime, share.nonce)


def _unread(outcome: Outcome, share: ShareSubmitted, terms: Terms, time_ms: int) -> Share:
    """The record of a submission that has no header: what it lacks is zero or empty."""
    job_id = "" if share.submission is None else share.submission.job_id
    return Share(
        time_ms=time_ms,
        outcome=outcome,
        # Untrusted text: whole if it could be one of ours, else left out.
        job_id=job_id if job_id.isalnum() and job_id.isascii() and len(job_id) <= JOB_ID_CHARACTERS_MAX else "",
        account=share.login.account,
        worker=share.login.worker,
        extranonce1=terms.extranonce1,
        extranonce2=b"",
        version=0,
        ntime=0,
        nonce=0,
        difficulty=0.0,
        nbits=0,
        height=0,
        slice_id=share.login.slice_id,
    )
