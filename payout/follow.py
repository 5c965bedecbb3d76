"""Blocks through their life: what the chain says, one step of one block per transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from payout.crediting import credit, paid_to_pool, reward_of, window_of
from payout.ledger import LedgerError
from payout.maturity import Life, Sighting, State, enter, is_final, next_state
from payout.ports import Chain, LedgerStore
from payout.watch_ports import Hold
from pool.ports import NodeUnavailable


class Step(Struct, frozen=True):
    """A block went from one state to the next. held: why it is held back from now on, if it is."""

    before: Life
    after: Life
    held: str | None = None


class FeeRule(Struct, frozen=True):
    """A block whose transactions paid more than this is held back until a person has looked: somebody may have made a
    mistake. 0: none is. subsidy_sat: of a height."""

    fees_max_sat: int
    subsidy_sat: Callable[[int], int]

    def refusal(self, height: int, reward_sat: int) -> str | None:
        """Why a block is held back; None if it is not."""
        fees_sat = reward_sat - self.subsidy_sat(height)
        if not self.fees_max_sat or fees_sat <= self.fees_max_sat:
            return None
        return f"its transactions paid {fees_sat} satoshi of fees, more than accounting.fee_hold_sat"


class BlockFollower:
    """Leads every block of the pool through its life."""

    def __init__(self, store: LedgerStore, chain: Chain, pool_scripts: frozenset[bytes], fees: FeeRule) -> None:
        """pool_scripts: what the coinbases of the pool pay."""
        self._store = store
        self._chain = chain
        self._pool_scripts = pool_scripts
        self._fees = fees
        self._judged: tuple[bytes | None, list[Life]] | None = None

    def follow(self, time_ms: int) -> Iterator[Step]:
        """Every step that the chain decides now, in order of height; each is durable when it is told.

        time_ms: for the postings. Raises NodeUnavailable when the node cannot be asked or does not know the chain as
        far as it was known before: then nothing is decided, an error least of all.
        """
        tip_height = self._tip_height()
        tip_hash = self._chain.hash_at(tip_height)
        with self._store.read() as books:
            lives = list(books.blocks.open(tip_height))
        if (tip_hash, lives) == self._judged:
            return  # asking a hundred hashes again, twice a second, would tell nothing new
        for place, life in enumerate(lives):
            hash_at_height = self._chain.hash_at(life.height) if life.height <= tip_height else None
            seen = Sighting(tip_height, hash_at_height)
            while (state := next_state(lives[place], seen)) is not lives[place].state:
                step = self._step(lives[place], state, time_ms)
                lives[place] = step.after
                yield step
        self._judged = tip_hash, [life for life in lives if not is_final(life, tip_height)]

    def _tip_height(self) -> int:
        if not self._chain.is_synced():
            raise NodeUnavailable("the node is still syncing: blocks are judged once it has the whole chain")
        tip_height = self._chain.tip_height()
        with self._store.read() as books:
            highest = books.blocks.chain_height()
        if tip_height < highest:
            raise NodeUnavailable(
                f"the node is at height {tip_height}, but {highest} was seen before: "
                "blocks are judged once it has caught up; if it never will, it follows another chain"
            )
        if tip_height > highest:
            with self._store.write() as books:
                books.blocks.see_height(tip_height)
        return tip_height

    def _step(self, life: Life, state: State, time_ms: int) -> Step:
        # The node is asked before the transaction begins: it may take its time, and the books have one writer.
        pays_now = state is State.IMMATURE and life.state is not State.ORPHANED
        reward_sat = self._reward_sat(life) if pays_now else None
        held: str | None = None
        with self._store.write() as books:
            block = books.blocks.get(life.block_hash)
            if block is None or block.life != life:
                raise LedgerError(f"block {life.hash_hex} changed meanwhile: is there a second accounting process?")
            if reward_sat is not None:
                block = credit(block, reward_sat, books.shares.window(*window_of(block.found)))
                books.blocks.book(block)
                held = None if life.is_held else self._fees.refusal(life.height, reward_sat)
                if held is not None:
                    books.blocks.hold(Hold(life.block_hash, time_ms, True, held))
            reward = None if state is State.DEAD else reward_of(block, books.slices)
            after, postings = enter(life, state, reward, time_ms)
            books.journal.post(postings)
            books.blocks.move(life, after)
        return Step(life, replace(after, is_held=after.is_held or held is not None), held)

    def _reward_sat(self, life: Life) -> int:
        outputs = self._chain.coinbase_outputs(life.block_hash)
        if outputs is None:
            raise NodeUnavailable(f"the node has block {life.hash_hex} in its chain but cannot show it: is it pruned?")
        try:
            return paid_to_pool(outputs, self._pool_scripts)
        except LedgerError as error:
            raise LedgerError(f"block {life.hash_hex}: {error}") from error
