"""Payments with a real wallet, on both databases: twins, an answer that is lost, a node from an older state."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import threading
from pathlib import Path

from sqlalchemy import Engine

from pool.node.private import PrivateNode
from tests.regtest.conftest import ON_POSTGRESQL, ON_SQLITE, MakePool, StartNode
from tests.regtest.paying_pool import COIN, PayingPool, amounts, end, mine_coins, said
from tests.regtest.whole_pool import eventually


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
        # A payer that waits no longer has gone, with an answer under way or not.
        with (
            contextlib.suppress(ConnectionError),
            client,
            socket.create_connection(("127.0.0.1", self._target_port)) as node,
        ):
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
        if not (more := source.recv(65536)):
            return b""
        body += more
    return head + b"\r\n\r\n" + body


class TestPayers:
    def test_two_that_are_started_at_once_pay_once(self, paying_pool: PayingPool) -> None:
        pool = paying_pool
        amounts(pool, ["alice", "bob", "carol"], COIN)
        pool.ask()
        twins = [pool.start(), pool.start()]
        pool.until("broadcast", process=twins[1])
        for _ in range(6):
            pool.node.mine(1)
        pool.until("final", process=twins[0])
        for twin in twins:
            end(twin)
        pool.check()
        assert pool.states() == ["final"]

    @ON_SQLITE
    def test_the_other_takes_over_at_once_when_the_first_is_killed(self, paying_pool: PayingPool) -> None:
        pool = paying_pool
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

    def test_an_answer_to_the_broadcast_that_does_not_come_in_time(self, paying_pool: PayingPool) -> None:
        pool = paying_pool
        amounts(pool, ["alice", "bob"], COIN)
        proxy = Proxy(int(pool.node.url.rpartition(":")[2]), b"sendrawtransaction")
        pool.ask()
        process = pool.start(url=f"http://127.0.0.1:{proxy.port}")
        pool.until("broadcast", process=process)
        end(process)
        proxy.close()
        assert proxy.dropped == 1
        assert "did not answer sendrawtransaction within 3 s" in said(pool)
        pool.finish()
        pool.check()
        assert len(pool.batches()[0].attempts) == 1


def _holder(pool: PayingPool) -> str | None:
    with pool.ledger.read() as books:
        return books.leases.holder("payouts")


class TestNodeFromAnOlderState:
    def test_it_is_not_believed_until_it_has_caught_up(
        self, engine: Engine, bitcoind: StartNode, tmp_path: Path, make_pool: MakePool
    ) -> None:
        node = bitcoind("regtest")
        mine_coins(node, 3)
        pool = make_pool(engine, node)
        pool.book()
        amounts(pool, ["alice", "bob"], COIN)
        older = _copy(node, tmp_path)
        pool.ask()
        process = pool.start()
        pool.until("broadcast", process=process)
        node.mine(2)
        pool.until("confirmed", process=process)
        tip = node.call("getblockcount")
        blocks = [node.call("getblock", node.call("getblockhash", height), 0) for height in range(1, tip + 1)]
        _put_back(node, older)
        eventually("it says so", lambda: "was seen before" in said(pool))
        assert pool.states() == ["confirmed"]
        for block in blocks[node.call("getblockcount") :]:
            node.call("submitblock", block)
        node.mine(4)
        pool.until("final", process=process)
        end(process)
        pool.check()

    @ON_POSTGRESQL
    def test_one_that_knows_nothing_of_a_payment_on_its_way_is_given_it_again(
        self, engine: Engine, bitcoind: StartNode, tmp_path: Path, make_pool: MakePool
    ) -> None:
        """Its wallet has forgotten the locks too: the next payment may not spend what this one spends."""
        node = bitcoind("regtest")
        mine_coins(node, 3)
        pool = make_pool(engine, node)
        pool.book()
        amounts(pool, ["alice", "bob"], COIN)
        older = _copy(node, tmp_path)
        pool.ask()
        process = pool.start()
        pool.until("broadcast", process=process)
        _put_back(node, older)
        pool.owe("carol", COIN)
        pool.ask()
        eventually("a second payment", lambda: pool.states() == ["broadcast", "broadcast"])
        txids = {batch.attempts[-1].txid_hex for batch in pool.batches()}
        eventually("both are in the mempool", lambda: set(node.call("getrawmempool")) == txids)
        node.mine(6)
        pool.until("final", process=process)
        end(process)
        pool.check()


def _copy(node: PrivateNode, folder: Path) -> Path:
    """The node's folder as it is now."""
    node.stop()
    older = folder / "older"
    shutil.copytree(node._data_dir, older)
    node.start()
    return older


def _put_back(node: PrivateNode, older: Path) -> None:
    node.stop()
    shutil.rmtree(node._data_dir)
    shutil.copytree(older, node._data_dir)
    node.start()
