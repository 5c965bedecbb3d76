"""A pool that pays from a real wallet, as a process that can be killed, on a node that can be killed."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from payout import ledger
from payout.accounts import PayoutAddress, Scheme
from payout.desk import Desk
from payout.payment import Batch
from payout.store.ledger import SqlLedger
from payout.wallet import BitcoindWallet
from payout.watch import Watch
from pool.bitcoin.network import REGTEST
from pool.bitcoin.script import output_script
from pool.failpoints import VARIABLE
from pool.node.credentials import CookieFile
from pool.node.private import WALLET, PrivateNode
from pool.node.rpc import RpcSettings
from tests.regtest.payer_process import settings
from tests.regtest.whole_pool import eventually

COIN = 100_000_000


class PayingPool:
    """Books, a wallet that holds what they say, and accounts that are owed."""

    def __init__(self, engine: Engine, node: PrivateNode, folder: Path, wallet: str = WALLET) -> None:
        self.engine = engine
        self.url = engine.url.render_as_string(hide_password=False)
        self.node = node
        self.folder = folder
        self.wallet_name = wallet
        self.ledger = SqlLedger(engine)
        self.owed_sat: dict[str, int] = {}
        self.time_ms = itertools.count(1)
        self._wallets: list[BitcoindWallet] = []
        self._started: list[subprocess.Popen[bytes]] = []

    def rpc(self, url: str | None = None) -> RpcSettings:
        return RpcSettings(url or self.node.url, CookieFile(self.node.cookie_file), REGTEST, wallet=self.wallet_name)

    def wallet(self) -> BitcoindWallet:
        """A connection to the wallet, until `close`."""
        self._wallets.append(BitcoindWallet(self.rpc()))
        return self._wallets[-1]

    def close(self) -> None:
        """End what still runs and close every connection."""
        for process in self._started:
            process.kill()
            process.wait()
        for wallet in self._wallets:
            wallet.close()

    def desk(self, **changes: Any) -> Desk:
        return Desk(self.ledger, self.wallet(), settings(**changes))

    def book(self, label: str = "mined") -> None:
        """What the wallet holds, in the books."""
        wallet = self.wallet()
        have_sat = wallet.confirmed_sat([])
        with self.ledger.write() as books:
            booked_sat = books.journal.balances_sat([ledger.WALLET]).get(ledger.WALLET, 0)
        self.post(label, {ledger.WALLET: have_sat - booked_sat, ledger.POOL_FEE: booked_sat - have_sat})

    def post(self, key: str, amounts: dict[str, int]) -> None:
        with self.ledger.write() as books:
            books.journal.post([ledger.posting(key, "test", key, next(self.time_ms), amounts)])

    def owe(self, name: str, sat: int, address: str | None = None) -> str:
        """An account that is owed, paid at an address of nobody, or at this one. Returns the address."""
        pays = address or self.address()
        with self.ledger.write() as books:
            books.accounts.add(name, Scheme.PPLNS, 0, PayoutAddress(pays, output_script(pays, REGTEST)), 1)
        self.post(f"earned:{name}", {ledger.POOL_FEE: sat, ledger.available(name): -sat})
        self.owed_sat[pays] = self.owed_sat.get(pays, 0) + sat
        return pays

    def address(self) -> str:
        """A P2WPKH address whose key nobody has."""
        script = b"\x00\x14" + os.urandom(20)
        return str(self.node.call("decodescript", script.hex())["address"])

    def ask(self) -> None:
        """Ask for a run."""
        with self.ledger.write() as books:
            books.payouts.open_run(None)

    def start(self, kill_at: str = "", url: str | None = None, **changes: str) -> subprocess.Popen[bytes]:
        """A payer, as a process of its own. kill_at: NAME=COUNT of pool.failpoints. url: of a proxy to the node."""
        return self._start("payer_process", url or self.node.url, kill_at, changes)

    def start_command(self, kill_at: str, *words: str) -> subprocess.Popen[bytes]:
        """An operator's command, as a process of its own: see desk_process."""
        return self._start("desk_process", self.node.url, kill_at, {}, *words)

    def _start(
        self, module: str, url: str, kill_at: str, changes: Mapping[str, str], *words: str
    ) -> subprocess.Popen[bytes]:
        where = self.url, url, str(self.node.cookie_file), self.wallet_name
        with (self.folder / "payer.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"tests.regtest.{module}", *where, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **changes, VARIABLE: kill_at},
            )
        self._started.append(process)
        return process

    def batches(self) -> list[Batch]:
        with self.ledger.read() as books:
            return books.payouts.newest(0, 100)[::-1]

    def states(self) -> list[str]:
        return [batch.state.value for batch in self.batches()]

    def stopped(self) -> str | None:
        with self.ledger.read() as books:
            switch = books.payouts.switch()
        return switch.reason if switch.is_stopped else None

    def until(self, *states: str, process: subprocess.Popen[bytes] | None = None, mining: bool = False) -> None:
        """Wait until every batch is in one of these states. mining: while blocks are found."""

        def there() -> bool:
            if process is not None:
                assert process.poll() is None, (self.folder / "payer.log").read_text()[-3000:]
            assert self.stopped() is None, self.stopped()
            if mining:
                self.node.mine(1)
            with self.ledger.read() as books:
                if books.payouts.is_run_open():
                    return False
            found = self.states()
            return bool(found) and set(found) <= set(states)

        eventually(f"payouts are {' or '.join(states)}", there)

    def finish(self, process: subprocess.Popen[bytes] | None = None) -> None:
        """Let a payer, or a new one, come to the end: everything final or released."""
        process = process or self.start()
        try:
            self.until("broadcast", "confirmed", "cancelled", "final", "released", process=process)
            # A node that was killed has an empty mempool, until the payer sees it and sends again.
            self.until("final", "released", process=process, mining=True)
        finally:
            end(process)

    def check(self, owed_sat: dict[str, int] | None = None) -> None:
        """Everybody was paid exactly once, in the chain and in the ledger, and every invariant holds."""
        assert self.paid_sat() == (self.owed_sat if owed_sat is None else owed_sat)
        with self.ledger.read() as books:
            assert Watch().look(books) == ()
            balances = books.journal.balances_sat()
        assert {name: sat for name, sat in balances.items() if name.startswith("liab:") and sat} == {}
        wallet = self.wallet()
        assert wallet.confirmed_sat([]) == balances[ledger.WALLET]

    def paid_sat(self) -> dict[str, int]:
        """What the chain has paid to the addresses of the accounts."""
        watched = set(self.owed_sat)
        paid: dict[str, int] = {}
        for height in range(self.node.call("getblockcount"), 0, -1):
            block = self.node.call("getblock", self.node.call("getblockhash", height), 2)
            for output in (output for transaction in block["tx"][1:] for output in transaction["vout"]):
                address = output["scriptPubKey"].get("address")
                if address in watched:
                    paid[address] = paid.get(address, 0) + int(output["value"] * COIN)
        return paid


def mine_coins(node: PrivateNode, blocks: int) -> None:
    """So many blocks to the wallet, and a hundred on top of them."""
    node.call("generatetoaddress", blocks, node.payout_address())
    node.mine(100)


class Chain:
    """The blocks of a node, kept elsewhere: one that is killed may come back with fewer, and has no peers here."""

    def __init__(self, node: PrivateNode) -> None:
        self._node = node
        self._blocks: list[tuple[str, str]] = []

    def keep(self) -> None:
        """Look at what is new."""
        tip = self._node.call("getblockcount")
        while self._blocks and (
            len(self._blocks) > tip or self._node.call("getblockhash", len(self._blocks)) != self._blocks[-1][0]
        ):
            self._blocks.pop()
        for height in range(len(self._blocks) + 1, tip + 1):
            block_hash = self._node.call("getblockhash", height)
            self._blocks.append((block_hash, self._node.call("getblock", block_hash, 0)))

    def give_back(self) -> None:
        """As peers would."""
        for _, block in self._blocks[self._node.call("getblockcount") :]:
            self._node.call("submitblock", block)


def kill(node: PrivateNode, chain: Chain) -> None:
    """End a node as a power cut would, start it again, and let it catch up."""
    chain.keep()
    node.kill()
    node.start()
    chain.give_back()


def end(process: subprocess.Popen[bytes]) -> None:
    """End a payer in good order."""
    process.terminate()
    process.wait(60)


def said(pool: PayingPool) -> str:
    """What its processes have told."""
    return (pool.folder / "payer.log").read_text()


def amounts(pool: PayingPool, names: Sequence[str], sat: int) -> None:
    """So many accounts that are owed the same."""
    for name in names:
        pool.owe(name, sat)
