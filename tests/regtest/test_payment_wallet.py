"""Payments and their wallet, real: what it refuses, what it must not be trusted with, its signer."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import Engine

from payout.accounts import PayoutAddress, Scheme
from payout.desk import DeskRefused
from payout.payer import Payer
from pool.bitcoin.network import REGTEST
from pool.bitcoin.script import output_script
from pool.bitcoin.transaction import parse_transaction
from pool.node.private import PrivateNode
from tests.regtest.conftest import ON_POSTGRESQL, ON_SQLITE, MakePool
from tests.regtest.payer_process import settings
from tests.regtest.paying_pool import COIN, PayingPool, amounts, end, said
from tests.regtest.whole_pool import eventually


class TestWallet:
    @ON_SQLITE
    def test_two_accounts_with_one_script_are_one_output(self, paying_pool: PayingPool) -> None:
        pool = paying_pool
        shared = pool.owe("alice", COIN)
        pool.owe("bob", COIN, address=shared)
        pool.ask()
        pool.finish()
        pool.check()
        [batch] = pool.batches()
        outputs = [output.value_sat for output in parse_transaction(batch.attempts[0].raw).outputs]
        assert 2 * COIN in outputs
        assert len(outputs) == 2

    @ON_POSTGRESQL
    def test_an_address_that_cannot_be_paid_waits_with_its_reason_and_hinders_nobody(
        self, paying_pool: PayingPool
    ) -> None:
        pool = paying_pool
        good = pool.owe("alice", COIN)
        node = pool.node
        future = b"\x53\x20" + bytes(range(32))  # a witness version that nobody has given a meaning
        bad = {
            "nonsense": ("hello", output_script(good, REGTEST)),
            "another network": ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", output_script(good, REGTEST)),
            "the main chain": ("1BoatSLRHtKNngkdXEeobR76b53LETtpyT", output_script(good, REGTEST)),
            "a typing error": (good[:-1] + ("q" if good[-1] != "q" else "p"), output_script(good, REGTEST)),
            "a kind that is not paid": (node.call("decodescript", future.hex())["address"], future),
            "another script": (good, future[:2] + bytes(32)),
        }
        for number, (address, script) in enumerate(bad.values()):
            with pool.ledger.write() as books:
                books.accounts.add(f"bad{number}", Scheme.PPLNS, 0, PayoutAddress(address, script), 1)
            pool.post(f"earned:bad{number}", {"income:pool_fee": COIN, f"liab:bad{number}:available": -COIN})
        pool.ask()
        pool.finish()
        assert pool.paid_sat() == pool.owed_sat
        assert pool.states() == ["final"]
        waiting = pool.desk().plan(1).waiting
        assert [(each.account, each.reason, each.available_sat) for each in waiting] == [
            (f"bad{number}", "address_invalid", COIN) for number in range(len(bad))
        ]
        assert all(each.text for each in waiting)

    def test_a_locked_wallet_waits_and_one_without_coins_too(
        self, engine: Engine, paying_node: PrivateNode, make_pool: MakePool
    ) -> None:
        name = f"locked{time.monotonic_ns()}"
        paying_node.call("createwallet", name, False, False, "secret", False, True, True)
        pool = make_pool(engine, paying_node, name)
        pool.post("somewhere", {"asset:wallet": 3 * COIN, "income:pool_fee": -3 * COIN})
        pool.owe("alice", COIN)
        pool.ask()
        process = pool.start()
        eventually("it waits for coins", lambda: "Insufficient funds" in said(pool))
        node_of = pool.wallet()
        paying_node.call("generatetoaddress", 1, node_of._call("getnewaddress", "", "bech32"))
        paying_node.mine(100)
        pool.book()
        eventually("it waits for the passphrase", lambda: "walletpassphrase" in said(pool))
        assert pool.states() == ["built"]
        node_of._call("walletpassphrase", "secret", 600)
        pool.until("broadcast", process=process)
        end(process)
        pool.finish()
        pool.check()

    @ON_SQLITE
    def test_a_bump_pays_the_same_with_the_same_input_and_a_cancel_pays_nobody(self, paying_pool: PayingPool) -> None:
        pool = paying_pool
        amounts(pool, ["alice", "bob"], COIN)
        pool.ask()
        process = pool.start()
        pool.until("broadcast", process=process)
        drafted = pool.desk().bump(1, 20_000)
        eventually("it is replaced", lambda: len(pool.batches()[0].attempts) == 2)
        first, second = pool.batches()[0].attempts
        assert (second.txid, second.fee_sat) == (drafted.txid, drafted.fee_sat)
        assert set(first.inputs) <= set(second.inputs)
        eventually("it is in the mempool", lambda: second.txid_hex in pool.node.call("getrawmempool"))
        assert first.txid_hex not in pool.node.call("getrawmempool")
        pool.desk().cancel(1, None)
        eventually("it is cancelled", lambda: len(pool.batches()[0].attempts) == 3)
        third = pool.batches()[0].attempts[2]
        eventually("that is in the mempool", lambda: pool.node.call("getrawmempool") == [third.txid_hex])
        pool.node.mine(1)
        pool.until("cancelled", process=process)
        with pytest.raises(DeskRefused, match="it is cancelled and is released by itself, 6 blocks deep"):
            pool.desk().release(1, 1)
        pool.node.mine(5)
        pool.until("released", process=process)
        end(process)
        assert pool.paid_sat() == {}
        with pool.ledger.read() as books:
            balances = books.journal.balances_sat()
        assert (balances["liab:alice:available"], balances["liab:alice:reserved"]) == (-COIN, 0)
        pool.ask()
        pool.finish()
        pool.check()

    @ON_POSTGRESQL
    def test_a_reorg_takes_a_payment_back_and_it_is_sent_again(self, paying_pool: PayingPool) -> None:
        pool = paying_pool
        amounts(pool, ["alice"], COIN)
        pool.ask()
        process = pool.start()
        pool.until("broadcast", process=process)
        [block] = pool.node.mine(1)
        pool.until("confirmed", process=process)
        pool.node.call("invalidateblock", block)
        pool.node.call("generateblock", "raw(51)", [])
        pool.until("broadcast", process=process)
        end(process)
        pool.finish()
        pool.check()
        with pool.ledger.read() as books:
            keys = [row.posting.key for row in books.journal.rows() if row.posting.ref == "1"]
        assert keys == ["payout:1:reserved", "payout:1:confirmed", "payout:1:unconfirmed", "payout:1:confirmed:1"]


class TestSignerElsewhere:
    @ON_SQLITE
    def test_a_psbt_goes_out_and_comes_back_signed(
        self, engine: Engine, paying_node: PrivateNode, make_pool: MakePool
    ) -> None:
        """The watch-only wallet has the descriptors of the one with the keys, which signs what it is given."""
        number = time.monotonic_ns()
        signer, watcher = f"signer{number}", f"watcher{number}"
        paying_node.call("createwallet", signer, False, False, "", False, True, True)
        paying_node.call("createwallet", watcher, True, True, "", False, True, True)
        keys = make_pool(engine, paying_node, signer).wallet()
        pool = make_pool(engine, paying_node, watcher)
        watching = pool.wallet()
        descriptors = [
            {
                "desc": each["desc"],
                "timestamp": "now",
                "active": each["active"],
                "internal": each.get("internal", False),
                "range": [0, 100],
            }
            for each in keys._call("listdescriptors")["descriptors"]
        ]
        assert all(each["success"] for each in watching._call("importdescriptors", descriptors))
        paying_node.call("generatetoaddress", 1, watching._call("getnewaddress", "", "bech32"))
        paying_node.mine(100)
        pool.book()
        amounts(pool, ["alice", "bob"], COIN)
        pool.ask()
        desk = pool.desk(signs=False)
        payer = _payer(pool)
        _ticks(payer, 4)
        assert pool.states() == ["built"]
        psbt = desk.export(1, 1)
        assert pool.states() == ["exported"]
        with pytest.raises(DeskRefused, match="lacks signatures"):
            desk.take_signed(psbt, 1)
        with pytest.raises(DeskRefused, match="cancel it, which spends one of its inputs back"):
            desk.release(1, 1)
        stranger = make_pool(engine, paying_node).wallet()
        other = stranger._call("walletcreatefundedpsbt", [], [{pool.address(): "1"}], 0, {"fee_rate": "5"})["psbt"]
        signed_other = stranger._call("walletprocesspsbt", other)["psbt"]
        with pytest.raises(DeskRefused, match="it is not ours, or was altered"):
            desk.take_signed(signed_other, 1)
        altered = _altered(keys, psbt, pool.address())
        with pytest.raises(DeskRefused, match="it is not ours, or was altered"):
            desk.take_signed(altered, 1)
        assert (pool.states(), len(pool.batches()[0].attempts)) == (["exported"], 1)
        desk.take_signed(keys._call("walletprocesspsbt", psbt)["psbt"], 1)
        _ticks(payer, 3)
        assert pool.states() == ["broadcast"]
        paying_node.mine(6)
        _ticks(payer, 4)
        assert pool.states() == ["final"]
        pool.check()


def _altered(keys: Any, psbt: str, thief: str) -> str:
    """The same inputs, rightly signed, and all the coins to somebody else."""
    decoded = keys._call("decodepsbt", psbt)
    spends = [{"txid": each["txid"], "vout": each["vout"]} for each in decoded["tx"]["vin"]]
    paid = sum(each["value"] for each in decoded["tx"]["vout"])
    raw = keys._call("createpsbt", spends, [{thief: str(paid)}])
    updated = keys._call("utxoupdatepsbt", raw)
    signed = keys._call("walletprocesspsbt", updated)
    assert signed["complete"]
    return str(signed["psbt"])


def _payer(pool: PayingPool) -> Any:
    return Payer(pool.ledger, pool.wallet(), settings(signs=False), "here", lambda holder: True, lambda name: None)


def _ticks(payer: Any, count: int) -> None:
    for number in range(count):
        list(payer.tick(int(time.time() * 1000) + number))
