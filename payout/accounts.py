"""Who is paid, by which rule, at which time."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence

from msgspec import Struct

from payout.rewards import BPS

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class AccountRefused(ValueError):
    """An account, a plan or an address that cannot be taken. The text says why, for the person who asked."""


class AddressRefused(AccountRefused):
    """What was given is no address that can be paid on this chain."""


class Scheme(enum.StrEnum):
    """How an account's shares are paid."""

    PPLNS = "pplns"
    PPS = "pps"
    FPPS = "fpps"
    PPS_PLUS = "pps_plus"
    SOLO = "solo"


PER_SHARE = frozenset({Scheme.PPS, Scheme.FPPS, Scheme.PPS_PLUS})
"""The schemes under which the reserve buys each share when it is accepted."""


class Plan(Struct, frozen=True):
    """A scheme and its fee, from a time on. fee_bps: basis points. requested_ms: when that was asked for; None if the
    account began with it."""

    scheme: Scheme
    fee_bps: int
    valid_from_ms: int
    requested_ms: int | None = None


class PayoutAddress(Struct, frozen=True):
    """Where an account is paid. script: what the address means on the pool's chain."""

    address: str
    script: bytes


class Account(Struct, frozen=True):
    """A name with its plans, oldest first, at least one."""

    id: int
    name: str
    created_ms: int
    plans: tuple[Plan, ...]


class Stake(Struct, frozen=True, order=True):
    """What a share counts for: an account, its assignment (0: none), and the plan of the moment it was accepted.

    This is the *slice* of docs/payouts.md 1.5: another fee is another stake. The order breaks ties.
    """

    account: str
    slice_id: int
    scheme: Scheme
    fee_bps: int


def plan_at(plans: Sequence[Plan], time_ms: int) -> Plan:
    """The plan in force at a time; before the first one, the first: a late share may be older than its account."""
    for plan in reversed(plans):
        if plan.valid_from_ms <= time_ms:
            return plan
    return plans[0]


def is_name(name: str) -> bool:
    """Whether an account can have this name. A payout address fits."""
    return _NAME.fullmatch(name) is not None


def check_name(name: str) -> str:
    """The name, or AccountRefused."""
    if not is_name(name):
        raise AccountRefused(f"account name {name!r}: 1 to 64 of letters, digits, _ and - are allowed")
    return name


def check_plan(plan: Plan) -> Plan:
    """The plan, or AccountRefused."""
    if not 0 <= plan.fee_bps <= BPS:
        raise AccountRefused(f"a fee of {plan.fee_bps} basis points: 0 to {BPS}, which is all of it, is allowed")
    return plan
