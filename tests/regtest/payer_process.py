"""A payer as a process: `python -m tests.regtest.payer_process DATABASE NODE COOKIE WALLET`, until SIGTERM."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from payout.advance import Moved, Settings
from payout.checks import FeeCaps
from payout.payer import Payer
from payout.planning import Policy
from payout.ports import LedgerUnavailable
from payout.store.ledger import SqlLedger
from payout.wallet import BitcoindWallet
from pool.bitcoin.network import REGTEST
from pool.bitcoin.script import output_script
from pool.failpoints import hit
from pool.node.credentials import CookieFile
from pool.node.rpc import RpcSettings
from pool.ports import NodeUnavailable
from pool.roles.processes import has_ended, this_process
from pool.store.sql import connect
from pool.supervisor import stop_signals

TICK_SECONDS = 0.05
RPC_SECONDS = 3.0


def settings(**changes: Any) -> Settings:
    """How the pools of these tests pay."""
    policy = Policy(threshold_sat=100_000, outputs_max=500, script_of=lambda address: output_script(address, REGTEST))
    usual = Settings(policy, FeeCaps(100_000, 2_000_000), 6, 5_000, signs=True, hour_utc=None)
    return replace(usual, **changes)


# The place where the process stops itself, once, so that a test can do something to the node meanwhile.
PAUSE = "STEPPE_PAUSE_AT"
_pause_at = [os.environ.get(PAUSE, "")]


def place(name: str) -> None:
    """A place that a test may name."""
    hit(name)
    if name in _pause_at:
        _pause_at.clear()
        os.kill(os.getpid(), signal.SIGSTOP)


def main() -> None:
    """Pay until told to stop; say each step on standard output."""
    database, url, cookie, wallet_name = sys.argv[1:]
    rpc = RpcSettings(url, CookieFile(Path(cookie)), REGTEST, timeout_seconds=RPC_SECONDS, wallet=wallet_name)
    payer = Payer(SqlLedger(connect(database)), BitcoindWallet(rpc), settings(), this_process(), has_ended, place)
    pause = threading.Event()
    with stop_signals() as stop:
        while not stop():
            try:
                moved = [isinstance(told, Moved) for told in _say(payer)]
            except (NodeUnavailable, LedgerUnavailable) as error:
                print(error, flush=True)
                moved = []
            if not any(moved):
                pause.wait(TICK_SECONDS)
    payer.leave()


def _say(payer: Payer) -> Any:
    for told in payer.tick(int(time.time() * 1000)):
        print(told, flush=True)
        yield told


if __name__ == "__main__":
    main()
