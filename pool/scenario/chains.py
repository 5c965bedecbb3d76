"""The private chains that a move is played on, and how machines mine on each, so that there is something to see."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from pool.node.private import PrivateChain


class Limits(Struct, frozen=True):
    """Of a play where each share is a block. shares: after so many the subsidy is too small to divide;
    arrivals_per_second: more find most of their blocks at one height."""

    shares: int
    arrivals_per_second: float


class Chain(Struct, frozen=True):
    """A chain and its figures.

    difficulty: of the shares that machines send, whatever easier ones the pool would take. shares_per_second: of all
    machines together, at least; share_seconds_max: the mean time between two shares of one. first_seconds: the mean
    time to the first share at another endpoint, and to another one after one that was refused; None: as to any share.
    pplns_window: as in the configuration. limits: where each share is a block. blocks_after: of nobody, that follow the
    last share.
    """

    name: PrivateChain
    difficulty: float
    shares_per_second: float
    share_seconds_max: float
    first_seconds: float | None
    pplns_window: str
    limits: Limits | None
    blocks_after: int

    def share_seconds(self, machines: int) -> float:
        """The mean time between two shares of a machine."""
        return min(self.share_seconds_max, machines / self.shares_per_second)


# A block has difficulty 0.0011: one share in 560 is a block, and a share takes 8,600 hashes, a thousandth of a second
# of one core.
SIGNET: Final = Chain(
    name="signet",
    difficulty=2e-6,
    shares_per_second=80.0,
    share_seconds_max=4.0,
    first_seconds=None,
    pplns_window="8",
    limits=None,
    blocks_after=0,
)

# Every second hash would be a block, so each share is one. There are so few of them that most reach both regions before
# the next, and the subsidy, which halves every 150 blocks, lasts; whoever arrives need not wait a minute for its first.
# A window of 250 blocks is one of 250 shares. The last block is mature under a hundred others.
REGTEST: Final = Chain(
    name="regtest",
    difficulty=2e-6,
    shares_per_second=4.0,
    share_seconds_max=math.inf,
    first_seconds=3.0,
    pplns_window="250",
    limits=Limits(shares=2_200, arrivals_per_second=8.0),
    blocks_after=100,
)

CHAINS: Final[Mapping[str, Chain]] = {each.name: each for each in (REGTEST, SIGNET)}
