"""Moves to show: one of 320 machines on its way, one that waits, one that is done, and one that a notice opened."""

from __future__ import annotations

from msgspec.structs import replace

from pool.dashboard.moves import MoveDetail
from pool.fleet.draft import NOTICE, Draft, draft_machines, draft_report
from pool.fleet.move import Event, Move, Step
from pool.fleet.pace import Pace
from pool.fleet.report import MoveReport, machines, report
from pool.fleet.travel import Leg, Traveller
from pool.roles.clock import SystemClock
from tests.pool.fleet.moves import PLAN


def leg(number: int, now_ms: int, until_ms: int) -> Leg:
    """How far the machine of this number is: most have arrived, some are away, one in twenty stays for long."""
    asked_ms = now_ms - 1_400_000 + number * 5_000
    if asked_ms > until_ms:
        return Leg()
    if number == 7 or (number % 20 == 7 and until_ms == now_ms):
        return Leg(asked_ms, 1 if asked_ms > now_ms - 600_000 else 2, asked_ms + 300)
    gone_ms = asked_ms + 2_000
    arrived_ms = gone_ms + 15_000 + number * 37 % 90_000
    return Leg(asked_ms, 1, asked_ms + 300, gone_ms, arrived_ms if arrived_ms < until_ms else None)


RUNNING, PAUSED, CLOSED = "ganzi-out", "aba-out", "liangshan-out"
DRAFT = Draft("almaty-out", "almaty", "acme", "kz-*", 0, ())


class SampleMoves:
    """Moves of 320 machines: one on its way, one that waits, one that is done; and one that a notice opened."""

    def __init__(self) -> None:
        self._clock = SystemClock()

    async def every(self) -> tuple[MoveReport, ...]:
        return tuple([found.move for name in (DRAFT.name, CLOSED, RUNNING, PAUSED) if (found := await self.move(name))])

    async def move(self, name: str) -> MoveDetail | None:
        now_ms = self._clock.time_ms()
        if name == DRAFT.name:
            opened = Event("open 1", Step.OPEN, now_ms - 3_600_000, NOTICE, "closure of almaty: press")
            draft = replace(DRAFT, deadline_ms=now_ms + 86_400_000, events=(opened,))
            logins = [f"acme.kz-r{number // 16 + 1}-{number % 16 + 1}" for number in range(48)]
            return MoveDetail(draft_report(draft, "kazakhstan", logins), tuple(draft_machines(logins)))
        if name not in (RUNNING, PAUSED, CLOSED):
            return None
        since_ms = now_ms - 1_400_000
        plan = replace(PLAN, pace=Pace(16, 60_000), planned_on_ms=now_ms + 900_000, deadline_ms=now_ms + 7_200_000)
        plan = replace(plan, words="16 machines a minute, rack by rack")
        move = Move(name, plan, since_ms - 86_400_000).take(Event("start", Step.START, since_ms, "operator", "notice"))
        if name == PAUSED:
            move = move.take(Event("pause", Step.PAUSE, now_ms - 60_000, "operator", "the trucks wait"))
        if name == CLOSED:
            move = move.take(Event("close", Step.CLOSE, now_ms - 60_000, "operator", "one is lost"))
        until_ms = since_ms + 86_400_000 if name == CLOSED else now_ms
        fleet = [
            Traveller(f"acme.sc-r{number // 16 + 1}-{number % 16 + 1}", leg(number, now_ms, until_ms))
            for number in range(320)
        ]
        return MoveDetail(report(move, fleet, now_ms), tuple(machines(move, fleet, now_ms)))
