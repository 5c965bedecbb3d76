"""What the pool is told of the fleet that moves: accounts, sites, contracts, and whose workers are where."""

from __future__ import annotations

from typing import Any

from payout.contracts import parse_steps
from pool.fleet.checks import LEAD_MS
from pool.fleet.facts import Fact
from pool.fleet.kinds import (
    Assignment,
    Batch,
    Capacity,
    Contract,
    ContractKind,
    Count,
    EventKind,
    Fleet,
    Model,
    Site,
    SiteEvent,
)
from pool.fleet.register import Entry

OWNER, NEIGHBOUR = "bit", "neighbour"
ACCOUNTS = (OWNER, NEIGHBOUR, "ganzi", "kz-operator", "kz-partner")
SITES = {"sichuan": "ganzi", "kazakhstan": "ekibastuz"}
"""By region."""

RACK = 16
MODEL, GHS, WATTS = "S17", 56_000, 2_920
_SOON_MS = LEAD_MS + 2_000


def logins(machines: int) -> list[str]:
    """The fleet, by rack."""
    return [f"{OWNER}.sc-r{number // RACK + 1:02}-{number % RACK + 1:02}" for number in range(machines)]


def neighbours(machines: int) -> list[str]:
    """Some machines of another account, which stay where they are."""
    return [f"{NEIGHBOUR}.n-{number + 1:02}" for number in range(machines)]


def entries(machines: int, now_ms: int) -> list[Entry]:
    """All of it. The fleet's pattern stands for both sites: the region where a share comes in says at which it was."""
    since: dict[str, Any] = {"valid_from_ms": now_ms}
    soon: dict[str, Any] = {"valid_from_ms": now_ms + _SOON_MS, "account": OWNER, "fleet": f"{OWNER}/main"}
    batch = f"{OWNER}/main/one"
    facts: list[Fact] = [
        Model(name=MODEL, nominal_ghs=GHS, nominal_w=WATTS, **since),
        Site(name="ganzi", country="CN", time_zone="Asia/Shanghai", host="Ganzi hydro", region="sichuan", **since),
        Site(name="ekibastuz", country="KZ", time_zone="Asia/Almaty", region="kazakhstan", **since),
        *(Capacity(site=site, capacity_w=machines * WATTS, **since) for site in SITES.values()),
        Contract(name="ganzi-1", kind=ContractKind.HOSTING, steps=parse_steps("net 700 ganzi"), site="ganzi", **since),
        Contract(
            name="kz-jv",
            kind=ContractKind.JOINT_VENTURE,
            steps=parse_steps("net 450 kz-operator; share @owner 8000 kz-partner 2000"),
            site="ekibastuz",
            **since,
        ),
        Fleet(name=f"{OWNER}/main", **since),
        Batch(name=batch, model=MODEL, machines=machines, nominal_ghs=machines * GHS, **since),
        Count(batch=batch, hashing=machines, **since),
        Assignment(pattern="sc-*", site="ganzi", contract="ganzi-1", batch=batch, **soon),
        Assignment(pattern="sc-*", site="ekibastuz", contract="kz-jv", batch=batch, **soon),
    ]
    return [Entry(type(fact).__name__.lower(), fact) for fact in facts]


def assigned_ms(told: list[Entry]) -> int:
    """From when on shares have their slices."""
    return max(each.fact.valid_from_ms for each in told if isinstance(each.fact, Assignment))


def notice(now_ms: int, dark_ms: int) -> Entry:
    """Power ends."""
    event = SiteEvent(
        site="ganzi",
        kind=EventKind.SUSPENSION,
        announced_ms=now_ms,
        wording="power off, all machines",
        time_zone="Asia/Shanghai",
        source="State Grid Sichuan Ganzi",
        valid_from_ms=dark_ms,
    )
    return Entry("notice", event)
