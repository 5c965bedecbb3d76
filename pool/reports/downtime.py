"""Machines in the dark: when, why, and what it cost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from fractions import Fraction

from msgspec import Struct

from pool.fleet.kinds import Assignment
from pool.fleet.move import Move
from pool.fleet.patterns import fits, literal
from pool.fleet.racks import RACK_RULE, rack_of
from pool.fleet.travel import Status, Traveller, is_late, status
from pool.reports.cost import Missing, cost_sat
from pool.reports.facts import Dark, Facts, Fleets, Span, each_ghs, united
from pool.reports.windows import Cause, causes, windows


class Journey(Struct, frozen=True):
    """A move with its machines."""

    move: Move
    travellers: Sequence[Traveller]


class Lost(Struct, frozen=True):
    """What darkness of a cause cost. machine_seconds: of all machines together. cost_sat: at their nominal rate."""

    cause: str
    machines: int
    machine_seconds: int
    cost_sat: int


class MachineDown(Struct, frozen=True):
    """A machine. dark_seconds: while it was away or sent nothing. cost_sat: at its nominal rate; by cause in `causes`,
    as cause, seconds and satoshi. status: of its move; empty without one."""

    login: str
    rack: str
    status: str
    dark_seconds: int
    cost_sat: int
    causes: tuple[tuple[str, int, int], ...]


class Down(Struct, frozen=True):
    """A part of a machine's darkness, of one cause. ghs: its nominal rate, 0 if no batch says it."""

    login: str
    ghs: Fraction
    cause: Cause
    span: Span


def aways(journey: Journey, darks: Iterable[Dark], now_ms: int) -> dict[str, Span]:
    """By login, when each machine was on its way: from its last share, or since it was seen to be away, or from the
    deadline on, until its first share at the other end."""
    move = journey.move
    if move.started_ms is None:
        return {}
    by_login: dict[str, list[Dark]] = {}
    for dark in darks:
        by_login.setdefault(dark.login, []).append(dark)
    found = {}
    for each in journey.travellers:
        leg = each.leg(move.is_back)
        end_ms = now_ms if leg.arrived_ms is None else leg.arrived_ms
        own = [dark.since_ms for dark in by_login.get(each.login, ()) if _reaches(dark, move.started_ms, end_ms)]
        gone_ms = max(min(own), move.started_ms) if own else leg.gone_ms
        if gone_ms is None and status(move, each, now_ms) in (Status.TOLD, Status.STRAGGLER, Status.STAYED):
            continue  # it is there
        from_ms = move.plan.deadline_ms if gone_ms is None else gone_ms
        if from_ms < end_ms:
            found[each.login] = Span(from_ms, end_ms)
    return found


def _reaches(dark: Dark, from_ms: int, to_ms: int) -> bool:
    return dark.since_ms < to_ms and (dark.until_ms is None or dark.until_ms > from_ms)


def downs(
    facts: Facts, fleets: Fleets, slices: Collection[int], whole: Span, journeys: Sequence[Journey]
) -> list[Down]:
    """All darkness of the machines of some slices within a time, cut by its causes."""
    moving: dict[str, list[Span]] = {}
    for journey in journeys:
        for login, span in aways(journey, facts.darks, facts.now_ms).items():
            moving.setdefault(login, []).append(span)
    darks = {login: list(spans) for login, spans in moving.items()}
    for dark in facts.darks:
        until_ms = facts.now_ms if dark.until_ms is None else dark.until_ms
        darks.setdefault(dark.login, []).append(Span(dark.since_ms, until_ms))
    found: list[Down] = []
    for login, spans in darks.items():
        for span in united(spans):
            assigned = assignment_of(fleets, login, span.from_ms, slices)
            seen = span.within(whole.from_ms, whole.to_ms)
            if assigned is None or not seen.ms:
                continue
            batch = fleets.batches.get(assigned.batch)
            ghs = Fraction(0) if batch is None else each_ghs(batch)
            told = windows(fleets.events, assigned.site)
            found += [Down(login, ghs, each.cause, each.span) for each in causes(seen, moving.get(login, ()), told)]
    return found


def assignment_of(fleets: Fleets, login: str, time_ms: int, slices: Collection[int]) -> Assignment | None:
    """The assignment that a machine's shares had, of the fleet's: the one in force, else the newest before, else the
    first after."""
    account, _, worker = login.partition(".")
    rows = [
        each
        for each in fleets.assignments
        if each.slice_id in slices and each.account == account and fits(each.pattern, worker)
    ]
    during = [each for each in rows if each.holds_at(time_ms)]
    before = [each for each in rows if each.valid_from_ms <= time_ms]
    best = during or before[-1:] or rows[:1]
    return max(best, key=lambda each: (literal(each.pattern), each.valid_from_ms), default=None)


def lost(found: Sequence[Down], facts: Facts) -> tuple[Lost, ...]:
    """What each cause cost, all machines reckoned at once."""
    return tuple(
        _lost(cause, own, facts) for cause in Cause if (own := [each for each in found if each.cause is cause])
    )


def _lost(cause: Cause, own: Sequence[Down], facts: Facts) -> Lost:
    return Lost(cause.value, len({each.login for each in own}), _seconds(own), _cost_sat(own, facts))


def machines_down(found: Sequence[Down], facts: Facts, journeys: Sequence[Journey]) -> tuple[MachineDown, ...]:
    """Each machine that was dark, the longest first. Its cost is rounded down for itself, so all together may be less
    than the whole."""
    of_move = {each.login: (journey.move, each) for journey in journeys for each in journey.travellers}
    by_login: dict[str, list[Down]] = {}
    for each in found:
        by_login.setdefault(each.login, []).append(each)
    machines = []
    for login, own in by_login.items():
        parts = [(cause, part) for cause in Cause if (part := [each for each in own if each.cause is cause])]
        split = tuple((cause.value, _seconds(part), _cost_sat(part, facts)) for cause, part in parts)
        where, rule = "", RACK_RULE
        if login in of_move:
            move, traveller = of_move[login]
            where, rule = status(move, traveller, facts.now_ms).value, move.plan.rack_rule
            where += ", late" if is_late(move, traveller, facts.now_ms) else ""
        total_sat = sum(cost for _, _, cost in split)
        machines.append(MachineDown(login, rack_of(login, rule), where, _seconds(own), total_sat, split))
    return tuple(sorted(machines, key=lambda each: (-each.dark_seconds, each.login)))


def _seconds(downs: Iterable[Down]) -> int:
    return sum(each.span.ms for each in downs) // 1000


def _cost_sat(downs: Iterable[Down], facts: Facts) -> int:
    return cost_sat((Missing(each.ghs, each.span) for each in downs if each.ghs), facts.epochs)
