"""The chain as the first of several nodes sees it that can be asked; synchronous."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from pool.ports import BlockHeader, Clock, NodeUnavailable

# A node that could not be asked is left alone for a while, since each try may take as long as its time-out: at first
# for so long, then twice as long each time.
REST_SECONDS_FIRST = 0.5
REST_SECONDS_MAX = 30.0


class OneChain(Protocol):
    """The chain as one node sees it; as `payout.ports.Chain`."""

    def is_synced(self) -> bool: ...
    def tip_height(self) -> int: ...
    def hash_at(self, height: int) -> bytes | None: ...
    def coinbase_outputs(self, block_hash: bytes) -> tuple[tuple[int, bytes], ...] | None: ...
    def header(self, block_hash: bytes) -> BlockHeader | None: ...
    def fees_sat(self, block_hash: bytes) -> int | None: ...


class _Rest(Struct, frozen=True):
    """Until when a node is left alone (monotonic), after how long a rest, and why."""

    until: float
    seconds: float
    problem: NodeUnavailable


class SeveralChains:
    """Satisfies `payout.ports.Chain` and `payout.ports.DayChain`. chains: the preferred one first.

    `is_synced`, the first question of each pass, decides who answers all others until it is asked again: what two nodes
    say must not be mixed. It is the first that is synced and as high as any.
    """

    def __init__(self, chains: Sequence[OneChain], clock: Clock) -> None:
        self._chains = chains
        self._clock = clock
        self._current = chains[0]
        self._rests: dict[int, _Rest] = {}

    def is_synced(self) -> bool:
        """Whether there is one that has the whole chain. Raises NodeUnavailable when none can be asked."""
        heights: dict[int, int] = {}
        for index, chain in enumerate(self._chains):
            now, rest = self._clock.monotonic(), self._rests.get(index)
            if rest is not None and now < rest.until:
                continue
            try:
                is_synced, height = chain.is_synced(), chain.tip_height()
            except NodeUnavailable as problem:
                seconds = REST_SECONDS_FIRST if rest is None else min(2 * rest.seconds, REST_SECONDS_MAX)
                self._rests[index] = _Rest(self._clock.monotonic() + seconds, seconds, problem)
                continue
            self._rests.pop(index, None)
            if is_synced:
                heights[index] = height
        if heights:
            highest = max(heights.values())
            self._current = self._chains[next(index for index, height in heights.items() if height == highest)]
        elif len(self._rests) == len(self._chains):
            raise self._rests[0].problem
        return bool(heights)

    def tip_height(self) -> int:
        return self._current.tip_height()

    def hash_at(self, height: int) -> bytes | None:
        return self._current.hash_at(height)

    def coinbase_outputs(self, block_hash: bytes) -> tuple[tuple[int, bytes], ...] | None:
        return self._current.coinbase_outputs(block_hash)

    def header(self, block_hash: bytes) -> BlockHeader | None:
        return self._current.header(block_hash)

    def fees_sat(self, block_hash: bytes) -> int | None:
        return self._current.fees_sat(block_hash)
