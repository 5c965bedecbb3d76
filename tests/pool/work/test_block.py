"""Blocks put together again: the genesis block's form, and refusals of what does not fit."""

from __future__ import annotations

import pytest

from native import JobCheck, sha256d
from pool.work.block import BlockMismatch, assemble, body_of
from pool.work.make_job import make_job
from pool.work.template import Template
from tests.pool.work.templates import COINBASE, empty_template, template

EXTRANONCE1, EXTRANONCE2 = b"\x00\x00\x00\x01", b"\x00" * 7 + b"\x02"


def header_and_coinbase(of: Template) -> tuple[bytes, bytes]:
    job = make_job(of, COINBASE, "1a1fd2f0b84", 0, clean=True)
    check = JobCheck(job.coinb1, job.coinb2, b"".join(job.branch), job.prev_hash, job.nbits)
    return (
        check.header(EXTRANONCE1, EXTRANONCE2, job.version, job.ntime, 7),
        check.coinbase(EXTRANONCE1, EXTRANONCE2),
    )


class TestAssemble:
    """BIP-0144; Bitcoin Core, `CBlock`."""

    def test_a_block_is_header_count_coinbase_with_witness_and_transactions(self) -> None:
        header, coinbase = header_and_coinbase(template())
        assert assemble(body_of(template()), header, coinbase).data == (
            header
            + b"\x04"
            + coinbase[:4]
            + b"\x00\x01"
            + coinbase[4:-4]
            + b"\x01\x20"
            + bytes(32)
            + coinbase[-4:]
            + b"".join(each.data for each in template().transactions)
        )

    def test_a_block_may_be_a_coinbase_alone(self) -> None:
        header, coinbase = header_and_coinbase(empty_template())
        block = assemble(body_of(empty_template()), header, coinbase).data
        assert (block[80], len(block)) == (1, 80 + 1 + len(coinbase) + 2 + 34)

    def test_its_hex_is_that_of_its_bytes(self) -> None:
        block = assemble(body_of(template()), *header_and_coinbase(template()))
        assert b"".join(block.hex_pieces) == block.data.hex().encode()

    def test_it_knows_its_hash_and_height(self) -> None:
        header, coinbase = header_and_coinbase(template())
        block = assemble(body_of(template()), header, coinbase)
        assert (block.block_hash, block.height) == (sha256d(header), template().height)


class TestMismatch:
    def test_the_coinbase_of_another_share_is_refused(self) -> None:
        header, coinbase = header_and_coinbase(template())
        with pytest.raises(BlockMismatch, match="merkle root"):
            assemble(body_of(template()), header, coinbase[:-5] + b"\x01" + coinbase[-4:])

    def test_the_template_of_another_job_is_refused(self) -> None:
        header, coinbase = header_and_coinbase(template())
        with pytest.raises(BlockMismatch, match="merkle root"):
            assemble(body_of(empty_template()), header, coinbase)

    def test_a_header_of_another_length_is_refused(self) -> None:
        header, coinbase = header_and_coinbase(template())
        with pytest.raises(BlockMismatch, match="80 bytes"):
            assemble(body_of(template()), header[:79], coinbase)
