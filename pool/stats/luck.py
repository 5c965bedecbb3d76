"""Luck: blocks found against blocks expected. Floats: for the screen, never for money."""

from __future__ import annotations

from functools import lru_cache

from pool.bitcoin.target import target_from_nbits, work_from_target

# nBits in use at once: one, two around the change each 2016 blocks; more only when a long journal is replayed.
_NETWORKS_CACHED = 256


def expected_blocks(work: int, nbits: int) -> float:
    """Blocks that so much work finds on average. work: expected hashes; nbits: the network's target."""
    return work / network_work(nbits)


@lru_cache(maxsize=_NETWORKS_CACHED)
def network_work(nbits: int) -> int:
    """Expected hashes of one block."""
    return work_from_target(target_from_nbits(nbits))


def luck(blocks: int, expected: float) -> float | None:
    """Blocks found per block expected: above 1 is lucky. None while nothing was expected."""
    return blocks / expected if expected > 0.0 else None


def seconds_to_block(hashrate_hps: float, nbits: int) -> float | None:
    """Average time to the next block at this hashrate; None without hashrate."""
    return network_work(nbits) / hashrate_hps if hashrate_hps > 0.0 else None
