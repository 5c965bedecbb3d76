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


class Scheme(enum.StrEnum):
    """How an account's shares are paid."""

    PPLNS = "pplns"
    PPS = "pps"
    FPPS = "fpps"
    PPS_PLUS = "pps_plus"
    SOLO = "solo"


OFFERED = frozenset({Scheme.PPLNS, Scheme.PPS})
"""The schemes that accounting books. The others exist as rules in `payout.rewards` and `payout.pps` only."""


class Plan(Struct, frozen=True):
    """A scheme and its fee, from a time on. fee_bps: basis points."""

    scheme: Scheme
    fee_bps: int
    valid_from_ms: int


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


def check_name(name: str) -> str:
    """The name, or AccountRefused. A payout address fits."""
    if not _NAME.fullmatch(name):
        raise AccountRefused(f"account name {name!r}: 1 to 64 of letters, digits, _ and - are allowed")
    return name


def check_plan(plan: Plan) -> Plan:
    """The plan, or AccountRefused."""
    if plan.scheme not in OFFERED:
        offered = ", ".join(sorted(scheme.value for scheme in OFFERED))
        raise AccountRefused(f"scheme {plan.scheme.value} is not offered by this pool; offered: {offered}")
    if not 0 <= plan.fee_bps <= BPS:
        raise AccountRefused(f"a fee of {plan.fee_bps} basis points: 0 to {BPS} is allowed")
    return plan
