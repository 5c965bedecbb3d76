"""A fleet moves while it mines real blocks: each host has its part of the shares of its site and time, to the satoshi.
On regtest every share is a block, so a window of eight blocks is the eight newest shares.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from payout.audit import audit
from payout.store.ledger import SqlLedger
from pool.fleet.times import utc
from pool.node.private import PrivateNode
from pool.roles.database import reach_database
from tests.regtest.whole_pool import WholePool, eventually

PARTIES = ("ganzi", "operator", "partner")


@pytest.fixture(scope="module")
def pool(regtest_node: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholePool]:
    it = WholePool(tmp_path_factory.mktemp("pool"), regtest_node, "regtest")
    it.config_path.write_text(it.config_path.read_text().replace("0.0001", "1e-9"))
    for name in (*PARTIES, "bit"):
        it.add_account(name, "pplns", 150)
    it.start()
    yield it
    if it.process is not None and it.process.poll() is None:
        it.stop()


def test_a_block_found_after_the_move_pays_both_hosts_and_a_rebuild_agrees(pool: WholePool) -> None:
    since = "--from", "2021-01-01T00:00Z"
    for command in (
        ("site", "add", "sichuan", "CN", "Asia/Shanghai", *since),
        ("site", "capacity", "sichuan", "40000000", *since),
        ("site", "add", "almaty", "KZ", "Asia/Almaty", *since),
        ("site", "capacity", "almaty", "20000000", *since),
        ("contract", "add", "old", "hosting", "--steps", "net 700 ganzi", *since),
        ("contract", "add", "new", "joint_venture", "--steps", "net 450 operator; share @owner 80 partner 20", *since),
        ("fleet", "add", "bit/main", *since),
    ):
        pool.steppe(*command)
    pool.steppe("assign", "add", "bit", "rig-*", "bit/main", "sichuan", "--contract", "old")
    (first,) = pool.get("/api/v1/assignments")["rows"]
    _wait_for(first["says"]["valid_from_ms"])
    pool.mine_blocks("bit.rig-1", 4)
    pool.mine_blocks("bit.stray", 1)
    eventually("the worker that nobody assigned", lambda: pool.get("/api/v1/unmatched")["total"] == 1)
    assert pool.get("/api/v1/unmatched")["rows"] == [{"account": "bit", "worker": "stray"}]
    moves_ms = (int(time.time()) + 30) * 1000
    pool.steppe("assign", "end", "1", utc(moves_ms))
    pool.steppe("assign", "add", "bit", "rig-*", "bit/main", "almaty", "--contract", "new", "--from", utc(moves_ms))
    _wait_for(moves_ms)
    pool.mine_blocks("bit.rig-1", 3)
    eventually("all blocks in the chain", lambda: len(pool.blocks("immature")) == 8)
    assert pool.steppe("rebuild").splitlines()[-1] == "identical"
    config = pool.config
    assert pool.stop() == 0

    engine = reach_database(config)
    with SqlLedger(engine).read() as books:
        assert audit(books) == ()
        block = max(books.blocks.every(), key=lambda each: each.life.height)
        row = next(row for row in books.journal.rows() if row.posting.ref == block.life.hash_hex)
    engine.dispose()
    net_sat = {each.key.slice_id: each.net_sat for each in block.credits}
    assert block.reward_sat is not None
    assert net_sat == {number: _net(block.reward_sat * shares // 8) for number, shares in ((0, 1), (1, 4), (2, 3))}
    ganzi, operator = net_sat[1] * 700 // 10_000, net_sat[2] * 450 // 10_000
    left = net_sat[2] - operator
    partner = left * 20 // 100
    assert {entry.account: -entry.amount_sat for entry in row.posting.entries if entry.amount_sat < 0} == {
        "income:pool_fee:immature": block.reward_sat - sum(net_sat.values()),
        "liab:bit:immature": net_sat[0] + net_sat[1] - ganzi + left - partner,
        "liab:ganzi:immature": ganzi,
        "liab:operator:immature": operator,
        "liab:partner:immature": partner,
    }


def _wait_for(time_ms: int) -> None:
    eventually("the time of the assignment", lambda: time.time() * 1000 > time_ms)


def _net(gross_sat: int) -> int:
    return gross_sat - gross_sat * 150 // 10_000
