"""A wallet of bitcoind, over JSON-RPC; synchronous, for one thread.

Amounts cross the wire as decimal text, never as a float. Behaviour was looked at on Bitcoin Knots 29.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from payout.foreign import SentOutput
from payout.payment import Place
from payout.payment_ports import Answer, Built, Tip, WalletWaits, what_send_means
from pool.bitcoin.amount import COIN, format_btc
from pool.bitcoin.transaction import OutPoint, Output
from pool.node.rpc import (
    OUT_OF_RANGE,
    UNKNOWN_BLOCK,
    WALLET_NEEDS_UNLOCK,
    WALLET_NOT_FOUND,
    BitcoindRpc,
    RpcRefusal,
    RpcSettings,
)
from pool.ports import NodeUnavailable

T = TypeVar("T")

UNKNOWN_TRANSACTION = UNKNOWN_BLOCK  # -5: the same code for what an address or a txid cannot be found by
_KNOWN_ALREADY = ("txn-already-in-mempool", "txn-already-known")
_CHANGE_TYPE = "bech32"  # else the wallet imitates the payees' types, and legacy change could not be spent again


class BitcoindWallet:
    """Satisfies payout.payment_ports.Wallet."""

    def __init__(self, settings: RpcSettings, rpc: BitcoindRpc | None = None) -> None:
        """settings: with the wallet's name."""
        self._rpc = rpc or BitcoindRpc(settings)
        self._name = settings.wallet
        self._is_test = settings.network.is_test

    def close(self) -> None:
        """Close the connection; a later call opens another one."""
        self._rpc.close()

    def interrupt(self) -> None:
        """End a call that waits in another thread, and refuse every later one."""
        self._rpc.interrupt()

    def tip(self) -> Tip:
        """The tip. Raises NodeUnavailable unless the node has every block that it knows of."""
        info = self._call("getblockchaininfo")
        behind = info["headers"] - info["blocks"]
        if behind or (info["initialblockdownload"] and not self._is_test):
            raise NodeUnavailable(
                f"the wallet's node is still syncing, {behind} blocks behind the headers it knows: "
                "payouts wait until it has the whole chain"
            )
        return Tip(info["blocks"], _wire(info["bestblockhash"]))

    def fee_rate_sat_kvb(self, target_blocks: int) -> int | None:
        """The fee rate to be in the chain within so many blocks, and to be in the mempool now; None without either."""
        estimate = self._call("estimatesmartfee", target_blocks).get("feerate")
        if estimate is None:
            return None
        least = self._call("getmempoolinfo")["mempoolminfee"]
        return max(_sat(estimate), _sat(least))

    def address_refusals(self, addresses: Mapping[str, bytes]) -> dict[str, str]:
        """Why the node does not take these addresses, or reads another script out of them."""
        refused = {}
        for address, script in addresses.items():
            answer = self._call("validateaddress", address)
            if not answer["isvalid"]:
                refused[address] = f"the node does not take {address}: {answer.get('error', 'it is not valid')}"
            elif bytes.fromhex(answer["scriptPubKey"]) != script:
                refused[address] = f"the node reads another script out of {address}"
        return refused

    def build(self, outputs_sat: Mapping[str, int], fee_rate_sat_kvb: int) -> Built:
        """A transaction that pays these addresses out of confirmed coins, which the wallet sets aside."""
        options = {
            "lockUnspents": True,
            "minconf": 1,
            "replaceable": True,
            "fee_rate": _sat_per_vb(fee_rate_sat_kvb),
            "changeAddress": self._wish("getrawchangeaddress", _CHANGE_TYPE),
        }
        outputs = [{address: format_btc(amount_sat)} for address, amount_sat in outputs_sat.items()]
        return _built(self._wish("walletcreatefundedpsbt", [], outputs, 0, options))

    def build_replacement(self, txid: bytes, fee_rate_sat_kvb: int) -> Built:
        """One that pays the same as a transaction in the mempool, with the same inputs and perhaps more."""
        return _built(self._wish("psbtbumpfee", _hex(txid), {"fee_rate": _sat_per_vb(fee_rate_sat_kvb)}))

    def build_cancel(self, spends: OutPoint, fee_rate_sat_kvb: int) -> Built:
        """One that spends an output of ours to ourselves."""
        spent = self._output(spends, in_mempool=False)
        if spent is None:
            raise WalletWaits(f"input {spends} is not there to be spent: is the payout in the chain already?")
        options = {
            "add_inputs": False,
            "replaceable": True,
            "fee_rate": _sat_per_vb(fee_rate_sat_kvb),
            "subtractFeeFromOutputs": [0],
        }
        inputs = [{"txid": _hex(spends.txid), "vout": spends.vout}]
        back = {self._wish("getrawchangeaddress", _CHANGE_TYPE): format_btc(spent.value_sat)}
        return _built(self._wish("walletcreatefundedpsbt", inputs, [back], 0, options))

    def sign(self, psbt: str) -> bytes | None:
        """The signed transaction; None if this wallet cannot sign all of it."""
        return self.finish(self._wish("walletprocesspsbt", psbt)["psbt"])

    def finish(self, psbt: str) -> bytes | None:
        """The transaction of a PSBT that was signed elsewhere; None while signatures are missing."""
        finished = self._wish("finalizepsbt", psbt)
        return bytes.fromhex(finished["hex"]) if finished["complete"] else None

    def spent_by(self, inputs: Sequence[OutPoint], *, in_mempool: bool) -> dict[OutPoint, Output | None]:
        """What these would spend; None for what is not there."""
        return {spent: self._output(spent, in_mempool=in_mempool) for spent in inputs}

    def ours(self, scripts: Collection[bytes]) -> frozenset[bytes]:
        """Those of these scripts that are the wallet's."""
        found = set()
        for script in scripts:
            address = self._call("decodescript", script.hex()).get("address")
            if address is not None and self._call("getaddressinfo", address)["ismine"]:
                found.add(script)
        return frozenset(found)

    def refusal(self, raw: bytes) -> str | None:
        """Why the node's mempool would not take a transaction; None if it would, or has it."""
        answer = self._call("testmempoolaccept", [raw.hex()], 0)[0]
        if answer["allowed"] or answer.get("reject-reason") in _KNOWN_ALREADY:
            return None
        return str(answer.get("reject-details") or answer.get("reject-reason") or "it does not say why")

    def send(self, raw: bytes) -> Answer:
        """Hand a transaction to the network."""
        try:
            self._call("sendrawtransaction", raw.hex(), 0)  # 0: our own caps were applied before it was kept
        except RpcRefusal as error:
            return Answer(what_send_means(error.code), str(error))
        return Answer(what_send_means(None))

    def place(self, txid: bytes, block_hash: bytes | None = None) -> Place | None:
        """Where a transaction is: the wallet knows, or the node with -txindex does; None if neither does.

        What the wallet tells of a transaction grows with its outputs, so the block and the mempool are asked first.
        """
        if block_hash is not None:
            header = self._known(lambda: self._call("getblockheader", _hex(block_hash)))
            if header is not None and header["confirmations"] > 0:
                return Place(header["confirmations"], block_hash, header["height"])
        if self._known(lambda: self._call("getmempoolentry", _hex(txid))) is not None:
            return Place(0, in_mempool=True)
        known = self._known(lambda: self._call("gettransaction", _hex(txid)))
        if known is None:
            known = self._known(lambda: self._call("getrawtransaction", _hex(txid), True))
        if known is None:
            return None
        confirmations = known.get("confirmations", 0)
        if confirmations <= 0:
            return Place(confirmations)
        block_hash_hex = known["blockhash"]
        height = known.get("blockheight")
        if height is None:
            height = self._call("getblockheader", block_hash_hex)["height"]
        return Place(confirmations, _wire(block_hash_hex), height)

    def transaction(self, txid: bytes) -> bytes | None:
        """A transaction that the node knows, with its signatures."""
        known = self._known(lambda: self._call("getrawtransaction", _hex(txid)))
        if known is None:
            wallets = self._known(lambda: self._call("gettransaction", _hex(txid)))
            known = None if wallets is None else wallets["hex"]
        return None if known is None else bytes.fromhex(known)

    def set_aside(self, claimed: Collection[OutPoint]) -> None:
        """Lock exactly these of the wallet's coins."""
        locked = {_outpoint(each) for each in self._call("listlockunspent")}
        wrong = locked - set(claimed)
        if wrong:
            self._call("lockunspent", True, [_json(each) for each in wrong])
        for each in set(claimed) - locked:
            try:
                self._call("lockunspent", False, [_json(each)], True)
            except RpcRefusal as error:
                if error.code != OUT_OF_RANGE:  # "expected unspent output": spent in the mempool, so nobody chooses it
                    raise

    def confirmed_sat(self, claimed: Collection[OutPoint]) -> int:
        """All coins of the wallet in the chain, also those that transactions in the mempool would spend."""
        unspent = self._call("listunspent", 1, 9_999_999, [], True)
        found = {_outpoint(each): _sat(each["amount"]) for each in unspent}
        locked = {_outpoint(each) for each in self._call("listlockunspent")}
        for each in (set(claimed) | locked) - found.keys():
            output = self._output(each, in_mempool=False)
            if output is not None:
                found[each] = output.value_sat
        return sum(found.values())

    def sent_since(self, height: int) -> list[SentOutput]:
        """The outputs to others of its transactions that are in the mempool or in blocks from that height on."""
        since = self._call("getblockhash", min(max(height - 1, 0), self._call("getblockcount")))
        found = self._call("listsinceblock", since, 1, True, False)["transactions"]
        return [
            SentOutput(
                _wire(each["txid"]),
                each.get("address", ""),
                -_sat(each["amount"]),
                -_sat(each["fee"]),
                each["confirmations"],
            )
            for each in found
            if each["category"] == "send" and each["confirmations"] >= 0 and not each.get("abandoned", False)
        ]

    def immature_sat(self) -> int:
        """The wallet's coins of blocks that cannot be spent yet."""
        return _sat(self._call("getbalances")["mine"]["immature"])

    def _output(self, spent: OutPoint, *, in_mempool: bool) -> Output | None:
        answer = self._call("gettxout", _hex(spent.txid), spent.vout, in_mempool)
        if answer is None or not answer["confirmations"]:
            return None
        return Output(_sat(answer["value"]), bytes.fromhex(answer["scriptPubKey"]["hex"]))

    def _known(self, ask: Callable[[], T]) -> T | None:
        try:
            return ask()
        except RpcRefusal as error:
            if error.code != UNKNOWN_TRANSACTION:
                raise
            return None

    def _wish(self, method: str, *params: Any) -> Any:
        """The result of what a wallet may refuse for one batch and not for another."""
        try:
            return self._call(method, *params)
        except RpcRefusal as error:
            if error.code == WALLET_NEEDS_UNLOCK:
                raise WalletWaits("the wallet is locked: unlock it with `bitcoin-cli walletpassphrase`") from error
            raise WalletWaits(str(error)) from error

    def _call(self, method: str, *params: Any) -> Any:
        """The result; a wallet that a restart of the node left unloaded is loaded, and for good."""
        try:
            return self._rpc.call(method, *params)
        except RpcRefusal as error:
            if error.code != WALLET_NOT_FOUND:
                raise
        self._load()
        return self._rpc.call(method, *params)

    def _load(self) -> None:
        try:
            self._rpc.call("loadwallet", self._name, True)
        except RpcRefusal as error:
            raise WalletWaits(
                f"the wallet {self._name!r} is not at the node: create it there (`bitcoin-cli -named createwallet "
                f"wallet_name={self._name} load_on_startup=true`), or correct payouts.wallet ({error})"
            ) from error


def _built(answer: Mapping[str, Any]) -> Built:
    return Built(answer["psbt"], _sat(answer["fee"]))


def _sat(bitcoins: Decimal | int) -> int:
    """Satoshis of an amount in bitcoins, or sat/kvB of BTC/kvB. Raises NodeUnavailable for a fraction of a satoshi."""
    satoshis = Decimal(bitcoins) * COIN
    if satoshis != satoshis.to_integral_value():
        raise NodeUnavailable(f"the node says {bitcoins}, which is no whole number of satoshis")
    return int(satoshis)


def _sat_per_vb(sat_kvb: int) -> str:
    return f"{sat_kvb // 1000}.{sat_kvb % 1000:03}"


def _wire(hash_hex: str) -> bytes:
    return bytes.fromhex(hash_hex)[::-1]


def _hex(txid: bytes) -> str:
    return txid[::-1].hex()


def _outpoint(answer: Mapping[str, Any]) -> OutPoint:
    return OutPoint(_wire(answer["txid"]), answer["vout"])


def _json(spent: OutPoint) -> dict[str, Any]:
    return {"txid": _hex(spent.txid), "vout": spent.vout}
