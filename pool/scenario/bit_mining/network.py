"""The chain of the time: when its blocks came, which of them are the pool's, and what a node says of them."""

from __future__ import annotations

import random
from bisect import bisect_right
from hashlib import sha256
from itertools import pairwise

from pool.bitcoin.amount import subsidy
from pool.scenario.bit_mining.case import BEGINS_MS, EPOCHS, Epoch

POOL_SCRIPT = b"\x00\x14" + sha256(b"the pool of the scenario").digest()[:20]
HALVING_BLOCKS = 210_000
_FEES_MEDIAN_SAT = 18_000_000
_FEES_SPREAD = 0.7


class Network:
    """Blocks as they came: as chance has it, but that an epoch's difficulty is worked on from its time on.

    now_ms: the present. Satisfies payout.ports.Chain.
    """

    def __init__(self, seed: int) -> None:
        choose = random.Random(f"{seed} network")  # noqa: S311 - chance that can be had again
        self.now_ms = BEGINS_MS
        self._first = EPOCHS[0].height - 1
        self._times_ms: list[int] = []
        for epoch, after in pairwise(EPOCHS):
            within = range(epoch.from_ms + 1, after.from_ms)
            times = sorted(choose.choice(within) for _ in range(after.height - epoch.height - 1))
            self._times_ms += [epoch.from_ms, *times]
        self._times_ms.append(EPOCHS[-1].from_ms)
        self._fees_sat = [int(choose.lognormvariate(0, _FEES_SPREAD) * _FEES_MEDIAN_SAT) for _ in self._times_ms]
        self._seed = seed
        self._ours: dict[int, bytes] = {}

    def next_height(self, time_ms: int) -> int:
        """Which block is looked for at a time."""
        return self._first + bisect_right(self._times_ms, time_ms)

    def block_ms(self, height: int) -> int:
        """When a block came, or will."""
        return self._times_ms[height - self._first]

    def epoch(self, height: int) -> Epoch:
        """Of the difficulty of a block."""
        return next(each for each in reversed(EPOCHS) if each.height <= height)

    def fees_sat(self, height: int) -> int:
        """What the transactions of a block pay."""
        return self._fees_sat[height - self._first]

    def hash_of(self, height: int) -> bytes:
        """Of a block that has come."""
        return self._ours.get(height) or sha256(f"{self._seed} {height}".encode()).digest()[:24] + bytes(8)

    def find(self, height: int, block_hash: bytes, time_ms: int) -> None:
        """The pool finds a block before anybody else does."""
        self._ours[height] = block_hash
        self._times_ms[height - self._first] = time_ms

    def is_synced(self) -> bool:
        return True

    def tip_height(self) -> int:
        return self.next_height(self.now_ms) - 1

    def hash_at(self, height: int) -> bytes | None:
        return self.hash_of(height) if height <= self.tip_height() else None

    def coinbase_outputs(self, block_hash: bytes) -> tuple[tuple[int, bytes], ...] | None:
        height = next((height for height, ours in self._ours.items() if ours == block_hash), None)
        if height is None:
            return None
        return ((subsidy(height, HALVING_BLOCKS) + self.fees_sat(height), POOL_SCRIPT),)
