"""Pay per share and its family: prices in picosatoshi, settled in whole satoshis, the rest carried.

A share is worth a few satoshis, so rounding each would lose or invent a third of it: it accrues in picosatoshi (psat,
10^-12 satoshi) outside the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from payout.rewards import BPS

PSAT = 10**12
"""Picosatoshis in a satoshi."""


class Price(Struct, frozen=True):
    """What a share is worth, before and after the fee."""

    gross_psat: int
    net_psat: int

    @property
    def fee_psat(self) -> int:
        return self.gross_psat - self.net_psat


class DayBlock(Struct, frozen=True):
    """A block of the network, for the fee rate of a day."""

    height: int
    fees_sat: int
    subsidy_sat: int
    block_hash: bytes = b""


class FeeRate(Struct, frozen=True):
    """Transaction fees against subsidy over the blocks of a day. heights: those that counted, by rising fees."""

    heights: tuple[int, ...]
    fees_sat: int
    subsidy_sat: int

    def bonus_psat(self, base_psat: int) -> int:
        """The expected fees on top of a PPS base, rounded down; 0 where there was no subsidy to compare with."""
        return base_psat * self.fees_sat // self.subsidy_sat if self.subsidy_sat else 0


def less_fee(gross_psat: int, fee_bps: int) -> int:
    """What is left after the fee, rounded down."""
    if not 0 <= fee_bps <= BPS:
        raise ValueError(f"a fee of {fee_bps} basis points is not between 0 and {BPS}")
    return gross_psat * (BPS - fee_bps) // BPS


def price(work: int, net_work: int, subsidy_sat: int, fee_bps: int) -> Price:
    """The price of a share, all of it frozen in its job.

    work, net_work: expected hashes of the share's target and of the job's nBits. subsidy_sat: of the job's height.
    A share never earns more than a block. Source: docs/payouts.md 1.7.
    """
    if work < 0 or net_work <= 0 or subsidy_sat < 0:
        raise ValueError(f"no price for work {work} of {net_work} at {subsidy_sat} satoshi")
    gross_psat = subsidy_sat * PSAT * min(work, net_work) // net_work
    return Price(gross_psat, less_fee(gross_psat, fee_bps))


TRIM = 3
"""How many of a day's blocks FPPS leaves out at each end (Foundry's published rule)."""


def fee_rate_of(blocks: Sequence[DayBlock]) -> FeeRate:
    """The rate of a day under the pool's rule; 0 for a day without blocks, or without subsidy."""
    if not any(block.subsidy_sat for block in blocks):
        return FeeRate((), 0, 0)
    return fee_rate(blocks, TRIM)


def settle(psat: int) -> tuple[int, int]:
    """Whole satoshis to post, and the picosatoshis to carry."""
    return divmod(psat, PSAT)


def fee_rate(blocks: Iterable[DayBlock], trim: int) -> FeeRate:
    """FPPS: the network's fee rate of a day without its `trim` highest and lowest blocks.

    Nothing is dropped unless blocks are left over. blocks: all of 00:00 to 24:00 UTC. Raises ValueError without any
    subsidy to compare with. Source: docs/payouts.md 1.7 (Foundry's published rule, trim 3).
    """
    if trim < 0:
        raise ValueError(f"{trim} blocks cannot be dropped at each end")
    ranked = sorted(blocks, key=lambda block: (block.fees_sat, block.height))
    used = ranked[trim : len(ranked) - trim] if len(ranked) > 2 * trim else ranked
    subsidy_sat = sum(block.subsidy_sat for block in used)
    if subsidy_sat <= 0:
        raise ValueError("the blocks of the day have no subsidy, so there is no fee rate")
    fees_sat = sum(block.fees_sat for block in used)
    return FeeRate(tuple(block.height for block in used), fees_sat, subsidy_sat)
