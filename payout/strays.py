"""Blocks in the chain that pay the pool and that it has no candidate for: shares that nobody was credited for.

Each new block of the chain is asked for once, by its coinbase alone. Source: docs/payouts.md 3.4.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from payout.maturity import ORPHAN_DEPTH
from payout.ports import Chain, LedgerStore
from payout.watch_ports import Stray

GRACE_MS = 60_000
"""For so long its share may be on its way into the books."""
BLOCKS_AT_ONCE = 20
"""Of a chain that grew while nobody looked, so many in one pass, since accounting waits meanwhile."""


class StrayScan:
    """A look at every block of the chain."""

    def __init__(self, store: LedgerStore, chain: Chain, pool_scripts: frozenset[bytes]) -> None:
        self._store = store
        self._chain = chain
        self._pool_scripts = pool_scripts
        self._seen: dict[int, bytes] = {}  # of the newest heights, so that a reorg is noticed
        self._waiting: dict[bytes, Stray] = {}
        self._tip: tuple[int, bytes | None] | None = None
        self._began = 0
        self._next: int | None = None

    def scan(self, time_ms: int, *, is_behind: bool) -> Iterator[Stray]:
        """The strays that are found now; each is durable when it is told.

        is_behind: shares of a while are not in the books yet, so nothing is strange. The chain must have been asked
        whether it is synced. Raises NodeUnavailable.
        """
        height = self._chain.tip_height()
        tip = height, self._chain.hash_at(height)
        if tip != self._tip and self._look(height, time_ms):
            self._tip = tip
        if self._waiting:
            yield from self._judge(time_ms, is_behind)

    def _look(self, tip_height: int, time_ms: int) -> bool:
        """Look at new blocks; whether that were all."""
        if self._next is None:
            with self._store.read() as books:
                began, scanned = books.strays.scanned()
            # What was before the pool is not its own.
            self._began, self._next = (began, scanned + 1) if began else (tip_height + 1, tip_height + 1)
        first = max(self._began, min(self._next, tip_height + 1) - ORPHAN_DEPTH)
        left = BLOCKS_AT_ONCE
        for height in range(first, tip_height + 1):
            block_hash = self._chain.hash_at(height)
            if block_hash is None or self._seen.get(height) == block_hash:
                continue
            if not left:
                break
            left -= 1
            self._take(height, block_hash, time_ms)
            self._seen[height] = block_hash
            self._next = height + 1
        else:
            self._next = tip_height + 1
        self._seen = {height: seen for height, seen in self._seen.items() if height >= self._next - 2 * ORPHAN_DEPTH}
        waiting = [stray.height - 1 for stray in self._waiting.values()]
        with self._store.write() as books:
            books.strays.scan(self._began, min([self._next - 1, *waiting]))
            for stray in books.strays.open():
                other = self._chain.hash_at(stray.height)
                if other != stray.block_hash and tip_height - stray.height + 1 >= ORPHAN_DEPTH:
                    books.strays.end(stray.block_hash, time_ms, "it left the chain")
        return self._next == tip_height + 1

    def _take(self, height: int, block_hash: bytes, time_ms: int) -> None:
        outputs = self._chain.coinbase_outputs(block_hash) or ()
        paid_sat = [value_sat for value_sat, script in outputs if script in self._pool_scripts]
        if paid_sat:
            self._waiting[block_hash] = Stray(block_hash, height, time_ms, sum(paid_sat))

    def _judge(self, time_ms: int, is_behind: bool) -> Iterator[Stray]:
        with self._store.read() as books:
            known = {each for each in self._waiting if books.blocks.get(each) is not None}
        self._waiting = {each: stray for each, stray in self._waiting.items() if each not in known}
        if is_behind:
            self._waiting = {each: replace(stray, seen_ms=time_ms) for each, stray in self._waiting.items()}
        for stray in [stray for stray in self._waiting.values() if time_ms - stray.seen_ms >= GRACE_MS]:
            del self._waiting[stray.block_hash]
            if self._chain.hash_at(stray.height) != stray.block_hash:
                continue
            with self._store.write() as books:
                is_new = books.strays.add(stray)
            if is_new:
                yield stray
