"""Several shares per block, on a private signet, with the ledger in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pool.node.private import PrivateNode
from tests.postgresql import Databases
from tests.regtest.whole_pool import WholePool, eventually

RATE_HPS = 8e6


@pytest.fixture(scope="module")
def pool(
    signet_node: PrivateNode, postgresql: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WholePool]:
    it = WholePool(
        tmp_path_factory.mktemp("pool"), signet_node, "signet", extra=f'\n[database]\nurl = "{postgresql("")}"\n'
    )
    it.add_account("alice", "pplns", 100)
    it.add_account("bob", "pplns", 0)
    it.start()
    with it.miner("alice.rig", RATE_HPS), it.miner("bob.rig", RATE_HPS):
        # One may begin to mine some blocks before the other.
        eventually("blocks that pay both", lambda: len(it.blocks("immature")) >= 2 and len(newest(it)["credits"]) == 2)
    yield it
    assert it.stop() == 0


def newest(pool: WholePool) -> Any:
    """The newest block in the chain, in detail."""
    return pool.get(f"/api/v1/blocks/{pool.blocks('immature')[0]['hash_hex']}")


def test_shares_come_more_often_than_blocks(pool: WholePool) -> None:
    def accepted() -> int:
        return sum(row["activity"]["accepted"] for row in pool.get("/api/v1/workers")["rows"])

    # Nobody mines any more; the statistics follow within some seconds.
    eventually("more than two shares a block", lambda: accepted() > 2 * len(pool.blocks()))


def test_a_block_is_split_by_the_shares_in_its_window(pool: WholePool) -> None:
    detail = newest(pool)
    credited = {credit["account"]: credit["amount_sat"] for credit in detail["credits"]}
    fee = -next(row["amount_sat"] for row in detail["ledger"] if row["account"] == "income:pool_fee:immature")
    assert set(credited) == {"alice", "bob"}
    assert sum(credited.values()) + fee == detail["block"]["reward_sat"]
    # alice pays 1 %, bob nothing: from the fee follows what alice's part was before it.
    gross = credited["alice"] + fee
    assert fee == gross // 100


def test_no_share_was_refused(pool: WholePool) -> None:
    refused = [row["activity"]["rejected"] for row in pool.get("/api/v1/workers")["rows"]]
    # A share that was on its way when the tip changed is stale by nobody's fault.
    assert not [reasons for reasons in refused if set(reasons) - {"stale"}]
