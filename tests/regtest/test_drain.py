"""The whole pool is told to end while miners are connected: they are sent away in waves, and no share is lost."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from pool.node.private import PrivateNode
from tests.regtest.any_nonce import AnyNonceMiner
from tests.regtest.whole_pool import WholePool, eventually


def draining_pool(folder: Path, node: PrivateNode, seconds: int) -> WholePool:
    pool = WholePool(folder, node, "signet")
    drain = f'drain_seconds = {seconds}\ndrain_to = "pool2.example:3334"\ndifficulty = 1e-9'
    pool.config_path.write_text(pool.config_path.read_text().replace("difficulty = 0.0001", drain))
    pool.start()
    return pool


def drains(pool: WholePool) -> bool:
    return any(line["event"] == "drain_begun" for line in pool.log("stratum"))


def test_miners_are_told_where_to_go_mine_until_then_and_are_reset(signet_node: PrivateNode, tmp_path: Path) -> None:
    pool = draining_pool(tmp_path, signet_node, 2)
    assert pool.process is not None
    with closing(AnyNonceMiner(pool.stratum_port, "alice.rig")) as miner:
        pool.process.terminate()
        told = miner.told("client.reconnect")
        assert told == ["pool2.example", 3334, 0]
        assert miner.share() is True
        assert miner.lost()
    assert pool.process.wait(30) == 0


def test_a_second_signal_ends_it_at_once(signet_node: PrivateNode, tmp_path: Path) -> None:
    pool = draining_pool(tmp_path, signet_node, 3600)
    assert pool.process is not None
    with closing(AnyNonceMiner(pool.stratum_port, "alice.rig")) as miner:
        pool.process.terminate()
        eventually("it drains", lambda: drains(pool))
        with pytest.raises(ConnectionRefusedError):
            AnyNonceMiner(pool.stratum_port, "alice.late")
        assert miner.share() is True
        pool.process.terminate()
        assert miner.lost()
    assert pool.process.wait(30) == 0
