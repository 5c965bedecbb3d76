"""Share journals of a large pool, made up: 1,000 accounts, 10,000 workers, ten thousand shares a second."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pool.journal.format import Group, Header, encode_frame
from pool.journal.segments import create
from pool.work.job import Job
from pool.work.share import Outcome, Share

ACCOUNTS = 1_000
WORKERS = 10_000
GROUP_RECORDS = 100
"""What ten milliseconds bring: a turn or a few of the reactor."""

_NBITS = 0x170E1EF9
_HEIGHT = 690_000
_START_MS = 1_700_000_000_000
_SHARES_A_SECOND = 10_000
_RECORDS_A_JOB = 300_000  # each 30 seconds
_SEGMENT_RECORDS = 500_000
_REFUSED_PART = 0.01


def account_of(worker: int) -> str:
    return f"account-{worker % ACCOUNTS:04d}"


def records(count: int, seed: int, parts: int = 1) -> Iterator[bytes]:
    """The records of one of so many journals, which share the load."""
    choose = random.Random(seed)
    encode = msgspec.msgpack.Encoder().encode
    branch = tuple(bytes([level]) * 32 for level in range(12))
    for number in range(count):
        time_ms = _START_MS + number * parts * 1000 // _SHARES_A_SECOND
        if number % _RECORDS_A_JOB == 0:
            job = Job(
                f"{seed:x}{number:010x}", time_ms, _HEIGHT, 0x20000000, bytes(32), bytes(60), bytes(140), branch,
                _NBITS, 0, 0, 0, 625_000_000, 0, True,
            )  # fmt: skip
            yield encode(job)
            continue
        worker = choose.randrange(WORKERS)
        yield encode(
            Share(
                time_ms,
                Outcome.STALE if choose.random() < _REFUSED_PART else Outcome.ACCEPTED,
                "18bcfe56800",
                account_of(worker),
                f"fleet.rack-{worker}",
                worker.to_bytes(4, "big"),
                number.to_bytes(8, "big"),
                0x20000000,
                time_ms // 1000,
                number & 0xFFFFFFFF,
                float(1 << 12 + worker // ACCOUNTS % 5),
                _NBITS,
                _HEIGHT,
            )
        )


def write_journal(folder: Path, frontend: str, count: int, seed: int, parts: int = 1) -> None:
    """A journal with so many records."""
    folder.mkdir(parents=True)
    (folder / "frontend").write_text(f"{frontend}\n")
    frames: list[bytes] = []
    payloads: list[bytes] = []
    segment_seq = first_seq = ordinal = 1
    for seq, record in enumerate(records(count, seed, parts), 1):
        payloads.append(record)
        if len(payloads) == GROUP_RECORDS or seq == count:
            frames.append(encode_frame(Group(first_seq, len(payloads), b"".join(payloads))))
            payloads, first_seq = [], seq + 1
        if frames and not payloads and (seq == count or seq >= segment_seq + _SEGMENT_RECORDS - 1):
            create(folder, Header(ordinal, segment_seq, frontend), b"".join(frames)).close()
            frames, segment_seq, ordinal = [], seq + 1, ordinal + 1
