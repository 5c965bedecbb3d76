"""From shares and a block to credits: unit-PPLNS, and the small rules of the blocks of other schemes.

Everything is an integer. A *score* is what a share weighs in a window; the unit score is in units of 2^-96 block.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Generic

from msgspec import Struct

from payout.apportion import Key, largest_remainder

UNIT = 1 << 96
"""One block's worth of unit score. 96 bits leave 49 of precision even for difficulty 1 at 1.4e14."""

BPS = 10_000
"""Basis points in a whole."""


class Startup(enum.StrEnum):
    """What becomes of a block's reward while there are fewer shares than the window holds."""

    DISTRIBUTE = "distribute"
    RESERVE = "reserve"


class Credit(Struct, Generic[Key], frozen=True):
    """What one key of a window has of a block.

    weight: in units of the score. fee_sat, bought_sat: parts of the gross; what was bought is the reserve's, which has
    paid for the shares.
    """

    key: Key
    weight: int
    gross_sat: int
    fee_sat: int
    bought_sat: int = 0

    @property
    def net_sat(self) -> int:
        """What is the key's own."""
        return self.gross_sat - self.fee_sat - self.bought_sat


class Split(Struct, Generic[Key], frozen=True):
    """A reward divided: by key in order of the keys, and what the start-up policy holds back."""

    credits: tuple[Credit[Key], ...]
    reserve_sat: int

    @property
    def fee_sat(self) -> int:
        return sum(credit.fee_sat for credit in self.credits)

    @property
    def total_sat(self) -> int:
        return sum(credit.gross_sat for credit in self.credits) + self.reserve_sat


def unit_score(work: int, net_work: int) -> int:
    """The probability that a share is a block, in units of 2^-96; at most one block.

    work: expected hashes of the share's target. net_work: those of its own job's nBits; the score never changes
    with a later difficulty. Source: docs/payouts.md 1.2; Rosenfeld, arXiv:1112.4980, 3.3.
    """
    if work < 0 or net_work <= 0:
        raise ValueError(f"no score for work {work} of {net_work}")
    return min(UNIT, work * UNIT // net_work)


def window_capacity(window_x: Fraction, block_score: int = UNIT) -> int:
    """The score that a window of X blocks holds, rounded down."""
    if window_x <= 0:
        raise ValueError(f"a window of {window_x} blocks holds nothing")
    return window_x.numerator * block_score // window_x.denominator


def take_window(newest_first: Iterable[tuple[Key, int]], capacity: int) -> Iterator[tuple[Key, int]]:
    """Walk back from the finder's share and take (key, score) until the capacity is full; the last one in part."""
    left = capacity
    for key, score in newest_first:
        if left == 0:
            return
        weight = min(score, left)
        left -= weight
        yield key, weight


def sum_weights(taken: Iterable[tuple[Key, int]]) -> dict[Key, int]:
    """The weight of each key."""
    weights: dict[Key, int] = {}
    for key, weight in taken:
        weights[key] = weights.get(key, 0) + weight
    return weights


def fee_of(gross: int, fee_bps: int) -> int:
    """The pool's fee, rounded down: the fraction goes to the miner."""
    if not 0 <= fee_bps <= BPS:
        raise ValueError(f"a fee of {fee_bps} basis points is not between 0 and {BPS}")
    return gross * fee_bps // BPS


def split_reward(
    reward_sat: int, weights: Mapping[Key, int], fee_bps: Mapping[Key, int], capacity: int, startup: Startup
) -> Split[Key]:
    """Divide a block's reward over the weights of its window.

    Under `Startup.RESERVE` the part of a window that is not yet filled is held back; a window without any share holds
    all of it back under either policy, since there is nobody to credit. Source: docs/payouts.md 1.6.
    """
    taken = sum(weights.values())
    if taken == 0:
        shared_sat = 0
    elif startup is Startup.RESERVE and taken < capacity:
        shared_sat = reward_sat * taken // capacity
    else:
        shared_sat = reward_sat
    gross = largest_remainder(shared_sat, weights)
    credits = tuple(Credit(key, weights[key], gross[key], fee_of(gross[key], fee_bps[key])) for key in sorted(weights))
    return Split(credits, reward_sat - shared_sat)


def solo(finder: Key, reward_sat: int, fee_bps: int) -> Credit[Key]:
    """SOLO: the finder takes the whole block less the fee; shares earn nothing."""
    return Credit(finder, UNIT, reward_sat, fee_of(reward_sat, fee_bps))


def pps_plus_block(
    fees_sat: int, weights: Mapping[Key, int], capacity: int, startup: Startup = Startup.DISTRIBUTE
) -> Split[Key]:
    """PPS+: the transaction fees of a block by PPLNS, without a pool fee.

    The subsidy stays with the reserve, which has paid for the shares already. Source: docs/payouts.md 1.7.
    """
    return split_reward(fees_sat, weights, dict.fromkeys(weights, 0), capacity, startup)


def expected_sat(hashrate_hps: int, seconds: int, block_sat: int, net_work: int) -> int:
    """What a hashrate earns on average, rounded down; also what its standing still loses.

    Source: docs/payouts.md 4.6.
    """
    if min(hashrate_hps, seconds, block_sat) < 0 or net_work <= 0:
        raise ValueError("hashrate, time and reward may not be negative, nor the network's work less than 1")
    return hashrate_hps * seconds * block_sat // net_work
