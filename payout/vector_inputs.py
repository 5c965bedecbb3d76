"""What goes into each operation of a vector, typed at the door."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, field

T = TypeVar("T")

Digits = Annotated[str, Meta(pattern=r"^[0-9]+$")]
Ratio = Annotated[str, Meta(pattern=r"^[0-9]+(/0*[1-9][0-9]*)?$")]
NBits = Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{8}$")]
Sat = Annotated[int, Meta(ge=0)]
Bps = Annotated[int, Meta(ge=0, le=10_000)]


def typed(given: Mapping[str, Any], kind: type[T]) -> T:
    """The input as its type. Raises ValueError naming the field that is wrong."""
    return msgspec.convert(given, kind)


class Targets(Struct):
    nbits: list[NBits]


class Difficulties(Struct):
    difficulty: list[Ratio]


class Pair(Struct):
    work: Digits
    net_work: Digits


class Pairs(Struct):
    pairs: list[Pair]


class SplitCase(Struct):
    total: Sat
    weights: dict[str, Digits]


class SplitCases(Struct):
    cases: list[SplitCase]


class WindowShare(Struct):
    seq: int
    account: str
    work: Digits
    net_work: Digits
    slice: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.account, self.slice or ""


class Window(Struct):
    """What every operation over a window has in common."""

    window_x: Ratio
    shares: list[WindowShare]
    fee_bps: dict[str, Bps] = field(default_factory=dict)
    default_fee_bps: Bps = 0

    @property
    def x(self) -> Fraction:
        return Fraction(self.window_x)

    def fee_of(self, account: str) -> int:
        return self.fee_bps.get(account, self.default_fee_bps)


class Pplns(Window, kw_only=True):
    variant: Literal["unit", "work"] = "unit"
    startup: Literal["distribute", "reserve"] = "distribute"
    finder_seq: int
    subsidy: Sat
    fees: Sat
    block_net_work: Digits | None = None


class Step(Struct):
    """A step of a contract: `bps` of a base to one party, or the rest shared among parties."""

    type: Literal["bps", "share"]
    of: str = "net"
    bps: Bps = 0
    to: str = ""
    parties: dict[str, Digits] = field(default_factory=dict)


class PplnsSplit(Pplns, kw_only=True):
    contracts: dict[str, list[Step]]


class PpsShare(Struct):
    account: str
    work: Digits
    net_work: Digits
    subsidy: Sat
    fee_bps: Bps


class Pps(Struct):
    shares: list[PpsShare]
    carry_psat: dict[str, Digits] = field(default_factory=dict)


class DayBlock(Struct):
    height: int
    fees: Sat
    subsidy: Sat


class FppsDay(Struct):
    base_gross_psat: dict[str, Digits]
    blocks: list[DayBlock]
    trim: int
    fee_bps: dict[str, Bps] = field(default_factory=dict)
    default_fee_bps: Bps = 0


class Solo(Struct):
    finder: str
    subsidy: Sat
    fees: Sat
    fee_bps: Bps


class ReserveRow(Struct):
    block_sat: Sat
    fee_bps: int
    delta: Ratio


class Reserve(Struct):
    rows: list[ReserveRow]


class OrphanBlock(Struct):
    hash: str
    finder_seq: int
    reward: Sat


class Orphan(Window, kw_only=True):
    blocks: list[OrphanBlock]
    events: list[Annotated[str, Meta(pattern=r"^(immature|mature|orphaned) \S+$")]]


class EnergyRow(Struct):
    kind: Literal["host", "statutory"]
    energy_wh: Sat
    rate_minor_per_kwh: Ratio
    sat_per_minor: Ratio


class Energy(Struct):
    rows: list[EnergyRow]


class ExpectedRow(Struct):
    hps: Digits
    seconds: int
    block_sat: Sat
    nbits: NBits


class Expected(Struct):
    rows: list[ExpectedRow]


class MachineBatch(Struct):
    machines: int
    nominal_ghs: Digits
    machines_online: int
    work: Digits
    seconds: int


class Commissioning(Struct):
    batches: list[MachineBatch]


class PoissonRow(Struct):
    expected_blocks: Ratio
    found: int


class Poisson(Struct):
    rows: list[PoissonRow]
    alpha: Ratio


class Cycle(Struct):
    """block, payout_id: what the events are called."""

    reward: Sat
    credits: dict[str, Sat]
    pool_fee: Sat
    payout: dict[str, Sat] = field(default_factory=dict)
    network_fee: Sat = 0
    block: str = "B1"
    payout_id: str = "1"


class PayoutCandidate(Struct):
    account: str
    available: int
    min_payout: int
    script: str
    script_type: str
    address_valid: bool
    address_hold_until: int
    state: str


class PayoutBatch(Struct):
    now: int
    max_outputs: int
    dust: dict[str, int]
    candidates: list[PayoutCandidate]
