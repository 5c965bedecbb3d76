"""payout.wallet: what is asked of bitcoind and how its answers are read. Real ones are in tests/regtest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from payout.payment import Place
from payout.payment_ports import Sent, Tip, WalletWaits
from payout.wallet import BitcoindWallet
from pool.bitcoin.network import MAIN, REGTEST, Network
from pool.bitcoin.transaction import OutPoint
from pool.node.credentials import PasswordFile
from pool.node.rpc import RpcRefusal, RpcSettings
from pool.ports import NodeUnavailable

TXID = bytes(range(32))
COIN = OutPoint(TXID, 1)
COIN_JSON = {"txid": TXID[::-1].hex(), "vout": 1}


class FakeRpc:
    """Answers by method, in turn; an exception is raised. calls: what was asked."""

    def __init__(self, **answers: list[Any]) -> None:
        self._answers = answers
        self.calls: list[tuple[Any, ...]] = []

    def call(self, method: str, *params: Any) -> Any:
        self.calls.append((method, *params))
        answer = self._answers[method].pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def wallet(network: Network = REGTEST, **answers: list[Any]) -> tuple[BitcoindWallet, FakeRpc]:
    rpc = FakeRpc(**answers)
    settings = RpcSettings("http://127.0.0.1:1", PasswordFile("u", __file__), network, wallet="money")  # type: ignore[arg-type]
    return BitcoindWallet(settings, rpc), rpc  # type: ignore[arg-type]


def refusal(code: int) -> RpcRefusal:
    return RpcRefusal(code, f"the node says {code}")


INFO = {"blocks": 7, "headers": 7, "bestblockhash": TXID[::-1].hex(), "initialblockdownload": False}


class TestTip:
    def test_it_is_the_newest_block(self) -> None:
        assert wallet(getblockchaininfo=[INFO])[0].tip() == Tip(7, TXID)

    def test_a_node_that_lacks_blocks_of_headers_is_not_believed(self) -> None:
        with pytest.raises(NodeUnavailable, match="2 blocks behind"):
            wallet(getblockchaininfo=[{**INFO, "headers": 9}])[0].tip()

    def test_nor_is_one_in_its_initial_download_but_on_a_test_chain(self) -> None:
        info = {**INFO, "initialblockdownload": True}
        with pytest.raises(NodeUnavailable, match="still syncing"):
            wallet(MAIN, getblockchaininfo=[info])[0].tip()
        assert wallet(getblockchaininfo=[info])[0].tip().height == 7


class TestAmounts:
    def test_they_go_out_as_text_and_come_back_as_satoshis(self) -> None:
        built = {"psbt": "p", "fee": Decimal("0.00000705")}
        money, rpc = wallet(getrawchangeaddress=["change"], walletcreatefundedpsbt=[built])
        assert money.build({"a": 2_100_000_000_000_001}, 5_123).fee_sat == 705
        _, inputs, outputs, locktime, options = rpc.calls[-1]
        assert (inputs, outputs, locktime) == ([], [{"a": "21000000.00000001"}], 0)
        assert options == {
            "lockUnspents": True,
            "minconf": 1,
            "replaceable": True,
            "fee_rate": "5.123",
            "changeAddress": "change",
        }

    def test_a_part_of_a_satoshi_is_no_amount(self) -> None:
        with pytest.raises(NodeUnavailable, match="no whole number of satoshis"):
            wallet(psbtbumpfee=[{"psbt": "p", "fee": Decimal("0.000000001")}])[0].build_replacement(TXID, 1_000)

    def test_a_fee_rate_is_never_below_what_the_mempool_takes(self) -> None:
        money, _ = wallet(
            estimatesmartfee=[{"feerate": Decimal("0.00002")}, {"errors": ["none"]}],
            getmempoolinfo=[{"mempoolminfee": Decimal("0.00003")}],
        )
        assert [money.fee_rate_sat_kvb(6), money.fee_rate_sat_kvb(6)] == [3_000, None]


class TestRefusals:
    def test_a_wallet_that_a_restart_left_unloaded_is_loaded_for_good(self) -> None:
        money, rpc = wallet(listlockunspent=[refusal(-18), []], loadwallet=[{}])
        money.set_aside([])
        assert rpc.calls[1] == ("loadwallet", "money", True)

    def test_one_that_is_not_there_is_named_with_the_mend(self) -> None:
        with pytest.raises(WalletWaits, match="'money' is not at the node: create it there"):
            wallet(listlockunspent=[refusal(-18)], loadwallet=[refusal(-18)])[0].set_aside([])

    def test_a_locked_one_waits_for_its_passphrase(self) -> None:
        with pytest.raises(WalletWaits, match="walletpassphrase"):
            wallet(walletprocesspsbt=[refusal(-13)])[0].sign("p")

    def test_too_few_coins_wait(self) -> None:
        with pytest.raises(WalletWaits, match="-4"):
            wallet(getrawchangeaddress=["c"], walletcreatefundedpsbt=[refusal(-4)])[0].build({"a": 1}, 1_000)

    @pytest.mark.parametrize(
        ("answer", "sent"),
        [("txid", Sent.TAKEN), (refusal(-27), Sent.CONFIRMED), (refusal(-25), Sent.ASK), (refusal(-26), Sent.UNKNOWN)],
    )
    def test_every_answer_to_a_broadcast_has_its_meaning(self, answer: Any, sent: Sent) -> None:
        assert wallet(sendrawtransaction=[answer])[0].send(b"raw").sent is sent

    def test_no_answer_to_a_broadcast_is_no_answer(self) -> None:
        with pytest.raises(NodeUnavailable):
            wallet(sendrawtransaction=[NodeUnavailable("time-out")])[0].send(b"raw")


class TestPlace:
    def test_the_wallet_is_asked_first(self) -> None:
        known = {"confirmations": 2, "blockhash": TXID[::-1].hex(), "blockheight": 9}
        assert wallet(getmempoolentry=[refusal(-5)], gettransaction=[known])[0].place(TXID) == Place(2, TXID, 9)

    def test_one_in_the_mempool_is_not_asked_about_any_further(self) -> None:
        assert wallet(getmempoolentry=[{"vsize": 1}])[0].place(TXID) == Place(0, in_mempool=True)

    def test_nor_is_one_whose_block_is_still_in_the_chain(self) -> None:
        header = {"confirmations": 3, "height": 9}
        assert wallet(getblockheader=[header])[0].place(TXID, b"b" * 32) == Place(3, b"b" * 32, 9)

    def test_one_whose_block_is_not_is_looked_for(self) -> None:
        money, _ = wallet(getblockheader=[{"confirmations": -1, "height": 9}], getmempoolentry=[{"vsize": 1}])
        assert money.place(TXID, b"b" * 32) == Place(0, in_mempool=True)

    def test_then_the_node(self) -> None:
        known = {"confirmations": 1, "blockhash": TXID[::-1].hex()}
        money, _ = wallet(
            getmempoolentry=[refusal(-5)],
            gettransaction=[refusal(-5)],
            getrawtransaction=[known],
            getblockheader=[{"height": 4}],
        )
        assert money.place(TXID) == Place(1, TXID, 4)

    @pytest.mark.parametrize(
        ("known", "confirmations"), [({"confirmations": 0}, 0), ({"confirmations": -3}, -3), ({}, 0)]
    )
    def test_outside_the_chain_it_has_no_block(self, known: dict[str, int], confirmations: int) -> None:
        assert wallet(getmempoolentry=[refusal(-5)], gettransaction=[known])[0].place(TXID) == Place(confirmations)

    def test_what_nobody_knows_is_nowhere(self) -> None:
        nobody = [refusal(-5)]
        money, _ = wallet(getmempoolentry=[*nobody], gettransaction=[*nobody], getrawtransaction=[*nobody])
        assert money.place(TXID) is None

    def test_any_other_error_is_not_taken_for_that(self) -> None:
        with pytest.raises(NodeUnavailable):
            wallet(getmempoolentry=[refusal(-5)], gettransaction=[refusal(-28)])[0].place(TXID)


class TestSetAside:
    def test_what_is_not_claimed_is_unlocked_and_what_is_claimed_locked_for_good(self) -> None:
        other = {"txid": "00" * 32, "vout": 0}
        money, rpc = wallet(listlockunspent=[[other]], lockunspent=[True, True])
        money.set_aside([COIN])
        assert rpc.calls[1:] == [("lockunspent", True, [other]), ("lockunspent", False, [COIN_JSON], True)]

    def test_what_is_spent_in_the_mempool_need_not_be(self) -> None:
        wallet(listlockunspent=[[]], lockunspent=[refusal(-8)])[0].set_aside([COIN])


class TestAddresses:
    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            ({"isvalid": False, "error": "Invalid checksum"}, "the node does not take a: Invalid checksum"),
            ({"isvalid": True, "scriptPubKey": "00"}, "the node reads another script out of a"),
            ({"isvalid": True, "scriptPubKey": "51"}, None),
        ],
    )
    def test_the_node_has_to_agree(self, answer: dict[str, Any], why: str | None) -> None:
        assert wallet(validateaddress=[answer])[0].address_refusals({"a": b"\x51"}).get("a") == why
