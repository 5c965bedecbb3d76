"""A fleet to report on: what BIT Mining took to Kazakhstan in June 2021, as the vectors P21 and P22 have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from payout.contracts import parse_steps
from pool.bitcoin.target import target_from_nbits, work_from_target
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
from pool.fleet.move import Event, Move, Place, Plan, Step
from pool.fleet.pace import Pace
from pool.fleet.register import Entry, Register
from pool.fleet.times import parse_time
from pool.fleet.travel import Leg, Traveller
from pool.reports.facts import Epoch, Facts

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
LONG_AGO_MS = parse_time("2021-01-01T00:00+08:00")
OFF_MS = parse_time("2021-06-19T09:00+08:00")
ON_MS = parse_time("2021-06-27T00:00+06:00")
EPOCHS = (
    Epoch(parse_time("2021-06-01T00:00Z"), work_from_target(target_from_nbits(0x170E1EF9)), 625_000_000),
    Epoch(parse_time("2021-07-17T00:00Z"), work_from_target(target_from_nbits(0x17149624)), 625_000_000),
)
LOGINS = tuple(f"bit.sc-r{number // 40:02}-{number % 40:02}" for number in range(320))


def facts(**changes: Any) -> list[Fact]:
    """All that people entered. changes: fields of the batch."""
    since: dict[str, Any] = {"valid_from_ms": LONG_AGO_MS}
    batch: dict[str, Any] = {"name": "bit/main/one", "model": "S17", "machines": 320, "nominal_ghs": 18_200_000}
    return [
        Model(name="S17", nominal_ghs=56_875, nominal_w=3_250, **since),
        Site(name="ganzi", country="CN", time_zone="Asia/Shanghai", **since),
        Site(name="almaty", country="KZ", time_zone="Asia/Almaty", region="kz", **since),
        Capacity(site="ganzi", capacity_w=40_000_000, **since),
        Capacity(site="almaty", capacity_w=20_000_000, **since),
        Contract(name="ganzi-1", kind=ContractKind.HOSTING, steps=parse_steps("net 700 ganzi"), **since),
        Contract(
            name="kz-jv",
            kind=ContractKind.JOINT_VENTURE,
            steps=parse_steps("net 450 kz-operator; share @owner 8000 kz-partner 2000"),
            reserved_w=2_000_000,
            site="almaty",
            **since,
        ),
        Fleet(name="bit/main", **since),
        Batch(**(batch | since | changes)),
        Count(batch="bit/main/one", hashing=320, **since),
        Assignment(
            account="bit",
            pattern="sc-*",
            fleet="bit/main",
            site="ganzi",
            batch="bit/main/one",
            contract="ganzi-1",
            valid_from_ms=LONG_AGO_MS + HOUR_MS,
            valid_to_ms=OFF_MS,
        ),
        Assignment(
            account="bit",
            pattern="sc-*",
            fleet="bit/main",
            site="almaty",
            batch="bit/main/one",
            contract="kz-jv",
            valid_from_ms=OFF_MS,
        ),
        SiteEvent(
            site="ganzi",
            kind=EventKind.SUSPENSION,
            announced_ms=OFF_MS - DAY_MS,
            source="State Grid",
            valid_from_ms=OFF_MS,
        ),
    ]


OLD, NEW = 1, 2
"""The slices."""


def register(told: Sequence[Fact]) -> Register:
    made = Register()
    made.add([Entry(f"line {number}", fact) for number, fact in enumerate(told, 1)], LONG_AGO_MS)
    return made


def known(now_ms: int, told: Sequence[Fact] | None = None, **more: Any) -> Facts:
    """What a report is made of."""
    return Facts(register(facts() if told is None else told), now_ms, **({"epochs": EPOCHS} | more))


PLAN = Plan(
    account="bit",
    pattern="sc-*",
    origin=Place("ganzi", "sichuan", "sichuan.pool.example", 3333),
    target=Place("almaty", "kz", "kz.pool.example", 3333),
    pace=Pace(320, 60_000),
    deadline_ms=OFF_MS,
    planned_on_ms=ON_MS,
    tolerance_ms=HOUR_MS,
)


def move() -> Move:
    return Move("out", PLAN, OFF_MS - DAY_MS).take(Event("start", Step.START, OFF_MS - HOUR_MS, "a person"))


def travellers(arrived_ms: Mapping[str, int | None] | None = None) -> list[Traveller]:
    """All gone when the power went; arrived_ms: by login, else when they should."""
    arrived = {} if arrived_ms is None else arrived_ms
    return [
        Traveller(login, Leg(OFF_MS - HOUR_MS, 1, OFF_MS - HOUR_MS, OFF_MS, arrived.get(login, ON_MS)))
        for login in LOGINS
    ]
