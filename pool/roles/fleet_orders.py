"""How orders about moves and fleets are carried out: at the dispatch, and the desk of fleets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from payout.instants import parse_instant
from pool.bitcoin.amount import format_btc
from pool.config import Config
from pool.dashboard.access.fleet_orders import ChargesMade, FleetFiles, MovePlan, MovePlanned, Recorded, Strays
from pool.dashboard.access.orders import Order, Ordered, OrderRefused
from pool.fleet.facts import FleetRefused
from pool.fleet.kinds import KINDS
from pool.fleet.move import Step
from pool.fleet.planning import Asked
from pool.fleet.times import parse_time
from pool.fleet.views import GROUPS, view
from pool.roles.dispatch import Dispatch, open_dispatch
from pool.roles.fleets import Entered, FleetDesk, open_fleets

Handler = Callable[[Config, Order], Any]

_MINUTE_MS = 60_000


def _dispatch(carry_out: Callable[[Dispatch, Order], Any]) -> Handler:
    def handler(config: Config, order: Order) -> Any:
        with open_dispatch(config) as dispatch:
            return carry_out(dispatch, order)

    return handler


def _desk(carry_out: Callable[[FleetDesk, Order], Any]) -> Handler:
    def handler(config: Config, order: Order) -> Any:
        with open_fleets(config) as desk:
            return carry_out(desk, order)

    return handler


def _plan(dispatch: Dispatch, order: Order) -> MovePlanned:
    said: MovePlan = order.said
    asked = Asked(
        name=said.name,
        account=said.account,
        pattern=said.workers,
        origin=said.origin,
        target=said.target,
        origin_endpoint=said.origin_endpoint,
        target_endpoint=said.target_endpoint,
        pace=said.pace,
        deadline_ms=_time("deadline", said.deadline),
        planned_on_ms=_time("planned_on", said.planned_on),
        tolerance_ms=said.tolerance_minutes * _MINUTE_MS,
        start_ms=_time("start", said.start),
        wait_seconds=said.wait_seconds,
        grace_seconds=said.grace_seconds,
        words=said.words,
    )
    planned = dispatch.plan(asked, order.who, keep=not said.dry_run)
    kept = "planned" if planned.is_kept else "dry run, nothing is kept"
    return MovePlanned(f"move {planned.name}: {len(planned.due)} machines; {kept}", planned)


def _time(name: str, text: str) -> int | None:
    try:
        return parse_instant(text, needs_zone=True) if text else None
    except ValueError as error:
        raise OrderRefused(f"{name}: {error}", is_input=True) from error


def _step(step: Step) -> Callable[[Dispatch, Order], Ordered]:
    def take(dispatch: Dispatch, order: Order) -> Ordered:
        [name], said = order.names, order.said
        is_forced = getattr(said, "force", False)
        after = dispatch.step(name, step, order.who, said.reason, key=said.key, force=is_forced)
        return Ordered(f"move {name} is {after.value}")

    return take


def _confirm(dispatch: Dispatch, order: Order) -> Ordered:
    found = dispatch.confirm(order.names[0], order.who)
    return Ordered(f"{order.names[0]}: {len(found)} workers confirmed")


def _add(group: str) -> Callable[[FleetDesk, Order], Recorded]:
    def add(desk: FleetDesk, order: Order) -> Recorded:
        return _recorded(desk.enter_cells(_kind(group, order.said.kind), order.said.says))

    return add


def _end(group: str) -> Callable[[FleetDesk, Order], Recorded]:
    def end(desk: FleetDesk, order: Order) -> Recorded:
        kind, said = KINDS[_kind(group, order.said.kind)], order.said
        return _recorded(desk.end(kind, int(order.names[0]), parse_time(said.at), said.source))

    return end


def _kind(group: str, wished: str) -> str:
    kind = wished or GROUPS[group][0]
    if kind not in GROUPS[group]:
        raise FleetRefused(f"kind: {kind!r} is none of {', '.join(GROUPS[group])}")
    return kind


def _recorded(entered: Entered) -> Recorded:
    facts = entered.facts
    done = f"{len(facts)} rows recorded" if facts else "known already"
    return Recorded(done, tuple(view(fact) for fact in facts), tuple(entered.moves))


def _charge(desk: FleetDesk, _: Order) -> ChargesMade:
    done = desk.charge()
    return ChargesMade(f"{done.new} new charges, {format_btc(done.posted_sat)} BTC taken", done)


def _export_file(desk: FleetDesk, order: Order) -> str:
    files = desk.export_files()
    [name] = order.names
    if name not in files:
        raise OrderRefused(f"there is no {name!r}; there are {', '.join(files) or 'none: nothing is known'}")
    return files[name]


FLEETS: Mapping[str, Handler] = {
    "moves.plan": _dispatch(_plan),
    "moves.due": _dispatch(lambda dispatch, order: dispatch.due(order.names[0])),
    "moves.due_back": _dispatch(lambda dispatch, order: dispatch.due_back(order.names[0])),
    "moves.start": _dispatch(_step(Step.START)),
    "moves.pause": _dispatch(_step(Step.PAUSE)),
    "moves.resume": _dispatch(_step(Step.RESUME)),
    "moves.rollback": _dispatch(_step(Step.ROLL_BACK)),
    "moves.close": _dispatch(_step(Step.CLOSE)),
    "strays.show": _dispatch(lambda dispatch, _: Strays(tuple(dispatch.strays()))),
    "strays.confirm": _dispatch(_confirm),
    **{f"{group}.add": _desk(_add(group)) for group in GROUPS},
    **{f"{group}.end": _desk(_end(group)) for group in GROUPS},
    "contracts.charge": _desk(_charge),
    "fleets.export": _desk(lambda desk, _: FleetFiles(desk.export_files())),
    "fleets.export.file": _desk(_export_file),
    "fleets.import": _desk(lambda desk, order: _recorded(desk.import_files(order.said.files))),
    "fleets.import.file": _desk(lambda desk, order: _recorded(desk.import_files({order.names[0]: order.said}))),
}
