"""An operator's command as a process that can be killed: `DATABASE NODE COOKIE WALLET release|export|sign ID [PSBT]`.

It prints the PSBT of an export.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from payout.desk import Desk
from payout.store.ledger import SqlLedger
from payout.wallet import BitcoindWallet
from pool.bitcoin.network import REGTEST
from pool.node.credentials import CookieFile
from pool.node.rpc import RpcSettings
from pool.store.sql import connect
from tests.regtest.payer_process import settings


def main() -> None:
    database, url, cookie, wallet_name, what, payout_id, *psbt = sys.argv[1:]
    rpc = RpcSettings(url, CookieFile(Path(cookie)), REGTEST, wallet=wallet_name)
    desk = Desk(SqlLedger(connect(database)), BitcoindWallet(rpc), settings(signs=what == "release"))
    now_ms = int(time.time() * 1000)
    match what:
        case "release":
            desk.release(int(payout_id), now_ms)
        case "export":
            print(desk.export(int(payout_id), now_ms))
        case "sign":
            desk.take_signed(psbt[0], now_ms)


if __name__ == "__main__":
    main()
