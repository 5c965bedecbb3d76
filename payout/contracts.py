"""Who shares in the reward of a slice: contract steps, and charges for energy."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction

from msgspec import Struct

from payout.accounts import check_name
from payout.apportion import largest_remainder
from payout.rewards import BPS

_WATT_HOURS_PER_KWH = 1000

OWNER = "@owner"
"""The party that stands for the account whose slice it is, so that several accounts may have one contract."""

_TAX = re.compile(r"tax:[A-Z]{2}")
_WEIGHT_MAX = 10**12


class Base(enum.Enum):
    """What the basis points of a step are of."""

    NET = "net"
    LEFT = "left"


class Cut(Struct, frozen=True):
    """A step that takes basis points for one party, rounded down."""

    party: str
    bps: int
    base: Base


class Shareout(Struct, frozen=True):
    """The last step: all that is left by weight. The largest remainder loses nothing."""

    weights: Mapping[str, int]


class Contract(Struct, frozen=True):
    """The steps by which the net reward of a slice is divided."""

    cuts: Sequence[Cut]
    shareout: Shareout


class Charge(enum.Enum):
    """Which way a charge per kWh rounds: in favour of the owner, or of the state."""

    HOST = "host"
    STATUTORY = "statutory"


def divide(net_sat: int, contract: Contract) -> dict[str, int]:
    """What each party has of a slice's net reward; the parts sum to it.

    Raises ValueError if the cuts take more than there is. Source: docs/payouts.md 4.4.
    """
    parts: dict[str, int] = {}
    left_sat = net_sat
    for cut in contract.cuts:
        if cut.bps < 0:
            raise ValueError(f"{cut.party} cannot take {cut.bps} basis points")
        cut_sat = (net_sat if cut.base is Base.NET else left_sat) * cut.bps // BPS
        if cut_sat > left_sat:
            raise ValueError(f"the contract's steps take more than the {net_sat} satoshi that there are")
        left_sat -= cut_sat
        parts[cut.party] = parts.get(cut.party, 0) + cut_sat
    for party, part_sat in largest_remainder(left_sat, contract.shareout.weights).items():
        parts[party] = parts.get(party, 0) + part_sat
    return parts


def between(contract: Contract, owner: str) -> Contract:
    """The contract of a slice of one account."""
    cuts = tuple(Cut(owner if cut.party == OWNER else cut.party, cut.bps, cut.base) for cut in contract.cuts)
    weights: dict[str, int] = {}
    for party, weight in contract.shareout.weights.items():
        name = owner if party == OWNER else party
        weights[name] = weights.get(name, 0) + weight
    return Contract(cuts, Shareout(weights))


def parties(contract: Contract) -> set[str]:
    """The accounts that a contract names."""
    named = {*(cut.party for cut in contract.cuts), *contract.shareout.weights}
    return {party for party in named if party != OWNER and not _TAX.fullmatch(party)}


def parse_steps(text: str) -> Contract:
    """The steps of a contract as people write them: `net 500 host; left 100 tax:KZ; share @owner 80 partner 20`.

    A cut is basis points, of the net or of what is left, and who takes them: an account, @owner, or tax:COUNTRY. The
    last step shares all that is left by weight; without it the owner has that. Raises ValueError.
    """
    cuts: list[Cut] = []
    weights: dict[str, int] = {}
    for step in filter(None, (each.split() for each in text.split(";"))):
        if weights:
            raise ValueError(f"step {' '.join(step)!r} comes after the share, which must be the last")
        match step:
            case ["net" | "left" as base, bps, party]:
                cuts.append(Cut(party, _number(bps), Base(base)))
            case ["share", *rest] if rest and len(rest) % 2 == 0:
                weights = dict(zip(rest[::2], map(_number, rest[1::2]), strict=True))
                if len(weights) * 2 < len(rest):
                    raise ValueError(f"step {' '.join(step)!r} names a party twice: add its weights up")
            case _:
                raise ValueError(
                    f"step {' '.join(step)!r}: write `net BPS PARTY`, `left BPS PARTY` or `share PARTY WEIGHT ...`"
                )
    return check_steps(Contract(tuple(cuts), Shareout(weights or {OWNER: 1})))


def steps_text(contract: Contract) -> str:
    """A contract in the words of `parse_steps`."""
    cuts = [f"{cut.base.value} {cut.bps} {cut.party}" for cut in contract.cuts]
    shared = " ".join(f"{party} {weight}" for party, weight in sorted(contract.shareout.weights.items()))
    return "; ".join([*cuts, f"share {shared}"])


def check_steps(contract: Contract) -> Contract:
    """The contract, or ValueError if there is a reward of which it takes more than there is, or of which it leaves a
    part to nobody."""
    left = Fraction(1)
    for cut in contract.cuts:
        _check_party(cut.party)
        if not 0 <= cut.bps <= BPS:
            raise ValueError(f"{cut.party} cannot take {cut.bps} basis points: 0 to {BPS} is allowed")
        left -= (1 if cut.base is Base.NET else left) * Fraction(cut.bps, BPS)
        if left < 0:
            raise ValueError(
                f"the steps take more than there is, from the one of {cut.party} on: lower its basis points"
            )
    for party, weight in contract.shareout.weights.items():
        _check_party(party)
        if not 0 <= weight <= _WEIGHT_MAX:
            raise ValueError(f"{party} cannot have the weight {weight}: 0 to {_WEIGHT_MAX} is allowed")
    if not sum(contract.shareout.weights.values()):
        raise ValueError("the share leaves what is left to nobody: give a party a weight above 0")
    return contract


def _check_party(party: str) -> None:
    if party != OWNER and not _TAX.fullmatch(party):
        check_name(party)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise ValueError(f"{text!r} is no whole number")
    return int(text)


def energy_charge_sat(kind: Charge, energy_wh: int, rate_minor_per_kwh: Fraction, sat_per_minor: Fraction) -> int:
    """The charge for a meter's period.

    The rate is in minor units of a currency (cents, tiyn); a host's fee rounds down, a statutory levy up.
    Source: docs/payouts.md 4.4 and 4.5.
    """
    if energy_wh < 0 or rate_minor_per_kwh < 0 or sat_per_minor < 0:
        raise ValueError("neither energy nor rates may be negative")
    exact = energy_wh * rate_minor_per_kwh * sat_per_minor
    numerator, denominator = exact.numerator, exact.denominator * _WATT_HOURS_PER_KWH
    return numerator // denominator if kind is Charge.HOST else -(-numerator // denominator)
