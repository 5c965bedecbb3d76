"""What a group of machines should have found, and what it has: whole numbers, added up as its shares come in.

A group is everything of one account, or of one firmware; further kinds (fleets) need nothing but a name here. Beside
the blocks it is counted how many hashes came within twice, four times, ... of the network's target T. Band 0 are the
hashes up to T: blocks. Band j are those above T * 2^(j-1) and up to T * 2^j, of which there should be 2^(j-1) times as
many as of blocks. The bands do not overlap, so each says something of its own. Source: docs/payouts.md 5.1.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import msgspec
from msgspec import Struct

from payout.ledger import LedgerError
from payout.rewards import UNIT
from pool.work.share import NEAR_MAX

BANDS = NEAR_MAX + 1
AGENT_CHARACTERS_MAX = 40
UNKNOWN, OTHER = "unknown", "other"


class Kind(enum.StrEnum):
    """What a group has in common."""

    ACCOUNT = "account"
    FIRMWARE = "firmware"


class Group(Struct, frozen=True, order=True):
    """Machines that are judged together."""

    kind: Kind
    name: str


class Tally(Struct, frozen=True):
    """By band. units: of the shares whose hashes can lie anywhere in the band; found: those of them that do."""

    units: tuple[int, ...] = (0,) * BANDS
    found: tuple[int, ...] = (0,) * BANDS

    def plus(self, other: Tally) -> Tally:
        """Both as one."""
        return Tally(_sums(self.units, other.units), _sums(self.found, other.found))

    @property
    def expected_blocks(self) -> Fraction:
        """L of docs/payouts.md 5.1."""
        return self.expected(0)

    @property
    def blocks(self) -> int:
        """How many were found."""
        return self.found[0]

    def expected(self, band: int) -> Fraction:
        """How many hashes should lie in a band."""
        return Fraction(self.units[band] << max(0, band - 1), UNIT)


def _sums(ones: tuple[int, ...], twos: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([one + two for one, two in zip(ones, twos, strict=True)])  # a list: a generator takes twice as long


NOTHING = Tally()


def tally_of(units: int, shares: int, nears: Sequence[int]) -> Tally:
    """Shares of the same worth. units: of each; nears: how many of them lie in each of BANDS.

    A band that reaches above the target of the shares says nothing of them: hashes up there are no shares.
    """
    reach = min(BANDS, (UNIT // units).bit_length()) if units else BANDS
    beyond = (0,) * (BANDS - reach)
    return Tally((units * shares,) * reach + beyond, tuple(nears[:reach]) + beyond)


def firmware_of(agent: str) -> str:
    """The name of a group by what the miner says it is."""
    return agent[:AGENT_CHARACTERS_MAX].strip() or UNKNOWN


def add_to(sums: dict[Group, Tally], groups: Iterable[Group], more: Tally) -> None:
    """Count shares in each of these groups."""
    for group in groups:
        sums[group] = sums.get(group, NOTHING).plus(more)


def pack(tally: Tally) -> bytes:
    """As it is stored."""
    units = [each.to_bytes((each.bit_length() + 7) // 8, "big") for each in tally.units]
    return msgspec.msgpack.encode([units, tally.found])


def unpack(blob: bytes) -> Tally:
    """The reverse of pack. Raises LedgerError on anything that it did not make."""
    try:
        units, found = _decoder.decode(blob)
    except msgspec.DecodeError as error:
        raise LedgerError(f"a stored tally of luck cannot be read: {error}") from error
    if len(units) != BANDS or len(found) != BANDS:
        raise LedgerError(f"a stored tally of luck has {len(units)} and {len(found)} bands instead of {BANDS}")
    return Tally(tuple(int.from_bytes(each, "big") for each in units), tuple(found))


_decoder = msgspec.msgpack.Decoder(tuple[list[bytes], list[int]])

Sums = Mapping[Group, Tally]
