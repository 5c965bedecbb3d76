"""The shares of a worker in a short time: how one comes from a complaint to the id of a share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from pool.journal.format import Group
from pool.journal.reader import Reader, RecordsGone, written_s
from pool.journal.records import decode
from pool.journal.segments import Segment, listed, live
from pool.work.share import Outcome, Share

SPAN_MS_DEFAULT: Final = 60_000
SPAN_MS_MAX: Final = 600_000
"""As much as is asked about at once; a busy machine has some hundreds of shares in it."""

ROWS_MAX: Final = 1_000
"""Of one answer: some 200 kB of JSON."""

BYTES_MAX: Final = 256 * 1024 * 1024
"""Of records that are read of one journal: two million shares, a second or two. The first segment has 64 MiB."""

_SLACK_MS: Final = 60_000  # a clock that was set back; jobs that are older than the shares before them
_LOOK_GROUPS: Final = 64  # a group of others is passed over unread, but each so many one is asked for its time


class ShareListed(Struct, frozen=True):
    """A share. id: as `steppe explain reject` has it. outcome: the names of `pool.work.share.Outcome` in lower case."""

    id: str
    time_ms: int
    outcome: str
    job_id: str
    difficulty: float
    height: int
    block_hash: str | None


class SharesListed(Struct, frozen=True):
    """The shares of a worker from one moment up to before another, in order of time.

    next_ms: where to go on, if there may be more than these; None if these are all that the journals here have.
    """

    login: str
    from_ms: int
    to_ms: int
    rows: tuple[ShareListed, ...]
    next_ms: int | None


def shares_of(journals: Mapping[str, Path], login: str, from_ms: int, to_ms: int) -> SharesListed:
    """The shares of a worker by its login. Raises JournalDamaged, RecordsUnreadable, OSError."""
    account, _, worker = login.partition(".")
    found: list[ShareListed] = []
    ends_ms: list[int] = []
    for frontend, folder in journals.items():
        rows, read_to_ms = _of_one(folder, account, worker, from_ms, to_ms)
        found += (_listed(frontend, seq, share) for seq, share in rows)
        if read_to_ms is not None:
            ends_ms.append(read_to_ms)
    found.sort(key=lambda row: row.time_ms)
    if len(found) > ROWS_MAX:
        ends_ms.append(found[ROWS_MAX].time_ms)
    next_ms = min(ends_ms, default=None)
    rows_told = tuple(row for row in found if next_ms is None or row.time_ms < next_ms)
    return SharesListed(login, from_ms, to_ms, rows_told, next_ms)


def _of_one(
    folder: Path, account: str, worker: str, from_ms: int, to_ms: int
) -> tuple[list[tuple[int, Share]], int | None]:
    """The shares of a worker in one journal; and up to when it was read, if not to the end of the time."""
    found: list[tuple[int, Share]] = []
    names, left, unread, newest_ms = (account.encode(), worker.encode()), BYTES_MAX, 0, from_ms
    for group in _groups(folder, from_ms - _SLACK_MS):
        left -= len(group.payload)
        unread += 1
        if not all(name in group.payload for name in names) and unread < _LOOK_GROUPS:
            continue
        unread = 0
        records = decode(group.count, group.payload)
        newest_ms = max(newest_ms, records[-1].time_ms)
        if newest_ms > to_ms + _SLACK_MS:
            break
        found += (
            (seq, record)
            for seq, record in enumerate(records, group.first_seq)
            if isinstance(record, Share)
            and (record.account, record.worker) == (account, worker)
            and from_ms <= record.time_ms < to_ms
        )
        if left < 0 or len(found) > ROWS_MAX:
            return found, min(newest_ms, to_ms)
    return found, None


def _groups(folder: Path, from_ms: int) -> Iterator[Group]:
    """The groups from the segment on in which that moment lies."""
    segments = live(listed(folder).values())
    if not segments or written_s(segments[-1]) * 1000 < from_ms:
        return
    first, behind = 0, len(segments)
    while behind - first > 1:
        middle = (first + behind) // 2
        first, behind = (middle, behind) if _begun_ms(folder, segments[middle]) <= from_ms else (first, middle)
    reader = Reader(folder, segments[first].first_seq)
    try:
        while found := reader.read(bytes_max=1 << 20):
            yield from found
    except RecordsGone:  # removed in this moment
        return


def _begun_ms(folder: Path, segment: Segment) -> float:
    """The time of its first record; of an empty one, never."""
    try:
        found = Reader(folder, segment.first_seq).read(records_max=1)
    except RecordsGone:
        return float("-inf")
    return decode(found[0].count, found[0].payload)[0].time_ms if found else float("inf")


def _listed(frontend: str, seq: int, share: Share) -> ShareListed:
    return ShareListed(
        id=f"{frontend}:{seq}",
        time_ms=share.time_ms,
        outcome=Outcome(share.outcome).name.lower(),
        job_id=share.job_id,
        difficulty=share.difficulty,
        height=share.height,
        block_hash=None if share.block_hash is None else share.block_hash[::-1].hex(),
    )
