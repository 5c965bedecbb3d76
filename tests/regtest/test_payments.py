"""Payments with a real wallet: one block followed to its confirmed payout, twins, lost answers, a signer elsewhere."""

from __future__ import annotations

import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from payout.accounts import PayoutAddress, Scheme
from payout.desk import DeskRefused
from payout.payer import Payer
from payout.payment import State
from pool.bitcoin.network import REGTEST
from pool.bitcoin.script import output_script
from pool.node.private import WALLET, PrivateNode
from tests.payout.conftest import postgresql_books, sqlite, sqlite_file
from tests.regtest.conftest import StartNode
from tests.regtest.payer_process import settings
from tests.regtest.paying_pool import COIN, PayingPool, amounts, end, mine_coins
from tests.regtest.whole_pool import WholePool, eventually

__all__ = ["postgresql_books", "sqlite", "sqlite_file"]


@pytest.fixture(scope="module")
def node(bitcoind: StartNode) -> Iterator[PrivateNode]:
    started = bitcoind("regtest")
    mine_coins(started, 40)
    yield started
    started.stop()


MakePool = Callable[..., PayingPool]


@pytest.fixture
def make_pool(tmp_path: Path) -> Iterator[MakePool]:
    """Makes pools whose connections are closed at the end."""
    made: list[PayingPool] = []

    def make(engine: Engine, node: PrivateNode, wallet: str = WALLET) -> PayingPool:
        made.append(PayingPool(engine, node, tmp_path, wallet))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


@pytest.fixture
def pool(sqlite: Engine, node: PrivateNode, make_pool: MakePool) -> PayingPool:
    made = make_pool(sqlite, node)
    made.book()
    return made


class Proxy:
    """Between a payer and its node. It keeps back the answer of a method, once, after the node has done its work."""

    def __init__(self, target_port: int, drop_answer_of: bytes) -> None:
        self._target_port = target_port
        self._drop = drop_answer_of
        self.dropped = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._target_port)) as node:
            while request := _message(client):
                node.sendall(request)
                answer = _message(node)
                if self._drop in request and not self.dropped:
                    self.dropped += 1
                    continue
                client.sendall(answer)


def _message(source: socket.socket) -> bytes:
    """One HTTP message with a Content-Length; empty when the other end has closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := source.recv(65536)):
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += source.recv(65536)
    return head + b"\r\n\r\n" + body


class TestTheWholeWay:
    def test_one_block_from_share_to_confirmed_payout(self, bitcoind: StartNode, tmp_path: Path) -> None:
        node = bitcoind("regtest")
        pool = WholePool(
            tmp_path,
            node,
            "regtest",
            '[payouts]\nenabled = true\nwallet = "pool"\nhour_utc = -1\nthreshold_sat = 100000\n',
        )
        address = str(node.call("decodescript", (b"\x00\x14" + bytes(range(20))).hex())["address"])
        pool.add_account("alice", "pplns", 100)
        pool.steppe("account", "address", "alice", address)
        pool.start()
        try:
            pool.mine("alice.rig", shares=1, rate_hps=20)
            [block] = eventually("a credited block", lambda: pool.blocks("immature"))
            node.mine(101)
            eventually("maturity", lambda: pool.blocks("mature"))
            net_sat = block["reward_sat"] * 99 // 100
            assert address in pool.steppe("payout", "plan")
            pool.steppe("payout", "run")

            def payout() -> Any:
                rows = pool.get("/api/v1/payouts")["rows"]
                return rows[0] if rows else {"state": None}

            eventually("it is broadcast", lambda: payout()["state"] == "broadcast")
            node.mine(1)
            eventually("it is confirmed", lambda: payout()["state"] == "confirmed")
            detail = pool.get("/api/v1/payouts/1")
            fee_sat = detail["payout"]["fee_sat"]
            rows = {(row["key"], row["account"]): row["amount_sat"] for row in detail["ledger"]}
            assert rows == {
                ("payout:1:reserved", "liab:alice:available"): net_sat,
                ("payout:1:reserved", "liab:alice:reserved"): -net_sat,
                ("payout:1:confirmed", "asset:wallet"): -net_sat - fee_sat,
                ("payout:1:confirmed", "expense:network_fee"): fee_sat,
                ("payout:1:confirmed", "liab:alice:reserved"): net_sat,
            }
            paid = (
                node.call("gettxout", detail["payout"]["txid"], 0),
                node.call("gettxout", detail["payout"]["txid"], 1),
            )
            assert net_sat in [int(output["value"] * COIN) for output in paid if output]
            node.mine(5)
            eventually("it is final", lambda: payout()["state"] == "final")
            assert pool.get("/api/v1/accounts/alice")["account"]["books"]["reserved_sat"] == 0
        finally:
            assert pool.stop() == 0


class TestPayers:
    @pytest.mark.parametrize("database", ["sqlite", "postgresql"])
    def test_two_that_are_started_at_once_pay_once(
        self, request: pytest.FixtureRequest, node: PrivateNode, make_pool: MakePool, database: str
    ) -> None:
        engine = (
            request.getfixturevalue("sqlite") if database == "sqlite" else request.getfixturevalue("postgresql_books")()
        )
        pool = make_pool(engine, node)
        pool.book()
        amounts(pool, ["alice", "bob", "carol"], COIN)
        pool.ask()
        twins = [pool.start(), pool.start()]
        pool.until("broadcast", process=twins[1])
        for _ in range(6):
            node.mine(1)
        pool.until("final", process=twins[0])
        for twin in twins:
            end(twin)
        pool.check()
        assert pool.states() == ["final"]
        engine.dispose()

    def test_the_other_takes_over_at_once_when_the_first_is_killed(self, pool: PayingPool) -> None:
        amounts(pool, ["alice"], COIN)
        first = pool.start()
        eventually("it pays", lambda: _holder(pool))
        second = pool.start()
        first.send_signal(signal.SIGKILL)
        first.wait(10)
        pool.ask()
        pool.until("broadcast", process=second)
        end(second)
        pool.finish()
        pool.check()

    def test_an_answer_to_the_broadcast_that_does_not_come_in_time(self, pool: PayingPool) -> None:
        amounts(pool, ["alice", "bob"], COIN)
        proxy = Proxy(int(pool.node.url.rpartition(":")[2]), b"sendrawtransaction")
        pool.ask()
        process = pool.start(url=f"http://127.0.0.1:{proxy.port}")
        pool.until("broadcast", process=process)
        end(process)
        proxy.close()
        assert proxy.dropped == 1
        assert "did not answer sendrawtransaction within 3 s" in _said(pool)
        pool.finish()
        pool.check()
        assert len(pool.batches()[0].attempts) == 1


def _holder(pool: PayingPool) -> str | None:
    with pool.ledger.read() as books:
        return books.leases.holder("payouts")


class TestWallet:
    def test_two_accounts_with_one_script_are_one_output_and_a_bad_address_hinders_nobody(
        self, pool: PayingPool
    ) -> None:
        shared = pool.owe("alice", COIN)
        pool.owe("bob", COIN, address=shared)
        pool.owe("carol", COIN)
        wrong = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
        with pool.ledger.write() as books:
            books.accounts.add("dave", Scheme.PPLNS, 0, PayoutAddress(wrong, output_script(shared, REGTEST)), 1)
        pool.post("earned:dave", {"income:pool_fee": COIN, "liab:dave:available": -COIN})
        pool.ask()
        pool.finish()
        assert pool.paid_sat() == pool.owed_sat
        [batch] = pool.batches()
        assert [waits.reason for waits in pool.desk().plan(1).waiting] == ["address_invalid"]
        assert batch.state is State.FINAL

    def test_a_locked_wallet_waits_and_one_without_coins_too(
        self, sqlite: Engine, node: PrivateNode, make_pool: MakePool
    ) -> None:
        name = f"locked{time.monotonic_ns()}"
        node.call("createwallet", name, False, False, "secret", False, True, True)
        pool = make_pool(sqlite, node, name)
        pool.post("somewhere", {"asset:wallet": 3 * COIN, "income:pool_fee": -3 * COIN})
        pool.owe("alice", COIN)
        pool.ask()
        process = pool.start()
        eventually("it waits for coins", lambda: "Insufficient funds" in _said(pool))
        node_of = pool.wallet()
        node.call("generatetoaddress", 1, node_of._call("getnewaddress", "", "bech32"))
        node.mine(100)
        pool.book()
        eventually("it waits for the passphrase", lambda: "walletpassphrase" in _said(pool))
        assert pool.states() == ["built"]
        node_of._call("walletpassphrase", "secret", 600)
        pool.until("broadcast", process=process)
        end(process)
        pool.finish()
        pool.check()

    def test_a_bump_pays_the_same_with_the_same_input_and_a_cancel_pays_nobody(self, pool: PayingPool) -> None:
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

    def test_a_reorg_takes_a_payment_back_and_it_is_sent_again(self, pool: PayingPool) -> None:
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


def _said(pool: PayingPool) -> str:
    return (pool.folder / "payer.log").read_text()


class TestSignerElsewhere:
    def test_a_psbt_goes_out_and_comes_back_signed(
        self, sqlite: Engine, node: PrivateNode, make_pool: MakePool
    ) -> None:
        """The watch-only wallet has the descriptors of the one with the keys, which signs what it is given."""
        number = time.monotonic_ns()
        signer, watcher = f"signer{number}", f"watcher{number}"
        node.call("createwallet", signer, False, False, "", False, True, True)
        node.call("createwallet", watcher, True, True, "", False, True, True)
        keys = make_pool(sqlite, node, signer).wallet()
        pool = make_pool(sqlite, node, watcher)
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
        node.call("generatetoaddress", 1, watching._call("getnewaddress", "", "bech32"))
        node.mine(100)
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
        stranger = make_pool(sqlite, node).wallet()
        other = stranger._call("walletcreatefundedpsbt", [], [{pool.address(): "1"}], 0, {"fee_rate": "5"})["psbt"]
        signed_other = stranger._call("walletprocesspsbt", other)["psbt"]
        with pytest.raises(DeskRefused, match="it is not ours, or was altered"):
            desk.take_signed(signed_other, 1)
        desk.take_signed(keys._call("walletprocesspsbt", psbt)["psbt"], 1)
        _ticks(payer, 3)
        assert pool.states() == ["broadcast"]
        node.mine(6)
        _ticks(payer, 4)
        assert pool.states() == ["final"]
        pool.check()


def _payer(pool: PayingPool) -> Any:
    return Payer(pool.ledger, pool.wallet(), settings(signs=False), "here", lambda holder: True, lambda name: None)


def _ticks(payer: Any, count: int) -> None:
    for number in range(count):
        list(payer.tick(int(time.time() * 1000) + number))


class TestNodeFromAnOlderState:
    def test_it_is_not_believed_until_it_has_caught_up(
        self, sqlite: Engine, bitcoind: StartNode, tmp_path: Path, make_pool: MakePool
    ) -> None:
        node = bitcoind("regtest")
        mine_coins(node, 3)
        pool = make_pool(sqlite, node)
        pool.book()
        amounts(pool, ["alice", "bob"], COIN)
        node.stop()
        older = tmp_path / "older"
        shutil.copytree(node._data_dir, older)
        node.start()
        pool.ask()
        process = pool.start()
        pool.until("broadcast", process=process)
        node.mine(2)
        pool.until("confirmed", process=process)
        tip = node.call("getblockcount")
        blocks = [node.call("getblock", node.call("getblockhash", height), 0) for height in range(1, tip + 1)]
        node.stop()
        shutil.rmtree(node._data_dir)
        shutil.copytree(older, node._data_dir)
        node.start()
        eventually("it says so", lambda: "was seen before" in _said(pool))
        assert pool.states() == ["confirmed"]
        for block in blocks[node.call("getblockcount") :]:
            node.call("submitblock", block)
        node.mine(4)
        pool.until("final", process=process)
        end(process)
        pool.check()
