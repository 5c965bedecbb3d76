"""What a found block pays, and to whom: its window on the line of score, its coinbase, its claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from msgspec.structs import replace

from payout.accounts import PER_SHARE, Scheme, Stake
from payout.contracts import Contract
from payout.ledger import POOL_FEE, PPLNS_STARTUP, PPS_RESERVE, LedgerError
from payout.maturity import Reward
from payout.ports import BookedBlock, FoundBlock, Slices
from payout.rewards import Credit, Startup, pps_plus_block, solo, split_reward, window_capacity
from payout.slices import divide_slice


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
    """The stretch (low, high] of the line of score that a block pays; nothing if one alone takes it."""
    if found.taker is not None:
        return found.end, found.end
    return max(0, found.end - window_capacity(Fraction(found.window_x))), found.end


def credit(block: BookedBlock, reward_sat: int, weights: Mapping[Stake, int]) -> BookedBlock:
    """The block with its credits: whole to a finder on SOLO, else by its window.

    A share that was bought under pay per share stays in the window without a fee: its part of the block is the
    reserve's, so that everybody else gets exactly what they would. weights: of the window.
    """
    taker = block.found.taker
    if taker is not None:
        return replace(block, reward_sat=reward_sat, reserve_sat=0, credits=(solo(taker, reward_sat, taker.fee_bps),))
    capacity = window_capacity(Fraction(block.found.window_x))
    startup = Startup(block.found.startup)
    fee_bps = {stake: 0 if is_bought(stake) else stake.fee_bps for stake in weights}
    split = split_reward(reward_sat, weights, fee_bps, capacity, startup)
    fees_sat: dict[Stake, int] = {}
    if any(stake.scheme is Scheme.PPS_PLUS for stake in weights):
        of_fees = pps_plus_block(_fees_sat(block.found, reward_sat), weights, capacity, startup)
        fees_sat = {each.key: each.gross_sat for each in of_fees.credits}
    credits = tuple(replace(each, bought_sat=_bought_sat(each, fees_sat)) for each in split.credits)
    return replace(block, reward_sat=reward_sat, reserve_sat=split.reserve_sat, credits=credits)


def reward_of(block: BookedBlock, slices: Slices) -> Reward:
    """The claims on a credited block, by the account they belong to: what a slice has is its contract's parties'."""
    if block.reward_sat is None:
        raise LedgerError(f"block {block.life.hash_hex} has not been credited")
    claims_sat = {PPLNS_STARTUP: block.reserve_sat, PPS_RESERVE: 0, POOL_FEE: 0}
    contracts = slices.contracts({each.key.slice_id for each in block.credits})
    for each in block.credits:
        for party, part_sat in parts_of(each, contracts).items():
            claim = f"liab:{party}"
            claims_sat[claim] = claims_sat.get(claim, 0) + part_sat
        claims_sat[PPS_RESERVE] += each.bought_sat
        claims_sat[POOL_FEE] += each.fee_sat
    return Reward(block.reward_sat, claims_sat)


def parts_of(each: Credit[Stake], contracts: Mapping[int, Contract]) -> dict[str, int]:
    """Who has what of a credit, by the contract of its slice; nobody of one that the reserve has bought."""
    if each.bought_sat and each.bought_sat >= each.gross_sat:
        return {}
    return divide_slice(each.net_sat, each.key.account, contracts.get(each.key.slice_id))


def is_bought(stake: Stake) -> bool:
    """Whether the reserve has paid for the shares of a stake."""
    return stake.scheme in PER_SHARE


def _bought_sat(each: Credit[Stake], fees_sat: Mapping[Stake, int]) -> int:
    """What the reserve gets of a credit. Under PPS+ it has not bought the transaction fees: these are split for
    themselves, and so could round up to a satoshi more than all of the credit."""
    if each.key.scheme is Scheme.PPS_PLUS:
        return max(0, each.gross_sat - fees_sat[each.key])
    return each.gross_sat if is_bought(each.key) else 0


def _fees_sat(found: FoundBlock, reward_sat: int) -> int:
    if found.subsidy_sat is None:
        raise LedgerError(f"block {found.block_hash[::-1].hex()} has shares under PPS+, but its subsidy is not stored")
    return max(0, reward_sat - found.subsidy_sat)
