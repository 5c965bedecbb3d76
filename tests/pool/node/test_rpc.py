"""Every way a node fails to answer, as a text that says how to mend it."""

from __future__ import annotations

import socket
from http.client import BadStatusLine, IncompleteRead, RemoteDisconnected
from pathlib import Path

import msgspec
import pytest

from pool.bitcoin.network import MAIN, REGTEST
from pool.node.credentials import CookieFile
from pool.node.rpc import BitcoindRpc, NodeTimeout, RpcRefusal, RpcSettings
from pool.ports import NodeUnavailable
from tests.pool.node.fake_connection import RIGHT_CHAIN, FakeConnection, FakeResponse, error, result, shut


@pytest.fixture
def settings(tmp_path: Path) -> RpcSettings:
    (tmp_path / ".cookie").write_text("__cookie__:one")
    return RpcSettings("http://127.0.0.1:18443", CookieFile(tmp_path / ".cookie"), REGTEST)


def after_chain_check(*answers: FakeResponse | Exception) -> FakeConnection:
    return FakeConnection(result(RIGHT_CHAIN), *answers)


class TestCall:
    def test_it_gives_the_result(self, settings: RpcSettings) -> None:
        connection = after_chain_check(result(7))
        assert BitcoindRpc(settings, connection.open).call("getblockcount") == 7

    def test_parameters_go_with_it(self, settings: RpcSettings) -> None:
        connection = after_chain_check(result("00"))
        BitcoindRpc(settings, connection.open).call("getblockhash", 5)
        assert connection.calls[-1] == ("getblockhash", [5])

    def test_the_cookie_goes_with_it(self, settings: RpcSettings) -> None:
        connection = after_chain_check(result(7))
        BitcoindRpc(settings, connection.open).call("getblockcount")
        assert connection.authorizations == ["__cookie__:one"] * 2

    def test_the_chain_is_asked_for_once(self, settings: RpcSettings) -> None:
        connection = after_chain_check(result(7), result(8))
        rpc = BitcoindRpc(settings, connection.open)
        rpc.call("getblockcount")
        rpc.call("getblockcount")
        assert [method for method, _ in connection.calls] == ["getblockchaininfo", "getblockcount", "getblockcount"]

    def test_an_address_without_port_means_the_networks_own(self, tmp_path: Path) -> None:
        connection = FakeConnection()
        BitcoindRpc(RpcSettings("http://node", CookieFile(tmp_path), MAIN), connection.open)
        assert connection.opened_with == ("node", 8332, {"timeout": 30.0})

    @pytest.mark.parametrize("url", ["https://node:8332", "node:8332", "http://me:secret@node:8332", "http://"])
    def test_what_is_no_address_of_a_node_is_refused(self, tmp_path: Path, url: str) -> None:
        with pytest.raises(ValueError, match="without user or password"):
            BitcoindRpc(RpcSettings(url, CookieFile(tmp_path), MAIN), FakeConnection().open)


class TestSecondTry:
    @pytest.mark.parametrize(
        "failure",
        [BrokenPipeError(32, "Broken pipe"), ConnectionResetError(104, "reset"), RemoteDisconnected("closed")],
    )
    def test_a_kept_connection_that_the_node_closed_is_opened_again(
        self, settings: RpcSettings, failure: Exception
    ) -> None:
        connection = after_chain_check(failure, result(7))
        assert BitcoindRpc(settings, connection.open).call("getblockcount") == 7

    def test_a_new_connection_is_not_tried_twice(self, settings: RpcSettings) -> None:
        connection = FakeConnection(RemoteDisconnected("closed"), result(RIGHT_CHAIN), result(7))
        with pytest.raises(NodeUnavailable, match="broke off getblockcount"):
            BitcoindRpc(settings, connection.open).call("getblockcount")

    def test_a_kept_connection_needs_no_file_for_its_next_request(self, settings: RpcSettings, tmp_path: Path) -> None:
        connection = after_chain_check(result(7), result(8))
        rpc = BitcoindRpc(settings, connection.open)
        rpc.call("getblockcount")
        (tmp_path / ".cookie").unlink()
        assert rpc.call("getblockcount") == 8

    def test_a_new_connection_has_the_cookie_of_now(self, settings: RpcSettings, tmp_path: Path) -> None:
        connection = after_chain_check(result(7), RemoteDisconnected("idle"), result(8))
        rpc = BitcoindRpc(settings, connection.open)
        rpc.call("getblockcount")
        (tmp_path / ".cookie").write_text("__cookie__:two")
        rpc.call("getblockcount")
        assert connection.authorizations[-1] == "__cookie__:two"

    def test_a_cookie_that_the_node_has_rewritten_is_read_again(self, settings: RpcSettings, tmp_path: Path) -> None:
        connection = after_chain_check(result(7), shut(401, "Unauthorized"), result(8))
        rpc = BitcoindRpc(settings, connection.open)
        rpc.call("getblockcount")
        (tmp_path / ".cookie").write_text("__cookie__:two")
        assert rpc.call("getblockcount") == 8
        assert connection.authorizations[-1] == "__cookie__:two"


class TestRefusal:
    def test_an_error_of_the_node_keeps_its_code(self, settings: RpcSettings) -> None:
        connection = after_chain_check(error(-8, "Block height out of range"))
        with pytest.raises(RpcRefusal, match=r"refuses getblockhash: Block height out of range \(-8\)") as refused:
            BitcoindRpc(settings, connection.open).call("getblockhash", 5)
        assert refused.value.code == -8

    def test_it_leaves_the_connection_open(self, settings: RpcSettings) -> None:
        connection = after_chain_check(error(-8, "Block height out of range"), result(7))
        rpc = BitcoindRpc(settings, connection.open)
        with pytest.raises(RpcRefusal):
            rpc.call("getblockhash", 5)
        assert (rpc.call("getblockcount"), connection.closed) == (7, 0)

    @pytest.mark.parametrize(
        ("code", "mending"),
        [
            (-28, "it is starting: wait"),
            (-10, "still syncing: wait"),
            (-9, "no peers: connect it"),
            (-32601, "Bitcoin Core or Bitcoin Knots 28 or newer"),
        ],
    )
    def test_the_usual_ones_say_how_to_mend_them(self, settings: RpcSettings, code: int, mending: str) -> None:
        connection = after_chain_check(error(code, "no"))
        with pytest.raises(NodeUnavailable, match=mending):
            BitcoindRpc(settings, connection.open).call("getblocktemplate")


class TestUnavailable:
    @pytest.mark.parametrize(
        ("failure", "text"),
        [
            (ConnectionRefusedError(111, "Connection refused"), "nothing listens there: bitcoind at 127.0.0.1:18443"),
            (socket.gaierror(-2, "Name or service not known"), "the host name is unknown"),
            (OSError(113, "No route to host"), "broke off getblockcount: .*No route to host"),
            (IncompleteRead(b""), "broke off getblockcount"),
            (BadStatusLine("SSH-2.0"), "broke off getblockcount: SSH-2.0"),
            (shut(403, "Forbidden"), "HTTP 403 Forbidden: let it take our address: -rpcallowip"),
            (shut(404, "Not Found"), "HTTP 404 Not Found: the address must be the node's RPC port"),
            (shut(503, "Service Unavailable"), "HTTP 503 Service Unavailable: it is too busy"),
            (shut(301, "Moved Permanently"), "HTTP 301 Moved Permanently: is it a bitcoind?"),
            (FakeResponse(b"<html>"), "something that is no JSON-RPC"),
            (FakeResponse(b"\xff"), "something that is no JSON-RPC"),
            (FakeResponse(b"[]"), "something that is no JSON-RPC"),
            (FakeResponse(b'{"error":5}'), "something that is no JSON-RPC"),
        ],
    )
    def test_the_text_says_what_is_wrong(
        self, settings: RpcSettings, failure: FakeResponse | Exception, text: str
    ) -> None:
        # A failure on the kept connection is tried twice.
        connection = after_chain_check(failure, failure)
        with pytest.raises(NodeUnavailable, match=text):
            BitcoindRpc(settings, connection.open).call("getblockcount")

    def test_a_node_that_is_too_slow_is_a_time_out(self, settings: RpcSettings) -> None:
        connection = after_chain_check(TimeoutError("timed out"))
        with pytest.raises(NodeTimeout, match="did not answer getblockcount within 30 s"):
            BitcoindRpc(settings, connection.open).call("getblockcount")

    def test_a_wrong_cookie_is_named_by_its_file(self, settings: RpcSettings) -> None:
        connection = FakeConnection(shut(401, "Unauthorized"), shut(401, "Unauthorized"))
        with pytest.raises(NodeUnavailable, match=r"refuses the cookie in .*\.cookie"):
            BitcoindRpc(settings, connection.open).call("getblockcount")

    def test_a_missing_cookie_is_not_asked_with(self, settings: RpcSettings, tmp_path: Path) -> None:
        (tmp_path / ".cookie").unlink()
        connection = FakeConnection()
        with pytest.raises(NodeUnavailable, match="is bitcoind running"):
            BitcoindRpc(settings, connection.open).call("getblockcount")
        assert connection.calls == []

    def test_a_node_on_another_chain_is_refused(self, settings: RpcSettings) -> None:
        connection = FakeConnection(result(RIGHT_CHAIN | {"chain": "main"}))
        with pytest.raises(NodeUnavailable, match="is on the chain 'main', the pool on 'regtest'"):
            BitcoindRpc(settings, connection.open).call("getblockcount")

    def test_after_a_failure_the_chain_is_asked_for_again(self, settings: RpcSettings) -> None:
        connection = after_chain_check(TimeoutError(), result(RIGHT_CHAIN | {"chain": "main"}))
        rpc = BitcoindRpc(settings, connection.open)
        with pytest.raises(NodeTimeout):
            rpc.call("getblockcount")
        with pytest.raises(NodeUnavailable, match="is on the chain 'main'"):
            rpc.call("getblockcount")

    def test_after_a_failure_the_connection_is_closed(self, settings: RpcSettings) -> None:
        connection = after_chain_check(FakeResponse(b"<html>"))
        with pytest.raises(NodeUnavailable):
            BitcoindRpc(settings, connection.open).call("getblockcount")
        assert connection.closed == 1


def test_a_closed_connection_is_opened_again_by_the_next_call(settings: RpcSettings) -> None:
    connection = after_chain_check(result(1), result(2))
    rpc = BitcoindRpc(settings, connection.open)
    rpc.call("getblockcount")
    rpc.close()
    assert (connection.closed, rpc.call("getblockcount")) == (1, 2)


class TestInterrupt:
    def test_a_later_call_is_refused(self, settings: RpcSettings) -> None:
        connection = FakeConnection()
        rpc = BitcoindRpc(settings, connection.open)
        rpc.interrupt()
        with pytest.raises(NodeUnavailable, match="was closed"):
            rpc.call("getblockcount")

    def test_an_open_connection_is_shut_down_which_ends_a_call_that_waits_on_it(self, settings: RpcSettings) -> None:
        connection = after_chain_check(result(1))
        rpc = BitcoindRpc(settings, connection.open)
        rpc.call("getblockcount")
        rpc.interrupt()
        assert connection.is_shut


class TestCallRaw:
    def test_it_gives_the_result_as_it_came(self, settings: RpcSettings) -> None:
        connection = after_chain_check(FakeResponse(b'{"result": {"height" : 7}, "error": null, "id": 0}'))
        assert bytes(BitcoindRpc(settings, connection.open).call_raw("getblocktemplate")) == b'{"height" : 7}'

    def test_parameters_go_with_it_to_the_wallet_that_it_is_about(self, settings: RpcSettings) -> None:
        connection = after_chain_check(result({}))
        of_wallet = msgspec.structs.replace(settings, wallet="hot one")
        BitcoindRpc(of_wallet, connection.open).call_raw("getblocktemplate", {"rules": ["segwit"]}, 5)
        assert connection.calls[-1] == ("getblocktemplate", [{"rules": ["segwit"]}, 5])
        assert connection.paths == ["/wallet/hot%20one"] * 2

    def test_an_error_is_a_refusal_with_its_code(self, settings: RpcSettings) -> None:
        connection = after_chain_check(error(-10, "in initial sync"))
        with pytest.raises(RpcRefusal, match="still syncing") as caught:
            BitcoindRpc(settings, connection.open).call_raw("getblocktemplate")
        assert caught.value.code == -10

    @pytest.mark.parametrize("body", [b"[]", b"{}", b"nonsense", b'{"result":7}', b'{"result":7,"error":"no"}'])
    def test_what_is_no_answer_never_passes_for_one(self, settings: RpcSettings, body: bytes) -> None:
        connection = after_chain_check(FakeResponse(body))
        with pytest.raises(NodeUnavailable, match="no JSON-RPC"):
            BitcoindRpc(settings, connection.open).call_raw("getblocktemplate")


class TestSubmit:
    def test_a_block_goes_out_in_pieces_and_arrives_whole(self, settings: RpcSettings) -> None:
        connection = after_chain_check(result(None))
        assert BitcoindRpc(settings, connection.open).submit([b"00", b"ff"]) is None
        assert connection.calls[-1] == ("submitblock", ["00ff"])

    def test_the_nodes_word_against_it_is_given(self, settings: RpcSettings) -> None:
        connection = after_chain_check(result("bad-cb-amount"))
        assert BitcoindRpc(settings, connection.open).submit([b"00"]) == "bad-cb-amount"

    def test_an_error_is_a_refusal_with_its_code(self, settings: RpcSettings) -> None:
        connection = after_chain_check(error(-22, "Block decode failed"))
        with pytest.raises(RpcRefusal, match="Block decode failed") as caught:
            BitcoindRpc(settings, connection.open).submit([b"00"])
        assert caught.value.code == -22

    @pytest.mark.parametrize("body", [b"[]", b"{}", b"nonsense", b'{"result":null}'])
    def test_what_is_no_answer_never_passes_for_one(self, settings: RpcSettings, body: bytes) -> None:
        connection = after_chain_check(FakeResponse(body))
        with pytest.raises(NodeUnavailable, match="no JSON-RPC"):
            BitcoindRpc(settings, connection.open).submit([b"00"])

    def test_a_connection_that_was_closed_meanwhile_is_opened_again(self, settings: RpcSettings) -> None:
        connection = after_chain_check(result(7), RemoteDisconnected(""), result(None))
        rpc = BitcoindRpc(settings, connection.open)
        rpc.call("getblockcount")
        assert rpc.submit([b"00"]) is None

    def test_a_door_that_is_shut_says_so(self, settings: RpcSettings) -> None:
        connection = after_chain_check(shut(503, "Service Unavailable"))
        with pytest.raises(NodeUnavailable, match="too busy"):
            BitcoindRpc(settings, connection.open).submit([b"00"])
