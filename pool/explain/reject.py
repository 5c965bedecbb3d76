"""Why a share was refused, with the numbers to see it by, and what its miner should do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from payout.instants import format_instant
from pool.bitcoin.target import share_target, target_from_nbits, work_from_target
from pool.explain.find import Found, counted_before
from pool.stats.tally import login
from pool.work.proof import hash_of
from pool.work.share import Outcome
from stratum.errors import ERROR_OF

WHY = {
    Outcome.STALE: "its job was for a block that was not the next one any more: another had come before the share",
    Outcome.DUPLICATE: "the very same header was counted before; one piece of work is paid once",
    Outcome.LOW_DIFFICULTY: "its hash is above the target that was told with its job: it proves less work than that",
    Outcome.UNKNOWN_JOB: "the job that it names is not known here, or was never sent to that connection",
    Outcome.BAD_NTIME: "the time in its header is outside what the nodes of the network take for this job",
    Outcome.BAD_VERSION: "it changes bits of the version that were not agreed on (mining.configure, BIP-0310)",
    Outcome.BAD_EXTRANONCE: "its extranonce2 is not hex of the agreed length, so there is no header to judge",
    Outcome.MALFORMED: "its parameters could not be read, so there is no header to judge",
    Outcome.UNAUTHORIZED: "its login was not authorized on that connection",
}

DO = {
    Outcome.STALE: "A few are nobody's fault. If there are many: look at the age of the job and at the network between "
    "miner and pool, and let the firmware take new work at once (clean_jobs).",
    Outcome.DUPLICATE: "Update the firmware: it sends shares twice, or begins a nonce range again. Two machines behind "
    "one proxy must not share an extranonce.",
    Outcome.LOW_DIFFICULTY: "The firmware must measure by the difficulty that was told before the job, not by one told "
    "later. A proxy must pass mining.set_difficulty on. Chips that are overclocked find wrong hashes, too.",
    Outcome.UNKNOWN_JOB: "After a reconnection drop the jobs of before. A proxy must not send the work of one pool to "
    "another.",
    Outcome.BAD_NTIME: "Do not roll the time by more than the job allows; set the clock of a proxy.",
    Outcome.BAD_VERSION: "Roll only the bits of the mask that the pool answered to mining.configure.",
    Outcome.BAD_EXTRANONCE: "Send as many bytes as mining.subscribe said, in hex.",
    Outcome.MALFORMED: "mining.submit takes login, job id, extranonce2, ntime and nonce, as hex texts.",
    Outcome.UNAUTHORIZED: "Authorize the login with mining.authorize before its first share, and wait for the answer.",
}


class RejectExplained(Struct, frozen=True):
    """A share and why it was refused. code, said: what the miner was answered. hash and targets: as people write them,
    None where there is no header."""

    id: str
    time_ms: int
    login: str
    outcome: str
    code: int | None
    said: str | None
    why: str
    todo: str | None
    job_id: str
    job_known: bool
    job_time_ms: int | None
    job_age_ms: int | None
    height: int
    difficulty: str
    hash: str | None
    share_target: str | None
    network_target: str | None
    meets_target: bool | None
    is_block: bool
    ntime: int
    ntime_min: int | None
    ntime_max: int | None
    version: str
    counted_as: str | None


def explained_of(journals: Mapping[str, Path], found: Found) -> RejectExplained:
    """The facts of a share, and which accepted one a duplicate repeats."""
    return explain(found, counted_before(journals, found) if found.share.outcome is Outcome.DUPLICATE else None)


def explain(found: Found, counted_as: Found | None = None) -> RejectExplained:
    """The facts of a share. counted_as: the accepted one that a duplicate repeats."""
    share, job = found.share, found.job
    error = ERROR_OF.get(share.outcome)
    has_header = job is not None and bool(share.extranonce2)
    digest = hash_of(share, job) if job is not None and has_header else None
    target = share_target(share.difficulty, share.nbits) if share.difficulty > 0 and share.nbits else None
    return RejectExplained(
        id=found.id,
        time_ms=share.time_ms,
        login=login(share.account, share.worker),
        outcome=Outcome(share.outcome).name.lower(),
        code=error.code if error else None,
        said=error.text if error else None,
        why=WHY.get(share.outcome, "it was accepted: it counts"),
        todo=DO.get(share.outcome),
        job_id=share.job_id,
        job_known=job is not None,
        job_time_ms=job.time_ms if job else None,
        job_age_ms=share.time_ms - job.time_ms if job else None,
        height=share.height,
        difficulty=f"{share.difficulty:.15g}",
        hash=digest[::-1].hex() if digest else None,
        share_target=f"{target:064x}" if target is not None else None,
        network_target=f"{target_from_nbits(share.nbits):064x}" if share.nbits else None,
        meets_target=int.from_bytes(digest, "little") <= target if digest and target is not None else None,
        is_block=share.block_hash is not None,
        ntime=share.ntime,
        ntime_min=job.ntime_min if job else None,
        ntime_max=job.ntime_max if job else None,
        version=f"{share.version:08x}",
        counted_as=counted_as.id if counted_as else None,
    )


def words(share: RejectExplained) -> Iterator[str]:
    """The same for people."""
    refused = share.code is not None
    yield f"Share {share.id} of {share.login}, {format_instant(share.time_ms)}: {share.outcome}"
    yield ""
    yield f"1. {'It was refused' if refused else 'It counts'}: {share.why}."
    if refused:
        yield f"   The miner was told: error {share.code}, {share.said!r}."
    yield from _job(share)
    yield from _numbers(share)
    if share.counted_as is not None:
        yield f"   It was counted as share {share.counted_as}."
    if share.is_block:
        yield "   Its hash is a block's: it was handed to the nodes all the same, whatever became of it as a share."
    if share.todo is not None:
        yield f"4. What to do: {share.todo}"


def _job(share: RejectExplained) -> Iterator[str]:
    if not share.job_known or share.job_time_ms is None or share.job_age_ms is None:
        named = f"names the job {share.job_id!r}" if share.job_id else "names no job that could be one of ours"
        yield f"2. It {named}, which does not stand before it in the journal."
        return
    age = f"{share.job_age_ms // 1000}.{share.job_age_ms % 1000:03} s"
    made = format_instant(share.job_time_ms)
    yield f"2. Its job is {share.job_id}, for height {share.height}, made {made}: {age} old."


def _numbers(share: RejectExplained) -> Iterator[str]:
    if share.hash is None:
        yield "3. There is no header: nothing to hash."
        return
    yield "3. The numbers (a hash counts if it is at most the target):"
    yield f"   hash            {share.hash}"
    if share.share_target is not None and share.network_target is not None:
        needed, proved = work_from_target(int(share.share_target, 16)), work_from_target(int(share.hash, 16) or 1)
        verdict = "meets it" if share.meets_target else "is above it"
        yield f"   share's target  {share.share_target}  (difficulty {share.difficulty}): the hash {verdict}"
        yield f"   block's target  {share.network_target}"
        yield f"   The target asks for {needed:,} hashes on average, and such a hash is worth {proved:,}."
    yield f"   time in the header {share.ntime}; the job takes {share.ntime_min} to {share.ntime_max}"
    yield f"   version {share.version}"
