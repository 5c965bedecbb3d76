"""Who is where, and when: the night of the waves at the old site, and the days of arriving at the new ones."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from pool.fleet.move import Event, Move, Place, Step
from pool.fleet.pace import MINUTE_MS
from pool.fleet.planning import Wish, plan_move
from pool.fleet.racks import RACK_RULE
from pool.fleet.travel import Seen, Traveller, next_orders, observe
from pool.scenario.bit_mining.case import BEGINS_MS, DARK_MS, DARK_WORDS, DAY_MS, LOTS, OWNER, Case, Lot
from pool.scenario.bit_mining.case import Place as Site

RACK_MACHINES = 40
PACE = "10%/15min"
STARTS_MS = DARK_MS - 180 * MINUTE_MS
PLANNED_MS = DARK_MS - 18 * 60 * MINUTE_MS
TOLERANCE_MS = DAY_MS
CLOSED_AFTER_MS = 7 * DAY_MS
PORT = 3333
ACTOR = "fleet desk"

_TICK_MS = 5 * MINUTE_MS
_STAYS_PERCENT = 3  # firmware that follows no redirect: these hash until the power goes


class Stay(Struct, frozen=True):
    """A machine hashes at a site from a time to another. worker: its name without the account."""

    worker: str
    lot: Lot
    site: Site
    on_ms: int
    off_ms: int


class Leaving(Struct, frozen=True):
    """A move and its machines, as they are once the old site is dark."""

    lot: Lot
    move: Move
    travellers: tuple[Traveller, ...]

    def arrive(self, first_ms: Mapping[str, int]) -> Leaving:
        """With who has arrived. first_ms: by login, its first share at the new site."""
        arrived = tuple(
            each
            if (at_ms := first_ms.get(each.login)) is None
            else replace(each, out=replace(each.out, arrived_ms=at_ms))
            for each in self.travellers
        )
        missing = sum(each.out.arrived_ms is None for each in arrived)
        reason = f"{missing} of {len(arrived)} were damaged on the way" if missing else "all are there"
        closed_ms = self.move.plan.planned_on_ms + CLOSED_AFTER_MS
        closed = Event(f"{self.move.name}-close", Step.CLOSE, closed_ms, ACTOR, reason)
        return Leaving(self.lot, self.move.take(closed), arrived)


def workers(lot: Lot, scale: int) -> list[str]:
    """The machines of a batch, by rack."""
    count = max(1, lot.machines // scale)
    return [f"{lot.key}-r{at // RACK_MACHINES + 1:03d}-{at % RACK_MACHINES + 1:02d}" for at in range(count)]


def leave(case: Case) -> list[Leaving]:
    """The night in which each batch is told to go, wave by wave, by the rules of the pool."""
    choose = random.Random(f"{case.seed} leaving")  # noqa: S311 - chance that can be had again
    return [_leave(lot, case, choose) for lot in LOTS if lot.stood is not None]


def _leave(lot: Lot, case: Case, choose: random.Random) -> Leaving:
    stood = lot.stood or lot.goes
    wish = Wish(
        name=f"{stood.name}-{lot.key}",
        account=OWNER,
        pattern=lot.pattern,
        origin=_end(stood),
        target=_end(lot.goes),
        pace=PACE,
        deadline_ms=DARK_MS,
        planned_on_ms=lot.on_ms,
        tolerance_ms=TOLERANCE_MS,
        start_ms=STARTS_MS,
        wait_seconds=0,
        grace_seconds=10,
        rack_rule=RACK_RULE,
        words=DARK_WORDS,
    )
    logins = [f"{OWNER}.{worker}" for worker in workers(lot, case.scale)]
    plan, ordered = plan_move(wish, logins, {}, PLANNED_MS)
    started = Event(f"{wish.name}-start", Step.START, STARTS_MS, ACTOR, "as planned")
    move = Move(wish.name, plan, PLANNED_MS).take(started)
    stays = {login for login in ordered if choose.randrange(100) < _STAYS_PERCENT}
    travellers = {login: Traveller(login) for login in ordered}
    here, told_ms = set(ordered), dict[str, int]()
    for now_ms in range(STARTS_MS, DARK_MS, _TICK_MS):
        for each in next_orders(move, travellers.values(), now_ms):
            travellers[each.login] = each
            told_ms.setdefault(each.login, now_ms + 1_000)
        seen = Seen(here=here - (told_ms.keys() - stays), told_ms=told_ms)
        travellers = _observed(move, travellers.values(), seen, now_ms + 11_000)
    return Leaving(lot, move, tuple(_observed(move, travellers.values(), Seen(told_ms=told_ms), DARK_MS).values()))


def _observed(move: Move, travellers: Iterable[Traveller], seen: Seen, now_ms: int) -> dict[str, Traveller]:
    return {each.login: observe(move, each, seen, now_ms) for each in travellers}


def _end(site: Site) -> Place:
    return Place(site.name, site.region, site.endpoint, PORT)


def stays(case: Case, leaving: Sequence[Leaving]) -> Iterator[Stay]:
    """Where each machine hashes and when: at the old site until it went, and at the new one from when it is set up."""
    choose = random.Random(f"{case.seed} arriving")  # noqa: S311 - chance that can be had again
    gone_ms = {each.login: each.out.gone_ms for move in leaving for each in move.travellers}
    for lot in LOTS:
        names = workers(lot, case.scale)
        for place, worker in enumerate(names):
            if lot.stood is not None:
                yield Stay(worker, lot, lot.stood, BEGINS_MS, gone_ms[f"{OWNER}.{worker}"] or DARK_MS)
            on_ms = lot.on_ms + lot.ramp_ms * place // len(names)
            fate = choose.randrange(1000)
            if fate < case.broken_permille:
                continue
            if fate < case.broken_permille + 10 * case.late_percent:
                on_ms += choose.randrange(DAY_MS, 5 * DAY_MS)
            if on_ms < case.ends_ms:
                yield Stay(worker, lot, lot.goes, on_ms, case.ends_ms)
