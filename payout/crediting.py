"""What a found block pays, and to whom: its window on the line of score, its coinbase, its claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from msgspec.structs import replace

from payout.accounts import Scheme, Stake
from payout.ledger import POOL_FEE, PPLNS_STARTUP, PPS_RESERVE, LedgerError
from payout.maturity import Reward
from payout.ports import BookedBlock, FoundBlock
from payout.rewards import Startup, split_reward, window_capacity


def paid_to_pool(outputs: Iterable[tuple[int, bytes]], pool_scripts: Iterable[bytes]) -> int:
    """The reward of a block: what its coinbase pays to the pool's scripts, whatever the template promised.

    outputs: (value_sat, script). Raises LedgerError if no output is the pool's: then somebody else has the coins.
    """
    scripts = frozenset(pool_scripts)
    ours = [value_sat for value_sat, script in outputs if script in scripts]
    if not ours:
        raise LedgerError("no output of the coinbase pays a script of the pool: was the payout address changed?")
    return sum(ours)


def window_of(found: FoundBlock) -> tuple[int, int]:
    """The stretch (low, high] of the line of score that a block pays."""
    return max(0, found.end - window_capacity(Fraction(found.window_x))), found.end


def credit(block: BookedBlock, reward_sat: int, weights: Mapping[Stake, int]) -> BookedBlock:
    """The block with its credits.

    A share that was bought under pay per share stays in the window without a fee: its part of the block is the
    reserve's, so that everybody else gets exactly what they would.
    """
    capacity = window_capacity(Fraction(block.found.window_x))
    fee_bps = {stake: 0 if is_bought(stake) else stake.fee_bps for stake in weights}
    split = split_reward(reward_sat, weights, fee_bps, capacity, Startup(block.found.startup))
    return replace(block, reward_sat=reward_sat, reserve_sat=split.reserve_sat, credits=split.credits)


def reward_of(block: BookedBlock) -> Reward:
    """The claims on a credited block, by the account they belong to."""
    if block.reward_sat is None:
        raise LedgerError(f"block {block.life.hash_hex} has not been credited")
    claims_sat = {PPLNS_STARTUP: block.reserve_sat, PPS_RESERVE: 0, POOL_FEE: 0}
    for each in block.credits:
        claim = PPS_RESERVE if is_bought(each.key) else f"liab:{each.key.account}"
        claims_sat[claim] = claims_sat.get(claim, 0) + each.net_sat
        claims_sat[POOL_FEE] += each.fee_sat
    return Reward(block.reward_sat, claims_sat)


def is_bought(stake: Stake) -> bool:
    """Whether the reserve has paid for the shares of a stake."""
    return stake.scheme is Scheme.PPS
