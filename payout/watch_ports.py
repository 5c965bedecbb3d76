"""What the watch, and those who follow blocks, need of the books beside the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from payout.luck import Group, Tally
from payout.withholding import Test


class Hold(Struct, frozen=True):
    """A person has to look at what a block pays, or has. time_ms: since when; reason: why."""

    block_hash: bytes
    time_ms: int
    is_held: bool
    reason: str


class Stray(Struct, frozen=True):
    """A block in the chain that pays the pool and that is not in the books. block_hash: wire order."""

    block_hash: bytes
    height: int
    seen_ms: int
    paid_sat: int

    @property
    def hash_hex(self) -> str:
        return self.block_hash[::-1].hex()


class Strays(Protocol):
    """Blocks that pay the pool and that it does not know."""

    def open(self) -> Sequence[Stray]:
        """Those that nobody has looked at, and that are still not in the books, by height."""

    def add(self, stray: Stray) -> bool:
        """Keep one; False if it was kept before."""

    def end(self, block_hash: bytes, time_ms: int, reason: str) -> bool:
        """Nobody needs to hear of it any more; False if it is not open."""

    def scanned(self) -> tuple[int, int]:
        """The heights from which and up to which the chain was looked through; 0 before the first time."""

    def scan(self, began: int, height: int) -> None:
        """It was looked through from there up to here."""


class LuckBooks(Protocol):
    """What groups of machines found, and how they were judged."""

    def add(self, sums: Mapping[Group, Tally]) -> None:
        """Count further shares."""

    def tallies(self) -> Mapping[Group, Tally]:
        """All groups."""

    def tested(self) -> Mapping[Group, int]:
        """The newest checkpoint of each group that was tested."""

    def keep(self, test: Test, time_ms: int) -> None:
        """A group was tested."""


class GuardsSeen(Protocol):
    """missing: triggers that are gone or say something else. token: another one if anything was done to them."""

    @property
    def missing(self) -> tuple[str, ...]: ...
    @property
    def token(self) -> str: ...


class Guards(Protocol):
    """What refuses to change what is written once."""

    def look(self) -> GuardsSeen:
        """How it stands."""
