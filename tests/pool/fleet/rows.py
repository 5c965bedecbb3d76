"""Facts for tests: a fleet of BIT Mining's, at a site in Kazakhstan."""

from __future__ import annotations

from typing import Any

from payout.contracts import parse_steps
from pool.fleet.facts import Fact
from pool.fleet.kinds import (
    Assignment,
    Batch,
    Capacity,
    Contract,
    ContractKind,
    Count,
    Fleet,
    Model,
    Site,
)
from pool.fleet.register import Entry, Register

NOW_MS = 1_624_000_000_000  # 18 June 2021
HOUR_MS = 3_600_000
ACCOUNTS = frozenset({"bit", "host", "partner", "other"})


def facts(**changes: Any) -> list[Fact]:
    """A fleet that is good: changes are of the assignment."""
    since: dict[str, Any] = {"valid_from_ms": NOW_MS}
    assigned: dict[str, Any] = {
        "account": "bit",
        "pattern": "kz-*",
        "fleet": "bit/kz",
        "site": "almaty",
        "batch": "bit/kz/one",
        "contract": "hosting-1",
        "valid_from_ms": NOW_MS + HOUR_MS,
    }
    return [
        Model(name="S17", nominal_ghs=56_875, nominal_w=3_250, **since),
        Site(name="almaty", country="KZ", time_zone="Asia/Almaty", host="Host LLP", **since),
        Capacity(site="almaty", capacity_w=20_000_000, **since),
        Contract(name="hosting-1", kind=ContractKind.HOSTING, steps=parse_steps("net 500 host"), **since),
        Fleet(name="bit/kz", **since),
        Batch(name="bit/kz/one", model="S17", machines=320, nominal_ghs=18_200_000, **since),
        Count(batch="bit/kz/one", hashing=320, **since),
        Assignment(**(assigned | changes)),
    ]


def entries(told: list[Fact]) -> list[Entry]:
    """As a person enters them, one a line."""
    return [Entry(f"line {number}", fact) for number, fact in enumerate(told, 1)]


def register(**changes: Any) -> Register:
    """A register that has them."""
    made = Register()
    made.add(entries(facts(**changes)), NOW_MS)
    return made
