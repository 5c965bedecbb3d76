"""A record of a share by what a miner knows of it: its id, its header's hash, or its worker and the time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from pool.journal.lookup import Lookup, shares_between
from pool.journal.reader import groups
from pool.journal.records import decode
from pool.journal.segments import listed, live
from pool.work.job import Job
from pool.work.proof import hash_of
from pool.work.share import Outcome, Share

NEAR_MS = 60_000
"""How far from the time that was given a share of a worker may lie."""

_SHARE_ID = re.compile(r"([0-9a-z]{16}):([1-9][0-9]{0,18})", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)

HOW_TO_FIND = (
    "a share's id is JOURNAL:NUMBER, such as 0123456789abcdef:4711; the last 50 refused shares of a worker have theirs "
    "at /api/v1/workers/LOGIN, and `steppe explain shares` lists all of a worker in a minute. The hash of its header "
    "(64 hex digits), or LOGIN@TIME (alice.rig@2026-11-28T09:30:00), will do too"
)


class NotFound(Exception):
    """There is nothing of that name. The text says what names look like and where to find them."""


class Found(Struct, frozen=True):
    """A share where it stands in a journal. job: None if the journal does not have it before the share."""

    frontend: str
    seq: int
    share: Share
    job: Job | None

    @property
    def id(self) -> str:
        return f"{self.frontend}:{self.seq}"


def by_id(journals: Mapping[str, Path], share_id: str) -> Found:
    """The share of an id. Raises NotFound."""
    matched = _SHARE_ID.fullmatch(share_id)
    if matched is None:
        raise NotFound(f"{share_id!r} is no share: {HOW_TO_FIND}")
    frontend, seq = matched[1], int(matched[2])
    if frontend not in journals:
        here = ", ".join(sorted(journals)) or "none"
        raise NotFound(f"the journal {frontend} is not here, but {here}: name the folder that holds it with --journal")
    lookup = Lookup(journals[frontend])
    record = lookup.record(seq)
    if isinstance(record, Job):
        raise NotFound(f"record {seq} of journal {frontend} is the job {record.job_id}, not a share")
    if record is None:
        raise NotFound(f"the journal {frontend} has no record {seq}, or not any more (stratum.journal_keep_days)")
    return Found(frontend, seq, record, lookup.job_of(record))


def by_hash(journals: Mapping[str, Path], hash_hex: str) -> Found:
    """The first share whose header has that hash; every record is read until it is found. Raises NotFound."""
    if not _HASH.fullmatch(hash_hex):
        raise NotFound(f"{hash_hex!r} is no hash: {HOW_TO_FIND}")
    wanted = bytes.fromhex(hash_hex)[::-1]
    for frontend, folder in journals.items():
        for seq, share, job in _shares(folder):
            if job is not None and share.extranonce2 and hash_of(share, job) == wanted:
                return Found(frontend, seq, share, job)
    raise NotFound(f"no share in the journals here has a header of the hash {hash_hex}")


def refused_near(journals: Mapping[str, Path], account: str, worker: str, time_ms: int) -> list[Found]:
    """The refused shares of a worker within a minute of a time, in order of time."""
    found = []
    for frontend, folder in journals.items():
        for seq, share, job in _shares(folder, time_ms - NEAR_MS, time_ms + NEAR_MS):
            if (share.account, share.worker) == (account, worker) and share.outcome is not Outcome.ACCEPTED:
                found.append(Found(frontend, seq, share, job))
    return sorted(found, key=lambda each: each.share.time_ms)


def counted_before(journals: Mapping[str, Path], duplicate: Found) -> Found | None:
    """The accepted share with the same header as one that was refused as a duplicate, if it stands in its journal."""
    job = duplicate.job
    if job is None:
        return None
    wanted = hash_of(duplicate.share, job)
    folder = journals[duplicate.frontend]
    starts = [segment.first_seq for segment in live(listed(folder).values()) if segment.first_seq <= duplicate.seq]
    for seq, share in shares_between(folder, starts[max(0, len(starts) - 2)], duplicate.seq - 1):
        same = (share.job_id, share.nonce) == (duplicate.share.job_id, duplicate.share.nonce)
        if same and share.outcome is Outcome.ACCEPTED and hash_of(share, job) == wanted:
            return Found(duplicate.frontend, seq, share, job)
    return None


def _shares(folder: Path, from_ms: int = 0, to_ms: int | None = None) -> Iterator[tuple[int, Share, Job | None]]:
    """The shares of a journal in a time, each with its job. Segments that ended before it are passed over, but for the
    last of them: jobs stand in front of their shares."""
    segments = live(listed(folder).values())
    last_ms = [int(segment.path.stat().st_mtime) * 1000 for segment in segments]
    first = next((place for place, written_ms in enumerate(last_ms) if written_ms >= from_ms - 1000), len(segments) - 1)
    if not segments:
        return
    jobs: dict[str, Job] = {}
    for group in groups(folder, segments[max(0, first - 1)].first_seq):
        for seq, record in enumerate(decode(group.count, group.payload), group.first_seq):
            if isinstance(record, Job):
                jobs[record.job_id] = record
                if to_ms is not None and record.time_ms > to_ms + NEAR_MS:
                    return
            elif record.time_ms >= from_ms and (to_ms is None or record.time_ms <= to_ms):
                yield seq, record, jobs.get(record.job_id)
