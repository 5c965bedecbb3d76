"""The chain as the first of several nodes sees it that can be asked; synchronous."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pool.ports import Clock, NodeUnavailable

# A node that could not be asked is left alone for so long, since each try may take as long as its time-out.
REST_SECONDS = 15.0


class OneChain(Protocol):
    """The chain as one node sees it; as `payout.ports.Chain`."""

    def is_synced(self) -> bool: ...
    def tip_height(self) -> int: ...
    def hash_at(self, height: int) -> bytes | None: ...
    def coinbase_outputs(self, block_hash: bytes) -> tuple[tuple[int, bytes], ...] | None: ...


class SeveralChains:
    """Satisfies `payout.ports.Chain`. chains: the preferred one first.

    `is_synced`, the first question of each pass, decides who answers all others until it is asked again: what two nodes
    say must not be mixed. It is the first that is synced and as high as any.
    """

    def __init__(self, chains: Sequence[OneChain], clock: Clock) -> None:
        self._chains = chains
        self._clock = clock
        self._current = chains[0]
        self._rests: dict[int, float] = {}

    def is_synced(self) -> bool:
        """Whether there is one that has the whole chain. Raises NodeUnavailable when none can be asked."""
        heights: dict[int, int] = {}
        error: NodeUnavailable | None = None
        answered = False
        for index in self._to_ask():
            try:
                is_synced, height = self._chains[index].is_synced(), self._chains[index].tip_height()
            except NodeUnavailable as failed:
                self._rests[index] = self._clock.monotonic() + REST_SECONDS
                error = error or failed
                continue
            self._rests.pop(index, None)
            answered = True
            if is_synced:
                heights[index] = height
        if heights:
            highest = max(heights.values())
            self._current = self._chains[next(index for index, height in heights.items() if height == highest)]
        elif error is not None and not answered:
            raise error
        return bool(heights)

    def tip_height(self) -> int:
        return self._current.tip_height()

    def hash_at(self, height: int) -> bytes | None:
        return self._current.hash_at(height)

    def coinbase_outputs(self, block_hash: bytes) -> tuple[tuple[int, bytes], ...] | None:
        return self._current.coinbase_outputs(block_hash)

    def _to_ask(self) -> list[int]:
        """Who does not rest; all, if everybody does."""
        now = self._clock.monotonic()
        every = range(len(self._chains))
        return [index for index in every if self._rests.get(index, now) <= now] or [*every]
