"""A journal for people: its segments, whether all of it is whole, its records as lines of JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from pool.journal.reader import OLDEST, Reader, packed_content, written_s
from pool.journal.records import RecordsUnreadable, decode
from pool.journal.segments import JournalDamaged, listed, live
from pool.ports import Record
from pool.work.job import Job
from pool.work.share import Outcome, Share


class SegmentFacts(Struct, frozen=True):
    """A segment. last_seq: None of the one that is appended to. written_s: its last write, Unix seconds."""

    path: Path
    first_seq: int
    last_seq: int | None
    disk_bytes: int
    plain_bytes: int
    written_s: float


class Whole(Struct, frozen=True):
    """What was read of a journal without finding a fault."""

    first_seq: int
    last_seq: int
    groups: int
    jobs: int
    shares: int


def segments_of(folder: Path) -> list[SegmentFacts]:
    """The segments in their order. Raises JournalDamaged, OSError."""
    segments = live(listed(folder).values())
    facts = []
    for place, segment in enumerate(segments):
        size = segment.path.stat().st_size
        plain = packed_content(segment.path).plain_bytes if segment.is_packed else size
        end = segments[place + 1].first_seq - 1 if place + 1 < len(segments) else None
        facts.append(SegmentFacts(segment.path, segment.first_seq, end, size, plain, written_s(segment)))
    return facts


def verify(folder: Path, seen: Callable[[int], None] = lambda records: None) -> Whole:
    """Read everything: every checksum, every number in its place, every record. seen: called with how many records
    were read so far. Raises JournalDamaged, OSError."""
    reader = Reader(folder, OLDEST)
    first_seq = last_seq = groups = jobs = shares = 0
    while found := reader.read():
        for group in found:
            first_seq, last_seq = first_seq or group.first_seq, group.last_seq
            try:
                records = decode(group.count, group.payload)
            except RecordsUnreadable as error:
                where = next(each for each in reversed(live(listed(folder).values())) if each.first_seq <= last_seq)
                raise JournalDamaged(where.path, 0, f"records {group.first_seq} to {last_seq}: {error}") from error
            new_jobs = sum(isinstance(record, Job) for record in records)
            groups, jobs, shares = groups + 1, jobs + new_jobs, shares + len(records) - new_jobs
        seen(jobs + shares)
    return Whole(first_seq, last_seq, groups, jobs, shares)


def lines(
    folder: Path, first_seq: int, last_seq: int | None, hash_of: Callable[[Share, Job], bytes]
) -> Iterator[bytes]:
    """The records from one to another, a JSON object each, with the hash of each share whose job was among them.

    hash_of: the hash of a share's header, wire order. Raises JournalDamaged, RecordsGone, RecordsUnreadable, OSError.
    """
    reader, jobs = Reader(folder, first_seq), dict[str, Job]()
    while found := reader.read():
        for group in found:
            for seq, record in enumerate(decode(group.count, group.payload), group.first_seq):
                if isinstance(record, Job):
                    jobs[record.job_id] = record
                if last_seq is not None and seq > last_seq:
                    return
                if seq >= first_seq:
                    yield _line(seq, record, jobs, hash_of)


def _line(seq: int, record: Record, jobs: dict[str, Job], hash_of: Callable[[Share, Job], bytes]) -> bytes:
    if isinstance(record, Job):
        fields = {name: getattr(record, name) for name in record.__struct_fields__}
        fields["branch"] = [sibling.hex() for sibling in record.branch]
        return msgspec.json.encode({"seq": seq, "record": "job", **_hex(fields)})
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    fields["outcome"] = Outcome(record.outcome).name.lower()
    if record.block_hash is not None:
        fields["block_hash"] = record.block_hash[::-1].hex()
    job = jobs.get(record.job_id)
    hash_hex = None if job is None or not record.extranonce2 else hash_of(record, job)[::-1].hex()
    return msgspec.json.encode({"seq": seq, "record": "share", **_hex(fields), "hash": hash_hex})


def _hex(fields: dict[str, object]) -> dict[str, object]:
    """Bytes as hex, in wire order."""
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in fields.items()}
