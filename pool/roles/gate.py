"""The chain gate's rules of a configuration."""

from __future__ import annotations

from pool.bitcoin.network import NETWORKS, block_at
from pool.config import Config
from pool.node.chain_watch import GateSettings
from pool.work.chain_gate import GateRules


def gate_settings(config: Config) -> GateSettings:
    """Checkpoints of the network and of the operator, whose own take the place of others at the same height."""
    network = NETWORKS[config.pool.chain]
    checkpoints = {each.height: each for each in network.checkpoints}
    checkpoints |= {each.height: block_at(each.height, each.hash) for each in config.checkpoint}
    age_seconds = config.chain.tip_age_minutes * 60 if network.has_steady_blocks else 0
    return GateSettings(
        GateRules(tuple(checkpoints[height] for height in sorted(checkpoints)), age_seconds or None),
        mines_on_unknown=config.chain.on_unknown == "mine",
    )
