"""A move to test with: twelve machines in three racks, one each three seconds."""

from __future__ import annotations

from msgspec.structs import replace

from pool.fleet.move import Event, Move, Place, Plan, Step
from pool.fleet.pace import Pace
from pool.fleet.travel import Traveller

START_MS = 1_000_000
DEADLINE_MS = START_MS + 3_600_000

PLAN = Plan(
    account="acme",
    pattern="sc-*",
    origin=Place("ganzi", "sichuan", "sichuan.pool.example", 3333),
    target=Place("ekibastuz", "kazakhstan", "kazakhstan.pool.example", 3333),
    pace=Pace(1, 3000),
    deadline_ms=DEADLINE_MS,
    planned_on_ms=DEADLINE_MS,
    tolerance_ms=600_000,
)

LOGINS = [f"acme.sc-r{rack}-{number}" for rack in (1, 2, 10) for number in range(1, 5)]


def event(step: Step, time_ms: int, key: str | None = None) -> Event:
    return Event(key or f"{step.value}@{time_ms}", step, time_ms, "a person")


def planned(**changes: object) -> Move:
    return Move("out", replace(PLAN, **changes), START_MS - 1000)


def running() -> Move:
    return planned().take(event(Step.START, START_MS))


def fleet() -> list[Traveller]:
    return [Traveller(login) for login in LOGINS]
