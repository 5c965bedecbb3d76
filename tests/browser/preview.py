"""The dashboard over a farm of fakes, on a port of its own: `python -m tests.browser.preview PORT WORKERS`."""

from __future__ import annotations

import math
import sys
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace
from twisted.internet import reactor

from payout.explain.balance import BalanceExplained
from payout.explain.payment import PayoutExplained
from pool.dashboard.app import Access, dashboard_sites
from pool.dashboard.moves import MoveDetail
from pool.dashboard.overview import About
from pool.dashboard.role_rows import CoinbaseOutput, JobCoinbase
from pool.dashboard.rows import Reject
from pool.dashboard.views import Sources
from pool.explain.reject import RejectExplained
from pool.explain.words import CreditFigures
from pool.fleet.draft import NOTICE, Draft, draft_machines, draft_report
from pool.fleet.move import Event, Move, Step
from pool.fleet.pace import Pace
from pool.fleet.report import MoveReport, machines, report
from pool.fleet.travel import Leg, Traveller
from pool.reports.asked import Asked
from pool.reports.papers import Made
from pool.roles.clock import SystemClock
from pool.stats.history import COARSE_CELLS, FINE_CELLS, Cell, Rings
from tests.pool.dashboard.access.answers import ANSWERS
from tests.pool.dashboard.access.fakes import FakeCredentials, FakeOrders
from tests.pool.dashboard.browser import EVERY_PART
from tests.pool.dashboard.explained import BALANCE, CREDIT, PAYOUT, REJECT, FakeExplaining
from tests.pool.dashboard.fakes import NOW_MS, FakeFleets, FakeLive, books, farm, live_view
from tests.pool.fleet.moves import PLAN
from tests.pool.fleet.rows import register
from tests.pool.reports.test_relocation import story

PAYOUT_SAT = 631_204_517
Shown = TypeVar("Shown", bound=msgspec.Struct)


def coinbase(now_ms: int) -> JobCoinbase:
    outputs = (
        CoinbaseOutput(PAYOUT_SAT, 1.0, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "0014751e76e8", "pool"),
        CoinbaseOutput(0, 0.0, None, "6a24aa21a9ed" + "5c" * 32, "commitment"),
    )
    return JobCoinbase(now_ms - 9_000, 625_000_000, PAYOUT_SAT - 625_000_000, "Steppe", "02" * 90, "ff" * 100, outputs)


def rings(hps: float, now_s: int) -> Rings:
    """A day that begins with a slow night, and a step when a batch of machines moved."""

    def cell(start_s: int, step_seconds: int) -> Cell:
        level = 0.72 if start_s < now_s - 9 * 86_400 else 1.0
        noise = 1 + 0.2 * math.sin(start_s * 12.9898) * step_seconds**-0.5 + 0.02 * math.sin(start_s / 13_000)
        work, shares = int(hps * step_seconds * level * noise), step_seconds // 6
        return Cell(start_s, work, work**2 / shares, shares, shares // 60)

    now = now_s // 60 * 60
    fine = tuple(cell(now - 60 * n, 60) for n in range(FINE_CELLS, 0, -1))
    coarse = tuple(cell(now // 1800 * 1800 - 1800 * n, 1800) for n in range(COARSE_CELLS - 1, -1, -1))
    return Rings(fine, coarse, now)


def leg(number: int, now_ms: int) -> Leg:
    """How far the machine of this number is: most have arrived, some are away, one in twenty stays."""
    asked_ms = now_ms - 1_400_000 + number * 5_000
    if asked_ms > now_ms:
        return Leg()
    if number % 20 == 7:
        return Leg(asked_ms, 1 if asked_ms > now_ms - 600_000 else 2, asked_ms + 300)
    gone_ms = asked_ms + 2_000
    arrived_ms = gone_ms + 15_000 + number * 37 % 90_000
    return Leg(asked_ms, 1, asked_ms + 300, gone_ms, arrived_ms if arrived_ms < now_ms else None)


DRAFT = Draft("almaty-out", "almaty", "acme", "kz-*", 0, ())


class SampleMoves:
    """One move of 320 machines, on its way, and one that a notice opened."""

    def __init__(self) -> None:
        self._clock = SystemClock()

    async def every(self) -> tuple[MoveReport, ...]:
        return tuple([(await self.move(name)).move for name in (DRAFT.name, "ganzi-out")])

    async def move(self, name: str) -> MoveDetail:
        now_ms = self._clock.time_ms()
        if name == DRAFT.name:
            opened = Event("open 1", Step.OPEN, now_ms - 3_600_000, NOTICE, "closure of almaty: press")
            draft = replace(DRAFT, deadline_ms=now_ms + 86_400_000, events=(opened,))
            logins = [f"acme.kz-r{number // 16 + 1}-{number % 16 + 1}" for number in range(48)]
            return MoveDetail(draft_report(draft, "kazakhstan", logins), tuple(draft_machines(logins)))
        since_ms = now_ms - 1_400_000
        plan = replace(PLAN, pace=Pace(16, 60_000), planned_on_ms=now_ms + 900_000, deadline_ms=now_ms + 7_200_000)
        plan = replace(plan, words="16 machines a minute, rack by rack")
        move = Move(name, plan, since_ms - 86_400_000).take(Event("start", Step.START, since_ms, "operator", "notice"))
        fleet = [
            Traveller(f"acme.sc-r{number // 16 + 1}-{number % 16 + 1}", leg(number, now_ms)) for number in range(320)
        ]
        return MoveDetail(report(move, fleet, now_ms), tuple(machines(move, fleet, now_ms)))


class SampleReporting:
    """The move of the 320 machines to Kazakhstan, whatever is asked for."""

    async def make(self, _asked: Asked) -> Made:
        return story()


class SampleExplaining(FakeExplaining):
    """The same explanations, whatever is asked for."""

    async def credit(self, _credit_id: str) -> CreditFigures:
        return CREDIT

    async def payout(self, _number: int, _account: str | None) -> PayoutExplained:
        return PAYOUT

    async def balance(self, _account: str) -> BalanceExplained:
        return BALANCE

    async def share(self, _share_id: str) -> RejectExplained:
        return REJECT


def main(port: int, workers: int) -> None:
    clock = SystemClock()
    now_ms = clock.time_ms()
    view = live_view(farm(workers))
    view = shifted(msgspec.structs.replace(view, coinbase=coinbase(NOW_MS)), now_ms - NOW_MS)
    live = FakeLive(view, rings=rings(view.pool.hashrate.day.hps or 1e15, now_ms // 1000))
    live.refused = {
        view.workers[1].login: tuple(
            Reject(
                now_ms - 40_000 * n, "stale", "Job not found: a block came before it", f"17a6d3f8c{n:02x}", 31_000 + n
            )
            for n in range(1, 13)
        )
    }
    about = About("Steppe", "0.1.0", "main", 3333)
    credentials = FakeCredentials(clock)
    credentials.operator("operator", "in the preview")
    access = Access(credentials, FakeOrders(answers=ANSWERS), EVERY_PART)
    kept = books()
    kept.details = [shifted(each, now_ms - NOW_MS) for each in kept.details]
    fleets = FakeFleets(register())
    sources = Sources(live, kept, fleets, SampleMoves(), SampleReporting(), explaining=SampleExplaining())
    sites = dashboard_sites(sources, access, clock, reactor, about)
    running: Any = reactor
    running.listenTCP(port, sites.public, interface="127.0.0.1")
    running.listenTCP(port + 1, sites.admin, interface="127.0.0.1")
    running.run()


def shifted(view: Shown, by_ms: int) -> Shown:
    """The same moments, as if it were now."""

    def walk(value: object, name: str = "") -> object:
        if isinstance(value, msgspec.Struct):
            changed = {field: walk(getattr(value, field), field) for field in value.__struct_fields__}
            return msgspec.structs.replace(value, **changed)
        if isinstance(value, tuple):
            return tuple(walk(each) for each in value)
        return value + by_ms if name.endswith("_ms") and isinstance(value, int) else value

    moved = walk(view)
    assert isinstance(moved, type(view))
    return moved


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
