"""From what a person asks for to the plan of a move, or to the reason why not."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from pool.fleet.facts import FleetRefused
from pool.fleet.move import MoveRefused, Place, Plan
from pool.fleet.pace import BadPace, parse_pace
from pool.fleet.patterns import check_pattern, fits
from pool.fleet.racks import BadRackRule, check_rule, in_order, rack_of
from pool.fleet.slices import SliceTable

DAY_MS = 86_400_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Asked(Struct, frozen=True):
    """A plan as a person asks for it. origin, target: sites; endpoints: HOST:PORT, empty for what the region says.
    deadline_ms: None for when the next announced suspension or closure of the first site takes effect."""

    name: str
    account: str
    pattern: str
    origin: str
    target: str
    origin_endpoint: str
    target_endpoint: str
    pace: str
    deadline_ms: int | None
    planned_on_ms: int | None
    tolerance_ms: int
    start_ms: int | None
    wait_seconds: int
    grace_seconds: int
    words: str


class Wish(Struct, frozen=True):
    """What is asked for. pace: as `pool.fleet.pace` reads it. words: deadline and date as they were given."""

    name: str
    account: str
    pattern: str
    origin: Place
    target: Place
    pace: str
    deadline_ms: int
    planned_on_ms: int | None
    tolerance_ms: int
    start_ms: int | None
    wait_seconds: int
    grace_seconds: int
    rack_rule: str
    words: str


class Due(Struct, frozen=True):
    """A line of a dry run: which machine would be told, and when."""

    login: str
    rack: str
    at_ms: int


class Planned(Struct, frozen=True):
    """A plan with its machines. due: who would be told when, from `from_ms` on. note: what its planner should know."""

    name: str
    plan: Plan
    from_ms: int
    due: tuple[Due, ...]
    is_kept: bool
    note: str = ""


def matches(pattern: str, account: str, login: str) -> bool:
    """Whether a machine of an account is meant. pattern: of the worker name."""
    owner, _, worker = login.partition(".")
    return owner == account and fits(pattern, worker)


def plan_move(wish: Wish, known: Iterable[str], busy: Mapping[str, str], now_ms: int) -> tuple[Plan, list[str]]:
    """The plan, and its machines in the order of their turn. known: logins that the pool has seen where the move
    begins. busy: by login, the open move it belongs to. Raises MoveRefused."""
    _check(wish, now_ms)
    logins = [login for login in known if matches(wish.pattern, wish.account, login)]
    if not logins:
        raise MoveRefused(
            f"no machine of {wish.account} in region {wish.origin.region} matches {wish.pattern!r}: nothing would "
            "move. The pool knows those that sent a share lately or are connected: /api/v1/workers lists them"
        )
    logins.sort(key=lambda login: in_order(login, wish.rack_rule))
    if taken := [login for login in logins if login in busy]:
        raise MoveRefused(
            f"{len(taken)} of these machines, {taken[0]} first, belong to move {busy[taken[0]]}, which is open: close "
            f"it, or narrow the pattern"
        )
    try:
        pace = parse_pace(wish.pace, len(logins))
    except BadPace as error:
        raise MoveRefused(str(error)) from error
    begins_ms = now_ms if wish.start_ms is None else wish.start_ms
    ends_ms = begins_ms + pace.lasts_ms(len(logins))
    if ends_ms > wish.deadline_ms:
        minutes = (wish.deadline_ms - begins_ms) // 60_000
        enough = -(-len(logins) // minutes) if minutes > 0 else len(logins)
        raise MoveRefused(
            f"{len(logins)} machines at {wish.pace} take {(ends_ms - begins_ms) // 60_000} minutes, and the deadline "
            f"is {max(0, minutes)} minutes after the start: take at least {enough}/min, or begin earlier"
        )
    plan = Plan(
        account=wish.account,
        pattern=wish.pattern,
        origin=wish.origin,
        target=wish.target,
        pace=pace,
        deadline_ms=wish.deadline_ms,
        planned_on_ms=wish.deadline_ms if wish.planned_on_ms is None else wish.planned_on_ms,
        tolerance_ms=wish.tolerance_ms,
        start_ms=wish.start_ms,
        wait_seconds=wish.wait_seconds,
        grace_seconds=wish.grace_seconds,
        rack_rule=wish.rack_rule,
        words=wish.words,
    )
    return plan, logins


def dry_run(plan: Plan, logins: Collection[str], from_ms: int) -> list[Due]:
    """Who would be told, and when, if the move began at that time and nobody interfered."""
    ordered = sorted(logins, key=lambda login: in_order(login, plan.rack_rule))
    times = plan.pace.schedule(len(ordered), from_ms)
    return [Due(login, rack_of(login, plan.rack_rule), at) for login, at in zip(ordered, times, strict=True)]


def left_behind(due: Iterable[Due], table: SliceTable, there: Collection[str]) -> list[Due]:
    """Machines whose shares would go on paying another site when they have moved. table: as it counts in the region
    that they go to; there: the sites of that region. Who belongs to no slice at all is none of them."""
    slices_there = {each.slice_id for each in table.assignments if each.site in there}
    standing, found = None, []
    for each in sorted(due, key=lambda each: each.at_ms):
        if standing is None or each.at_ms >= standing.until_ms:
            standing = table.at(each.at_ms)
        account, _, worker = each.login.partition(".")
        slice_id = standing.slice_of(account, worker)
        if slice_id is not None and slice_id not in slices_there:
            found.append(each)
    return found


def _check(wish: Wish, now_ms: int) -> None:
    if not _NAME.fullmatch(wish.name):
        raise MoveRefused(f"{wish.name!r} is no name of a move: 1 to 64 of letters, digits, _ . and -")
    try:
        check_pattern(wish.pattern)
    except FleetRefused as error:
        raise MoveRefused(str(error)) from error
    if wish.origin.region == wish.target.region:
        raise MoveRefused(
            f"{wish.origin.site} and {wish.target.site} are both served by region {wish.origin.region}: there is "
            "nothing to tell the machines"
        )
    if wish.deadline_ms <= now_ms:
        raise MoveRefused("the deadline is in the past: give one to come, with its zone, as 2026-12-01T09:00+08:00")
    if wish.start_ms is not None and wish.start_ms < now_ms:
        raise MoveRefused("the start is in the past: give one to come, or none and `steppe move start` it")
    if wish.start_ms is not None and wish.start_ms >= wish.deadline_ms:
        raise MoveRefused("the start is not before the deadline: then the machines are dark already")
    if wish.planned_on_ms is not None and wish.planned_on_ms <= now_ms:
        raise MoveRefused("the time at which all should mine at the new site is in the past")
    try:
        check_rule(wish.rack_rule)
    except BadRackRule as error:
        raise MoveRefused(str(error)) from error
