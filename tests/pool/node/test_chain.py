"""The chain as accounting sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pool.bitcoin.network import MAIN, REGTEST, Network
from pool.node.chain import BitcoindChain
from pool.node.credentials import CookieFile
from pool.node.rpc import BitcoindRpc, RpcSettings
from pool.ports import NodeUnavailable
from tests.pool.node.fake_connection import RIGHT_CHAIN, FakeConnection, FakeResponse, error, result

HASH = bytes(range(32))
HASH_HEX = HASH[::-1].hex()

# The coinbase of block 1 of the main chain.
RAW_HEX = (
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff0704ffff001d0104ffffffff0100f2052a"
    "0100000043410496b538e853519c726a2c91e61ec11600ae1390813a627c66fb8be7947be63c52da7589379515d4e0a604f8141781e6229472"
    "1166bf621e73a82cbf2342c858eeac00000000"
)


def chain(tmp_path: Path, *answers: FakeResponse, network: Network = REGTEST) -> tuple[BitcoindChain, FakeConnection]:
    (tmp_path / ".cookie").write_text("__cookie__:one")
    settings = RpcSettings("http://127.0.0.1:1", CookieFile(tmp_path / ".cookie"), network)
    connection = FakeConnection(result(RIGHT_CHAIN | {"chain": network.name}), *answers)
    return BitcoindChain(settings, BitcoindRpc(settings, connection.open)), connection


def test_the_tip_has_a_height(tmp_path: Path) -> None:
    assert chain(tmp_path, result(123))[0].tip_height() == 123


def test_a_hash_is_in_wire_order(tmp_path: Path) -> None:
    assert chain(tmp_path, result(HASH_HEX))[0].hash_at(5) == HASH


def test_above_the_tip_there_is_no_hash(tmp_path: Path) -> None:
    assert chain(tmp_path, error(-8, "Block height out of range"))[0].hash_at(5) is None


def test_another_error_is_not_taken_for_no_hash(tmp_path: Path) -> None:
    with pytest.raises(NodeUnavailable):
        chain(tmp_path, error(-28, "Loading block index"))[0].hash_at(5)


class TestCoinbaseOutputs:
    def test_they_are_satoshis_and_scripts(self, tmp_path: Path) -> None:
        outputs = chain(tmp_path, result({"tx": ["aa", "bb"]}), result(RAW_HEX))[0].coinbase_outputs(HASH)
        assert outputs == ((50_0000_0000, bytes.fromhex(RAW_HEX)[-71:-4]),)

    def test_the_first_transaction_of_the_block_is_asked_for(self, tmp_path: Path) -> None:
        asked, connection = chain(tmp_path, result({"tx": ["aa", "bb"]}), result(RAW_HEX))
        asked.coinbase_outputs(HASH)
        assert connection.calls[1:] == [("getblock", [HASH_HEX, 1]), ("getrawtransaction", ["aa", False, HASH_HEX])]

    def test_a_block_that_the_node_does_not_know_has_none(self, tmp_path: Path) -> None:
        assert chain(tmp_path, error(-5, "Block not found"))[0].coinbase_outputs(HASH) is None

    @pytest.mark.parametrize("shown", [{}, {"tx": []}, [], "00"])
    def test_a_block_shown_in_another_form_is_an_error_of_the_node(self, tmp_path: Path, shown: object) -> None:
        with pytest.raises(NodeUnavailable, match="shows no coinbase"):
            chain(tmp_path, result(shown))[0].coinbase_outputs(HASH)

    def test_a_coinbase_that_breaks_off_is_an_error_of_the_node(self, tmp_path: Path) -> None:
        with pytest.raises(NodeUnavailable, match="shows no coinbase"):
            chain(tmp_path, result({"tx": ["aa"]}), result(RAW_HEX[:-10]))[0].coinbase_outputs(HASH)


class TestSynced:
    @pytest.mark.parametrize(("downloading", "synced"), [(True, False), (False, True)])
    def test_the_main_chain_is_once_the_first_download_is_over(
        self, tmp_path: Path, downloading: bool, synced: bool
    ) -> None:
        info = {"initialblockdownload": downloading, "blocks": 9, "headers": 9}
        assert chain(tmp_path, result(info), network=MAIN)[0].is_synced() is synced

    @pytest.mark.parametrize(("blocks", "synced"), [(8, False), (9, True)])
    def test_a_test_chain_is_when_no_block_is_missing(self, tmp_path: Path, blocks: int, synced: bool) -> None:
        info = {"initialblockdownload": True, "blocks": blocks, "headers": 9}
        assert chain(tmp_path, result(info))[0].is_synced() is synced
