"""What operators are told about payments, accounts and the reserve: the same on the command line and in the API."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from payout.invariants import TITLES, Finding
from payout.planning import Waiting
from payout.ports import Stop
from payout.reserve import Level, Standing


class PlannedLine(Struct, frozen=True):
    """An account that would be paid."""

    account: str
    address: str
    amount_sat: int


class PlanReport(Struct, frozen=True):
    """A dry run."""

    fee_rate_sat_kvb: int
    total_sat: int
    lines: tuple[PlannedLine, ...]
    waiting: tuple[Waiting, ...]


class Noted(Struct, frozen=True):
    """What was asked for, and what comes of it. txid: of the transaction that was drafted."""

    payout: int | None
    note: str
    txid: str | None = None
    fee_sat: int | None = None


class Exported(Struct, frozen=True):
    """A PSBT for the signer, in base64."""

    payout: int
    psbt: str


class Funded(Struct, frozen=True):
    """A booked ticket."""

    ticket: str
    amount_sat: int


class AddressReport(Struct, frozen=True):
    """An address of an account. valid_from: in UTC, for people."""

    address: str
    requested_ms: int
    valid_from_ms: int
    valid_from: str
    cancelled_ms: int | None


class ThresholdReport(Struct, frozen=True):
    """From how much on an account is paid, and who says so."""

    account: str
    threshold_sat: int
    note: str


class BrokenReport(Struct, frozen=True):
    """Something that is wrong with the books."""

    invariant: int
    title: str
    what: str
    mend: str


class StatusReport(Struct, frozen=True):
    """How payments stand. since_ms, reason: of the newest stop or resumption; 0 and empty if there was none. batches:
    how many are in each state."""

    is_stopped: bool
    since_ms: int
    reason: str
    batches: dict[str, int]
    broken: tuple[BrokenReport, ...]


class WaitingBlock(Struct, frozen=True):
    """A block that a person has to look at. why: `held` or `stray`."""

    hash: str
    why: str
    since_ms: int
    reason: str


class AuditReport(Struct, frozen=True):
    """What was read, which guards were made again, and what is wrong."""

    rows: int
    blocks: int
    put_back: tuple[str, ...]
    broken: tuple[BrokenReport, ...]


def told_of(findings: Iterable[Finding]) -> tuple[BrokenReport, ...]:
    """Findings for people."""
    return tuple(BrokenReport(each.invariant, TITLES[each.invariant], each.what, each.mend) for each in findings)


class PlanView(Struct, frozen=True):
    """A plan. state: past, in_force or planned. valid_from: in UTC, for people."""

    scheme: str
    fee_bps: int
    valid_from_ms: int
    valid_from: str
    requested_ms: int | None
    state: str


class AccountView(Struct, frozen=True):
    """An account. scheme, fee_bps: of the plan in force. paid_as: the scheme that new shares count under."""

    name: str
    created: str
    scheme: str
    fee_bps: int
    paid_as: str
    plans: tuple[PlanView, ...]
    immature_sat: int
    available_sat: int
    reserved_sat: int
    pps_psat: str


class AccountTerms(Struct, frozen=True):
    """How an account is paid: its plans, its addresses from the oldest on, and from how much on."""

    account: AccountView
    addresses: tuple[AddressReport, ...]
    threshold: ThresholdReport


class ReserveReport(Struct, frozen=True):
    """The reserve of pay per share, and when it was used up or went on. standing.level is said in `level`."""

    level: Level
    standing: Standing
    stops: tuple[Stop, ...]
