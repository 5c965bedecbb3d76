"""The life of a block, from candidate to spendable money.

    candidate --(in the chain, >= 1 confirmation)--> immature --(>= 101)--> mature
        |                                             |    ^ back in the chain (next flip)
        +--(another block there, 6 deep)--> dead      +--(another block there, 6 deep)--> orphaned

Only the hash at the block's height decides; an error of the node never does. Source: docs/payouts.md 3.4.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from payout import ledger
from payout.ledger import Entry, LedgerError, Posting

SPENDABLE_CONFIRMATIONS = 101
"""A coinbase may be spent in the hundredth block after its own (Bitcoin Core `COINBASE_MATURITY`)."""

ORPHAN_DEPTH = 6
"""How deep another block at that height must be before ours is given up."""

FINAL_DEPTH = SPENDABLE_CONFIRMATIONS
"""How deep another block must be before we stop looking for a way back."""


class State(enum.StrEnum):
    """Where a block stands."""

    CANDIDATE = "candidate"
    IMMATURE = "immature"
    MATURE = "mature"
    ORPHANED = "orphaned"
    DEAD = "dead"


class Life(Struct, frozen=True):
    """A block's state. flips: how many times it came back after being orphaned; part of its keys. is_held: a person has
    to look before what it pays is available."""

    block_hash: bytes
    height: int
    state: State = State.CANDIDATE
    flips: int = 0
    is_held: bool = False

    @property
    def hash_hex(self) -> str:
        return self.block_hash[::-1].hex()


class Sighting(Struct, frozen=True):
    """What the chain says of a height. hash_at_height: of the active chain, wire order; None above the tip."""

    tip_height: int
    hash_at_height: bytes | None


class Reward(Struct, frozen=True):
    """What a block pays the pool and to whom it belongs.

    claims_sat: by the ledger account without its ending: `liab:NAME`, `income:pool_fee`, `equity:pps_reserve`,
    `equity:pplns_startup`. They sum to reward_sat (invariant 3), else LedgerError.
    """

    reward_sat: int
    claims_sat: Mapping[str, int]

    def __post_init__(self) -> None:
        claimed_sat = sum(self.claims_sat.values())
        if claimed_sat != self.reward_sat:
            raise LedgerError(f"claims of {claimed_sat} satoshi on a block that pays {self.reward_sat}")
        if any(amount < 0 for amount in self.claims_sat.values()):
            raise LedgerError("a claim on a block may not be negative")


_STEPS = {
    State.CANDIDATE: {State.IMMATURE, State.DEAD},
    State.IMMATURE: {State.MATURE, State.ORPHANED},
    State.ORPHANED: {State.IMMATURE},
    State.DEAD: {State.IMMATURE},
    State.MATURE: set[State](),
}


def next_state(life: Life, seen: Sighting) -> State:
    """The state that follows from what the chain says; the same state while nothing is decided.

    A block goes one state at a time: call again with the new life until it stays.
    """
    depth = seen.tip_height - life.height + 1
    if seen.hash_at_height is None or depth < 1 or life.state is State.MATURE:
        return life.state
    if seen.hash_at_height == life.block_hash:
        if life.state is not State.IMMATURE:
            return State.IMMATURE
        return State.MATURE if depth >= SPENDABLE_CONFIRMATIONS and not life.is_held else State.IMMATURE
    if depth < ORPHAN_DEPTH:
        return life.state
    return {State.CANDIDATE: State.DEAD, State.IMMATURE: State.ORPHANED}.get(life.state, life.state)


def is_final(life: Life, tip_height: int) -> bool:
    """Whether nothing that a chain does in good order can change the state any more."""
    if life.state is State.MATURE:
        return True
    given_up = life.state in (State.ORPHANED, State.DEAD)
    return given_up and tip_height - life.height + 1 >= FINAL_DEPTH


def enter(life: Life, state: State, reward: Reward | None, time_ms: int) -> tuple[Life, tuple[Posting, ...]]:
    """The block in its new state and what that means in money.

    reward: needed for every state but dead; a reward of 0 is a block without money and so without postings. Raises
    LedgerError for a step that the life of a block does not have.
    """
    if state not in _STEPS[life.state]:
        raise LedgerError(f"block {life.hash_hex} cannot go from {life.state.value} to {state.value}")
    came_back = life.state is State.ORPHANED and state is State.IMMATURE
    after = replace(life, state=state, flips=life.flips + came_back)
    if state is State.DEAD:
        return after, ()
    if reward is None:
        raise LedgerError(f"block {life.hash_hex} cannot become {state.value} without its reward")
    if not reward.reward_sat:
        return after, ()
    if state is State.MATURE:
        return after, (_mature(after, reward, time_ms),)
    credited = _immature(after, reward, time_ms)
    if state is State.IMMATURE:
        return after, (credited,)
    return after, (ledger.reverse(credited, _key(after, "orphaned"), "block.orphaned", time_ms),)


def entries_of(kind: str, life: Life, reward: Reward) -> tuple[Entry, ...]:
    """The entries of a posting of this kind about a block."""
    if kind == "block.mature":
        return _mature(life, reward, 0).entries
    credited = _immature(life, reward, 0)
    return credited.entries if kind == "block.immature" else ledger.reverse(credited, "", kind, 0).entries


def _immature(life: Life, reward: Reward, time_ms: int) -> Posting:
    amounts_sat = {f"{claim}:immature": -amount for claim, amount in reward.claims_sat.items()}
    amounts_sat[ledger.COINBASE_IMMATURE] = reward.reward_sat
    return ledger.posting(_key(life, "immature"), "block.immature", life.hash_hex, time_ms, amounts_sat)


def _mature(life: Life, reward: Reward, time_ms: int) -> Posting:
    amounts_sat = {ledger.COINBASE_IMMATURE: -reward.reward_sat, ledger.WALLET: reward.reward_sat}
    for claim, amount_sat in reward.claims_sat.items():
        amounts_sat[f"{claim}:immature"] = amount_sat
        amounts_sat[f"{claim}:available" if claim.startswith("liab:") else claim] = -amount_sat
    # Final, so without the count of flips: a block can only become money once.
    return ledger.posting(f"block:{life.hash_hex}:mature", "block.mature", life.hash_hex, time_ms, amounts_sat)


def _key(life: Life, event: str) -> str:
    """`block:HASH:EVENT`, and `:N` after the Nth return to the chain."""
    key = f"block:{life.hash_hex}:{event}"
    return f"{key}:{life.flips}" if life.flips else key
