"""A payout run on regtest: from balances in the books to transactions in the chain."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bdkpython
from sqlalchemy import insert

from payout import ledger
from payout.advance import Moved
from payout.payer import Payer
from payout.payment import State
from payout.store.ledger import SqlLedger
from payout.wallet import BitcoindWallet
from pool.bitcoin.network import REGTEST
from pool.node.credentials import CookieFile
from pool.node.loopback import free_port
from pool.node.private import WALLET, PrivateNode, find_bitcoind
from pool.node.rpc import RpcSettings
from pool.store import sql
from pool.store.sql import writing
from tests.load.books import durable
from tests.load.processes import BenchmarkFailed
from tests.regtest.payer_process import settings

OWED_SAT = 1_000_000
OUTPUTS_MAX = 500
LIMIT_SECONDS = 600


def measure_payout(accounts: int, database: str) -> dict[str, Any]:
    """Pay so many accounts, from books on one of tests.databases. Times in seconds."""
    with (
        tempfile.TemporaryDirectory(prefix="steppe-payout-") as folder,
        _node(Path(folder)) as node,
        durable(database) as engine,
    ):
        batches = -(-accounts // OUTPUTS_MAX)
        _owe(engine, accounts, coins_sat=_mine(node, batches + 2))
        rpc = RpcSettings(node.url, CookieFile(node.cookie_file), REGTEST, wallet=WALLET)
        wallet = BitcoindWallet(rpc)
        payer = Payer(SqlLedger(engine), wallet, settings(), "bench", lambda holder: True, lambda name: None)
        began, began_cpu = time.monotonic(), time.process_time()
        with SqlLedger(engine).write() as books:
            books.payouts.open_run(None)
        times = {State.BROADCAST: 0.0, State.CONFIRMED: 0.0}
        outputs = 0
        for state in times:
            outputs = _until(payer, batches, state)
            times[state] = time.monotonic() - began
            node.mine(3)  # Knots fills a block up to 300 kB only, unless told otherwise
        cpu_seconds = time.process_time() - began_cpu
        with SqlLedger(engine).read() as books:
            balances = books.journal.balances_sat()
            fees_sat = balances[ledger.NETWORK_FEE]
        owed_sat = -sum(sat for name, sat in balances.items() if name.startswith("liab:"))
        if owed_sat:
            raise BenchmarkFailed(f"{owed_sat} satoshi are still owed")
        wallet.close()
        return {
            "batches": outputs,
            "broadcast_seconds": round(times[State.BROADCAST], 1),
            "confirmed_seconds": round(times[State.CONFIRMED], 1),
            "payer_cpu_seconds": round(cpu_seconds, 1),
            "network_fee_sat": fees_sat,
        }


@contextmanager
def _node(folder: Path) -> Iterator[PrivateNode]:
    program = find_bitcoind()
    if program is None:
        raise BenchmarkFailed("there is no bitcoind on PATH or in STEPPE_BITCOIND")
    node = PrivateNode(program, "regtest", folder / "node", free_port())
    node.start()
    try:
        yield node
    finally:
        node.stop()


def _mine(node: PrivateNode, blocks: int) -> int:
    """So many coins for the wallet; what they are worth together."""
    node.call("generatetoaddress", blocks, node.payout_address())
    node.mine(100)
    balances = node.call("getbalances")
    return int(balances["mine"]["trusted"] * 100_000_000)


def _owe(engine: Any, accounts: int, coins_sat: int) -> None:
    """Accounts with a P2WPKH address each, all owed the same."""
    with writing(engine) as connection:
        rows = [{"id": number, "name": f"account-{number}", "created_ms": 1} for number in range(1, accounts + 1)]
        connection.execute(insert(sql.account), rows)
        pays = [_address(f"account-{number}") for number in range(1, accounts + 1)]
        connection.execute(
            insert(sql.payout_address),
            [
                {"account_id": row["id"], "valid_from_ms": 1, "address": address, "script": script}
                for row, (address, script) in zip(rows, pays, strict=True)
            ],
        )
    amounts = {ledger.available(f"account-{number}"): -OWED_SAT for number in range(1, accounts + 1)}
    amounts |= {ledger.WALLET: coins_sat, ledger.POOL_FEE: accounts * OWED_SAT - coins_sat}
    with SqlLedger(engine).write() as books:
        books.journal.post([ledger.posting("earned", "bench", "", 1, amounts)])


def _address(name: str) -> tuple[str, bytes]:
    script = b"\x00\x14" + hashlib.sha256(name.encode()).digest()[:20]
    address = bdkpython.Address.from_script(bdkpython.Script(script), bdkpython.Network.REGTEST)
    return str(address), script


def _until(payer: Payer, batches: int, state: State) -> int:
    """Tick until all batches are in a state; how many are."""
    reached: set[int] = set()
    deadline = time.monotonic() + LIMIT_SECONDS
    while len(reached) < batches:
        for told in payer.tick(int(time.time() * 1000)):
            if isinstance(told, Moved) and told.after.state is state:
                reached.add(told.after.id)
        if time.monotonic() > deadline:
            raise BenchmarkFailed(f"{len(reached)} of {batches} batches are {state.value} after {LIMIT_SECONDS} s")
    return len(reached)
