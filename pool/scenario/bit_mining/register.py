"""What is entered about the fleet, and when: nothing of it is known to the books before its time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from msgspec.structs import replace
from sqlalchemy import Connection

from payout.contracts import parse_steps
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
from pool.fleet.slices import SliceTable
from pool.fleet.times import parse_time
from pool.scenario.bit_mining.case import (
    BEGINS_MS,
    BOUGHT_MS,
    DARK_BY_PRESS_MS,
    DARK_MS,
    DAY_MS,
    FLEET,
    GANZI,
    HOUR_MS,
    LOTS,
    NOTICE_MS,
    OWNER,
    PLACES,
    Case,
    Lot,
    Place,
)
from pool.scenario.bit_mining.travel import Stay, workers
from pool.store.fleets import SqlFleets

_SINCE_MS = BEGINS_MS - 2 * DAY_MS
_LEFT_MS = parse_time("2021-06-20T00:00+08:00")
_SHIPPED_MS = parse_time("2021-08-03T00:00Z")
_GRID, _PRESS, _OWNER_SAYS = "State Grid Sichuan Ganzi", "press, 21 June", "the company, 28 July"


def enter(connection: Connection, case: Case, stays: Sequence[Stay]) -> None:
    """All of it, each at the time it became known."""
    fleets = SqlFleets(connection)
    fleets.record(_entries(_beginning(case)), _SINCE_MS)
    fleets.record(_entries(_notice()), NOTICE_MS)
    ends = [replace(row, valid_to_ms=_LEFT_MS, replaces=row.row_id) for row in fleets.assignments()]
    fleets.record(_entries([*ends, *(_assigned(lot, lot.goes) for lot in LOTS if lot.stood is not None)]), NOTICE_MS)
    fleets.record(_entries([_event(DARK_BY_PRESS_MS, _PRESS)]), parse_time("2021-06-21T12:00+08:00"))
    told = sorted(
        ((count.valid_from_ms, count) for lot in LOTS for count in _counts(lot, case, stays)), key=_time_and_name
    )
    is_bought = False
    for time_ms, count in told:
        if not is_bought and time_ms >= BOUGHT_MS and case.ends_ms >= BOUGHT_MS:
            fleets.record(_entries(_purchase(case)), BOUGHT_MS)
            is_bought = True
        fleets.record(_entries([count]), time_ms)


def slices_of(connection: Connection) -> SliceTable:
    """Which slice each worker has, at any time."""
    return SliceTable(SqlFleets(connection).assignments())


def _entries(facts: Sequence[Fact]) -> list[Entry]:
    return [Entry("the scenario", fact) for fact in facts]


def _time_and_name(each: tuple[int, Count]) -> tuple[int, str]:
    return each[0], each[1].batch


def _beginning(case: Case) -> list[Fact]:
    facts: list[Fact] = [Fleet(name=FLEET, valid_from_ms=_SINCE_MS)]
    for place in PLACES:
        facts += _site(place)
    for lot in LOTS:
        if lot.stood is not None:
            facts += _batch(lot, case, _SINCE_MS)
            facts.append(_assigned(lot, lot.stood, _SINCE_MS + DAY_MS))
    return facts


def _site(place: Place) -> list[Fact]:
    since_ms = min(place.from_ms, _SINCE_MS)
    kind = ContractKind.JOINT_VENTURE if place.is_joint_venture else ContractKind.HOSTING
    return [
        Site(
            name=place.name, country=place.country, time_zone=place.time_zone, host=place.host, region=place.region,
            valid_from_ms=since_ms,
        ),
        Capacity(site=place.name, capacity_w=place.capacity_w, valid_from_ms=place.from_ms),
        Contract(
            name=place.contract, kind=kind, steps=parse_steps(place.steps), site=place.name, valid_from_ms=since_ms
        ),
    ]  # fmt: skip


def _batch(lot: Lot, case: Case, since_ms: int) -> list[Fact]:
    machines = len(workers(lot, case.scale))
    model = f"model-{lot.key}"
    return [
        Model(
            name=model,
            nominal_ghs=lot.nominal_ghs // machines,
            nominal_w=lot.watts * case.scale,
            valid_from_ms=since_ms,
        ),
        Batch(
            name=lot.name, model=model, machines=machines, nominal_ghs=lot.nominal_ghs, price_minor=lot.price_minor,
            currency="USD" if lot.price_minor else "", planned_ms=lot.on_ms, valid_from_ms=since_ms,
        ),
    ]  # fmt: skip


def _assigned(lot: Lot, place: Place, from_ms: int | None = None) -> Assignment:
    return Assignment(
        account=OWNER, pattern=lot.pattern, fleet=FLEET, batch=lot.name, site=place.name, contract=place.contract,
        valid_from_ms=place.from_ms if from_ms is None else from_ms,
    )  # fmt: skip


def _notice() -> list[Fact]:
    return [_event(DARK_MS, _GRID)]


def _event(from_ms: int, source: str) -> SiteEvent:
    return SiteEvent(
        site=GANZI.name, kind=EventKind.SUSPENSION, announced_ms=NOTICE_MS, valid_from_ms=from_ms, source=source,
        wording="9:00" if from_ms == DARK_MS else "9:00 pm", time_zone=GANZI.time_zone,
    )  # fmt: skip


def _purchase(case: Case) -> list[Fact]:
    bought = [lot for lot in LOTS if lot.stood is None]
    facts: list[Fact] = []
    for lot in bought:
        facts += [replace(fact, source=_OWNER_SAYS) for fact in _batch(lot, case, BOUGHT_MS)]
        facts.append(_assigned(lot, lot.goes))
    return facts


def _counts(lot: Lot, case: Case, stays: Sequence[Stay]) -> Iterator[Count]:
    """How far its machines are: what the people at the site count, every six hours while it is set up, then daily."""
    machines = len(workers(lot, case.scale))
    if lot.stood is not None:
        yield Count(batch=lot.name, hashing=machines, valid_from_ms=_SINCE_MS)
        yield Count(batch=lot.name, in_transit=machines, reason="power suspended, on the way", valid_from_ms=DARK_MS)
    else:
        yield Count(batch=lot.name, ordered=machines, valid_from_ms=BOUGHT_MS)
        yield Count(batch=lot.name, in_transit=machines, valid_from_ms=_SHIPPED_MS)
    on_ms = sorted(stay.on_ms for stay in stays if stay.lot is lot and stay.site is not lot.stood)
    broken = machines - len(on_ms)
    six_hours = range(lot.on_ms, lot.on_ms + lot.ramp_ms + 6 * HOUR_MS, 6 * HOUR_MS)
    days = range(six_hours[-1] + DAY_MS, lot.on_ms + lot.ramp_ms + 7 * DAY_MS, DAY_MS)
    before = -1
    for time_ms in (*six_hours, *days):
        hashing = bisect_right(on_ms, time_ms)
        if hashing != before and time_ms < case.ends_ms:
            rest = machines - hashing - broken
            yield Count(batch=lot.name, delivered=rest, installed=broken, hashing=hashing, valid_from_ms=time_ms)
        before = hashing
