"""bitcoind's answers about its chain and about proposed blocks, as values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pool.bitcoin.network import REGTEST, BlockAt
from pool.node import answers
from pool.node.credentials import CookieFile
from pool.node.rpc import BitcoindRpc, RpcSettings
from pool.ports import NodeUnavailable
from pool.work.chain_gate import ChainFacts
from pool.work.empty import TipHeader
from pool.work.make_job import make_job
from pool.work.proposal import proposal
from tests.pool.node.fake_connection import RIGHT_CHAIN, FakeConnection, FakeResponse, error, result
from tests.pool.work.templates import COINBASE, template

JOB = make_job(template(), COINBASE, "1a1fd2f0b84", 0, clean=True)
HASH_HEX = "00" * 31 + "ff"
HASH = b"\xff" + bytes(31)
INFO = {"chain": "regtest", "blocks": 7, "bestblockhash": HASH_HEX, "chainwork": "10", "time": 1_700_000_000}


@pytest.fixture
def cookie(tmp_path: Path) -> CookieFile:
    (tmp_path / ".cookie").write_text("__cookie__:one")
    return CookieFile(tmp_path / ".cookie")


def rpc(cookie: CookieFile, *said: FakeResponse) -> tuple[BitcoindRpc, FakeConnection]:
    connection = FakeConnection(result(RIGHT_CHAIN), *said)
    return BitcoindRpc(RpcSettings("http://127.0.0.1:18443", cookie, REGTEST), connection.open), connection


class TestChain:
    def test_its_tip_its_work_and_its_time(self, cookie: CookieFile) -> None:
        node, _ = rpc(cookie, result(INFO))
        assert answers.chain_facts(node) == ChainFacts(height=7, tip=HASH, work=16, tip_time=1_700_000_000)

    def test_an_answer_that_lacks_something_is_as_good_as_none(self, cookie: CookieFile) -> None:
        node, _ = rpc(cookie, result({"chain": "regtest"}))
        with pytest.raises(NodeUnavailable, match="answer to getblockchaininfo cannot be read: KeyError"):
            answers.chain_facts(node)

    def test_hashes_at_heights_and_none_above_the_tip(self, cookie: CookieFile) -> None:
        node, _ = rpc(cookie, result(HASH_HEX), error(-8, "Block height out of range"))
        assert answers.hashes_at(node, [3, 900]) == {3: HASH}

    def test_only_branches_of_this_fortnight_that_are_invalid_count(self, cookie: CookieFile) -> None:
        tips: list[dict[str, Any]] = [
            {"height": 5000, "hash": "01" * 32, "status": "active"},
            {"height": 5001, "hash": "02" * 32, "status": "invalid"},
            {"height": 4999, "hash": "03" * 32, "status": "valid-fork"},
            {"height": 5000 - 2016, "hash": "04" * 32, "status": "invalid"},
        ]
        node, _ = rpc(cookie, result(tips))
        assert answers.refused_tips(node) == (BlockAt(5001, b"\x02" * 32),)


class TestProposal:
    """BIP-0023."""

    def test_nothing_said_is_consent(self, cookie: CookieFile) -> None:
        node, connection = rpc(cookie, result(None))
        assert answers.propose(node, ("segwit",), JOB, template()).accepted
        assert connection.calls[-1] == (
            "getblocktemplate",
            [{"mode": "proposal", "rules": ["segwit"], "data": proposal(JOB, template()).data.hex()}],
        )

    def test_a_word_is_a_refusal(self, cookie: CookieFile) -> None:
        node, _ = rpc(cookie, result("bad-blk-sigops"))
        assert answers.propose(node, ("segwit",), JOB, template()).reason == "bad-blk-sigops"

    def test_what_is_no_block_is_refused_too(self, cookie: CookieFile) -> None:
        node, _ = rpc(cookie, error(-22, "Block decode failed"))
        assert "Block decode failed" in str(answers.propose(node, ("segwit",), JOB, template()).reason)

    def test_a_node_that_cannot_answer_has_not_refused(self, cookie: CookieFile) -> None:
        node, _ = rpc(cookie, error(-28, "Loading block index"))
        with pytest.raises(NodeUnavailable):
            answers.propose(node, ("segwit",), JOB, template())

    def test_another_answer_is_none(self, cookie: CookieFile) -> None:
        node, _ = rpc(cookie, result({"height": 7}))
        with pytest.raises(NodeUnavailable, match="answer to getblocktemplate cannot be read"):
            answers.propose(node, ("segwit",), JOB, template())


def test_the_header_of_a_tip(cookie: CookieFile) -> None:
    node, connection = rpc(cookie, result({"height": 7, "bits": "207fffff", "mediantime": 1_700_000_000}))
    assert answers.tip_header(node, HASH) == TipHeader(HASH, 7, 0x207FFFFF, 1_700_000_000)
    assert connection.calls[-1] == ("getblockheader", [HASH_HEX])
