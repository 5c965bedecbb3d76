"""Blocks that a killed process left in its journal are found again, whole."""

from __future__ import annotations

import msgspec

import native
from native.verdict import Verdict
from pool.ports import Record
from pool.work.job import Job
from pool.work.share import Outcome, Share
from stratum.resume import FormerRun, candidates, former_run, with_found

# Regtest's target: a hash in two is a block.
JOB = Job("a1", 1_000, 7, 0x20000000, b"\x01" * 32, b"\x02" * 60, b"\x03" * 60, (b"\x04" * 32,), 0x207FFFFF,
          1_700_000_000, 1_700_000_000, 1_700_007_200, 50, 0, True)  # fmt: skip
EXTRANONCE = b"\x00\x00\x00\x05", b"\x00" * 8


def share(outcome: Outcome = Outcome.ACCEPTED, time_ms: int = 5_000) -> Share:
    """A share that is a block."""
    check = native.JobCheck(JOB.coinb1, JOB.coinb2, b"".join(JOB.branch), JOB.prev_hash, JOB.nbits)
    for nonce in range(1000):
        verdict, block_hash = check.check(*EXTRANONCE, JOB.version, JOB.ntime, nonce, bytes(32))
        if verdict is Verdict.BLOCK:
            return Share(time_ms, outcome, "a1", "alice", "rig", *EXTRANONCE, JOB.version, JOB.ntime, nonce, 1e-9,
                         JOB.nbits, 7, None, block_hash)  # fmt: skip
    raise AssertionError("a thousand nonces without a block on regtest")


def hash_of(block: Share) -> bytes:
    assert block.block_hash is not None
    return block.block_hash


def found(*records: Record, since_ms: int = 0) -> list[bytes]:
    return [each.block_hash for each in candidates(records, since_ms)]


def test_a_block_of_the_journal_becomes_the_candidate_that_it_was() -> None:
    block = share()
    (it,) = candidates([JOB, block], 0)
    assert native.sha256d(it.header) == block.block_hash == it.block_hash
    root = native.merkle_root(native.sha256d(it.coinbase), b"".join(JOB.branch))
    assert it.header[36:68] == root
    assert (it.job_id, it.login, it.time_ms) == ("a1", "alice.rig", 5_000)


def test_a_block_counts_whatever_became_of_its_share() -> None:
    late = share(Outcome.STALE)
    assert found(JOB, late) == [late.block_hash]


def test_a_share_that_is_no_block_is_passed_over() -> None:
    low = Share(1, Outcome.LOW_DIFFICULTY, "a1", "alice", "rig", *EXTRANONCE, 1, 1, 1, 1.0, JOB.nbits, 7)
    assert found(JOB, low) == []


def test_an_old_block_is_left_alone() -> None:
    assert found(JOB, share(time_ms=5_000), since_ms=5_001) == []


class TestFound:
    """Shares of blocks that the run before could not have recorded."""

    def test_such_a_share_is_known_when_it_comes_again(self) -> None:
        block = share()
        former = with_found(former_run([JOB]), [(block, JOB)])
        assert former == FormerRun((JOB,), frozenset({hash_of(block)}), {})

    def test_its_job_too_if_the_journal_has_not_even_that(self) -> None:
        other = msgspec.structs.replace(JOB, job_id="a2")
        former = with_found(former_run([other]), [(share(), JOB)])
        assert former is not None
        assert former.jobs == (other, JOB)

    def test_a_journal_that_is_empty_does_not_matter(self) -> None:
        block = share()
        assert with_found(None, [(block, JOB)]) == FormerRun((JOB,), frozenset({hash_of(block)}), {})

    def test_on_an_older_tip_it_could_not_count_again_anyway(self) -> None:
        newer = former_run([msgspec.structs.replace(JOB, prev_hash=b"\x07" * 32)])
        assert with_found(newer, [(share(), JOB)]) == newer

    def test_a_share_that_did_not_count_is_not_remembered(self) -> None:
        assert with_found(None, [(share(Outcome.STALE), JOB)]) is None


def test_a_block_whose_job_is_not_there_is_left_out() -> None:
    assert found(share()) == []
