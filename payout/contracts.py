"""Who shares in the reward of a slice: contract steps, and charges for energy."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from fractions import Fraction

from msgspec import Struct

from payout.apportion import largest_remainder
from payout.rewards import BPS

_WATT_HOURS_PER_KWH = 1000


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
