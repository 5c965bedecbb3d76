"""A job as the block that the node is asked about."""

from __future__ import annotations

import pytest

from native import merkle_root
from pool.bitcoin.transaction import txid
from pool.work.block import BlockMismatch
from pool.work.make_job import make_job
from pool.work.proposal import proposal
from tests.pool.work.templates import COINBASE, empty_template, template

JOB = make_job(template(), COINBASE, "1a1fd2f0b84", 0, clean=True)
COINBASE_BYTES = JOB.coinb1 + b"\xac" * 12 + JOB.coinb2


class TestProposal:
    """BIP-0023, `getblocktemplate` with mode `proposal`."""

    def test_it_is_the_whole_block_with_the_coinbases_witness(self) -> None:
        block = proposal(JOB, template()).data
        witnessed = COINBASE_BYTES[:4] + b"\x00\x01" + COINBASE_BYTES[4:-4] + b"\x01\x20" + bytes(32) + bytes(4)
        assert block[80:] == b"\x04" + witnessed + b"".join(each.data for each in template().transactions)

    def test_its_header_is_the_jobs(self) -> None:
        root = merkle_root(txid(COINBASE_BYTES), b"".join(JOB.branch))
        header = (
            JOB.version.to_bytes(4, "little")
            + JOB.prev_hash
            + root
            + JOB.ntime.to_bytes(4, "little")
            + JOB.nbits.to_bytes(4, "little")
            + bytes(4)
        )
        assert proposal(JOB, template()).data[:80] == header

    def test_the_template_of_another_job_is_a_bug(self) -> None:
        with pytest.raises(BlockMismatch, match="merkle root"):
            proposal(JOB, empty_template())
