"""pool.work.runs: what natively read shares are called; the reading itself is tested in tests/native/test_runs.py."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pool.work.runs import BlockShare, RunOfShares, read_shares
from pool.work.share import Outcome, Share

T = 1_700_000_040_000  # a full minute
MINUTE_MS = 60_000


def share(account: str, *, minute: int = 0, **changes: Any) -> Share:
    fields: dict[str, Any] = {
        "time_ms": T + minute * MINUTE_MS,
        "outcome": Outcome.ACCEPTED,
        "job_id": "a",
        "account": account,
        "worker": "rig",
        "extranonce1": b"",
        "extranonce2": b"",
        "version": 0,
        "ntime": 0,
        "nonce": 0,
        "difficulty": 64.0,
        "nbits": 7,
        "height": 104,
    }
    return Share(**fields | changes)


def packed(*shares: Share) -> tuple[bytes, int]:
    return b"".join(map(msgspec.msgpack.encode, shares)), len(shares)


def test_the_accepted_shares_are_runs() -> None:
    read = read_shares(
        *packed(share("x"), share("alice"), share("alice", slice_id=3), share("b", minute=1)), 1, 0, MINUTE_MS
    )
    assert read.runs == [
        RunOfShares("alice", 0, 64.0, 7, 104, T, 1, T, T, T),
        RunOfShares("alice", 3, 64.0, 7, 104, T, 1, T, T, T),
        RunOfShares("b", 0, 64.0, 7, 104, T + MINUTE_MS, 1, *[T + MINUTE_MS] * 3),
    ]
    assert (read.picks, read.stretches) == (bytes(range(3)), [(1, 3)])
    assert (read.period_ms, read.time_ms) == (T + MINUTE_MS, T + MINUTE_MS)


def test_blocks_are_told_whatever_their_outcome() -> None:
    stale = share("alice", outcome=Outcome.STALE, block_hash=b"B1")
    (block,) = read_shares(*packed(share("bob"), stale), 0, 0, MINUTE_MS).blocks
    assert block == BlockShare(1, 1, T, Outcome.STALE, "alice", "rig", 104, b"B1")


def test_a_plan_that_changes_parts_a_run() -> None:
    shares = packed(share("a"), share("a", minute=1), share("a"))
    assert len(read_shares(*shares, 0, T + MINUTE_MS, MINUTE_MS).runs) == 1
    assert len(read_shares(*shares, 0, T + MINUTE_MS, MINUTE_MS, [T + 1]).runs) == 2


def test_a_record_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        read_shares(msgspec.msgpack.encode([99]), 1, 0, 0, MINUTE_MS)
