"""Targets, their compact form (nBits), work and difficulty.

A target is an integer below 2**256: a header counts when its hash, read as a little-endian integer, is not above it.
Work is the expected number of hashes until one counts: an exact integer that adds up. Difficulty is a ratio for the
wire and the screen only.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import isfinite

from native import compact

TARGET_MAX = (1 << 256) - 1

# The target of difficulty 1 (bdiff). Source: Bitcoin Core, `GetDifficulty` in `rpc/blockchain.cpp`.
DIFFICULTY_1_TARGET = 0xFFFF << 208

# Pairs of difficulty and nBits in use at once: one nBits and every difficulty vardiff may have set, with room for the
# change of nBits each 2016 blocks.
_SHARE_TARGETS_CACHED = 4096


def target_from_nbits(nbits: int) -> int:
    """The target that nBits stands for.

    Raises ValueError if nBits is no unsigned 32-bit integer or its target is zero, negative or above 2**256 - 1.
    Source: Bitcoin Core, `arith_uint256::SetCompact`.
    """
    return int.from_bytes(compact.target_from_nbits(nbits), "little")


def nbits_from_target(target: int) -> int:
    """The compact form of a target, rounded down to three bytes. Source: Bitcoin Core, `arith_uint256::GetCompact`."""
    _check(target)
    size = (target.bit_length() + 7) // 8
    mantissa = target << 8 * (3 - size) if size <= 3 else target >> 8 * (size - 3)
    if mantissa & compact.SIGN_BIT:
        mantissa >>= 8
        size += 1
    return size << 24 | mantissa


def work_from_target(target: int) -> int:
    """Expected number of hashes until one meets the target. Source: Bitcoin Core, `GetBlockProof` in `chain.cpp`."""
    _check(target)
    return (1 << 256) // (target + 1)


def target_from_difficulty(difficulty: Fraction) -> int:
    """The target of an exact difficulty, rounded down; difficulties below 2**-32 share the easiest target there is."""
    if difficulty <= 0:
        raise ValueError(f"a difficulty is above zero: {difficulty}")
    return min(TARGET_MAX, DIFFICULTY_1_TARGET * difficulty.denominator // difficulty.numerator)


def difficulty_from_target(target: int) -> float:
    """How many times harder than difficulty 1 a target is; for people only."""
    _check(target)
    return DIFFICULTY_1_TARGET / target


@lru_cache(maxsize=_SHARE_TARGETS_CACHED)
def share_target(difficulty: float, nbits: int) -> int:
    """The target of a share whose job was announced with this difficulty, the exact double on the wire.

    Never harder than the network's target: a block must always be a share.
    """
    if not isfinite(difficulty):
        raise ValueError(f"a difficulty is a number: {difficulty}")
    return max(target_from_difficulty(Fraction(difficulty)), target_from_nbits(nbits))


@lru_cache(maxsize=_SHARE_TARGETS_CACHED)
def share_work(difficulty: float, nbits: int) -> int:
    """Expected hashes of such a share: what it is credited with."""
    return work_from_target(share_target(difficulty, nbits))


def _check(target: int) -> None:
    if not 0 < target <= TARGET_MAX:
        raise ValueError(f"a target is from 1 to 2**256 - 1: {target}")
