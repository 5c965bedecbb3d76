"""One block followed from its share to its confirmed payout, on both databases, and the ledger computed again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pool.node.private import PrivateNode
from tests.databases import NAMES
from tests.regtest.conftest import StartNode
from tests.regtest.paying_pool import COIN
from tests.regtest.whole_pool import WholePool, eventually

PAYOUTS = """\
[payouts]
enabled = true
wallet = "pool"
hour_utc = -1
threshold_sat = 100000
"""


@pytest.fixture(params=NAMES)
def pool(request: pytest.FixtureRequest, bitcoind: StartNode, tmp_path: Path) -> Iterator[WholePool]:
    """A pool that pays, on each database."""
    database = "" if request.param == "sqlite" else request.getfixturevalue("postgresql")("")
    made = WholePool(tmp_path, bitcoind("regtest"), "regtest", f'{PAYOUTS}\n[database]\nurl = "{database}"\n')
    made.add_account("alice", "pplns", 100)
    made.steppe("account", "address", "alice", _address(made.node))
    made.start()
    yield made
    assert made.stop() == 0
    made.node.stop()


def test_from_a_share_to_coins_that_are_final_and_a_ledger_that_comes_out_the_same(pool: WholePool) -> None:
    pool.mine("alice.rig", shares=1, rate_hps=20)
    [block] = eventually("a credited block", lambda: pool.blocks("immature"))
    pool.node.mine(101)
    eventually("maturity", lambda: pool.blocks("mature"))
    net_sat = block["reward_sat"] * 99 // 100
    assert _address(pool.node) in pool.steppe("payout", "plan")
    pool.steppe("payout", "run")
    eventually("it is broadcast", lambda: _payout(pool)["state"] == "broadcast")
    assert _rebuilt(pool)["payments"] == 2
    pool.node.mine(1)
    eventually("it is confirmed", lambda: _payout(pool)["state"] == "confirmed")
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
    outputs = [pool.node.call("gettxout", detail["payout"]["txid"], place) for place in (0, 1)]
    assert net_sat in [int(output["value"] * COIN) for output in outputs if output]
    pool.node.mine(5)
    eventually("it is final", lambda: _payout(pool)["state"] == "final")
    assert pool.get("/api/v1/accounts/alice")["account"]["books"]["reserved_sat"] == 0
    # The block's two rows, its payment's two, and that is the whole ledger.
    assert _rebuilt(pool)["postings of the ledger"] == 4


def _address(node: PrivateNode) -> str:
    """Of a key that nobody has."""
    return str(node.call("decodescript", (b"\x00\x14" + bytes(range(20))).hex())["address"])


def _payout(pool: WholePool) -> Any:
    rows = pool.get("/api/v1/payouts")["rows"]
    return rows[0] if rows else {"state": None}


def _rebuilt(pool: WholePool) -> dict[str, int]:
    """How much was compared, of each kind; nothing differs."""
    report = json.loads(pool.steppe("rebuild", "--json"))
    assert {check["what"]: check["differences"] for check in report["checks"] if check["different"]} == {}
    assert report["identical"]
    return {check["what"]: check["rebuilt"] for check in report["checks"]}
