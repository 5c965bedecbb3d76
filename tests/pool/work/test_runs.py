"""pool.work.runs: what natively read shares are called; the reading itself is tested in tests/native/test_runs.py."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pool.work.runs import BlockShare, Payload, ReadBatch, RunOfShares, Seen, read_shares
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


def packed(*shares: Share, first: int = 0) -> Payload:
    return Payload(b"".join(map(msgspec.msgpack.encode, shares)), len(shares), first)


def test_a_run_knows_the_firmware_and_how_near_to_a_block_its_shares_came() -> None:
    near = packed(share("a", agent="x/1", near=2), share("a", agent="x/1", near=None), share("a", agent="x/1", near=2))
    [run] = read_shares([near], 0, MINUTE_MS).runs
    assert (run.agent, run.shares, run.nears) == ("x/1", 3, (0, 0, 2, *[0] * 8))


def test_the_accepted_shares_are_runs() -> None:
    records = packed(share("x"), share("alice"), share("alice", slice_id=3), share("b", minute=1), first=1)
    read = read_shares([records], 0, MINUTE_MS)
    assert read.runs == [
        RunOfShares("alice", 0, 64.0, 7, 104, T, 1, T, T, T),
        RunOfShares("alice", 3, 64.0, 7, 104, T, 1, T, T, T),
        RunOfShares("b", 0, 64.0, 7, 104, T + MINUTE_MS, 1, T + MINUTE_MS, T + MINUTE_MS, T + MINUTE_MS),
    ]
    after = T + MINUTE_MS
    assert read.batches == [ReadBatch([0, 1, 2], [1, 1, 1], bytes(range(3)), [(1, 3)], [], [], after, after)]


def test_slices_know_who_worked_and_what_was_refused() -> None:
    stale = share("alice", slice_id=3, outcome=Outcome.STALE)
    read = read_shares([packed(share("alice", slice_id=3), stale, stale)], 0, MINUTE_MS)
    assert read.workers == [Seen(3, T - T % 86_400_000, "alice", "rig")]
    assert read.batches[0].refused == [(3, Outcome.STALE, 2)]


def test_batches_have_runs_in_common() -> None:
    read = read_shares([packed(share("x"), share("y")), packed(share("y"), share("y"))], 0, MINUTE_MS)
    assert [(run.account, run.shares) for run in read.runs] == [("x", 1), ("y", 3)]
    assert [(batch.parts, batch.counts) for batch in read.batches] == [([0, 1], [1, 1]), ([1], [2])]


def test_blocks_are_told_whatever_their_outcome() -> None:
    stale = share("alice", outcome=Outcome.STALE, block_hash=b"B1")
    [batch] = read_shares([packed(share("bob"), stale)], 0, MINUTE_MS).batches
    assert batch.blocks == [BlockShare(1, 1, T, Outcome.STALE, "alice", "rig", 104, b"B1")]


def test_a_bound_parts_a_run() -> None:
    shares = [packed(share("a"), share("a", minute=1), share("a"))]
    assert len(read_shares(shares, T + MINUTE_MS, MINUTE_MS).runs) == 1
    assert len(read_shares(shares, T + MINUTE_MS, MINUTE_MS, [T + 1]).runs) == 2


def test_a_record_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        read_shares([Payload(msgspec.msgpack.encode([99]), 1)], 0, MINUTE_MS)
