"""How orders about payments, blocks, accounts and the reserve are carried out: at the counter and the desk of plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from payout.desk_views import AccountTerms, Noted
from payout.instants import parse_instant
from pool.config import Config
from pool.dashboard.access.money_orders import Drafted, ForeignPayments, GivenOut, WaitingBlocks
from pool.dashboard.access.orders import Order, Ordered, OrderRefused
from pool.roles.counter import Counter, open_counter
from pool.roles.plans import PlanDesk, open_desk

Handler = Callable[[Config, Order], Any]


def _counter(carry_out: Callable[[Counter, Order], Any]) -> Handler:
    def handler(config: Config, order: Order) -> Any:
        with open_counter(config) as counter:
            return carry_out(counter, order)

    return handler


def _desk(carry_out: Callable[[PlanDesk, Order], Any]) -> Handler:
    def handler(config: Config, order: Order) -> Any:
        with open_desk(config) as desk:
            return carry_out(desk, order)

    return handler


def _stop(counter: Counter, order: Order) -> Ordered:
    counter.switch(is_stopped=True, reason=order.said.reason)
    return Ordered("payouts are stopped")


def _resume(counter: Counter, order: Order) -> Ordered:
    said = order.said
    counter.switch(is_stopped=False, reason=said.reason, nothing_was_paid=said.nothing_was_paid)
    return Ordered("payouts go on")


def _fund(counter: Counter, order: Order) -> Ordered:
    booked = counter.fund(order.said.ticket, order.said.amount_sat)
    return Ordered(f"booked: {booked.amount_sat} satoshi, adjust:{booked.ticket}")


def _adopt(counter: Counter, order: Order) -> Ordered:
    booked = counter.adopt(order.said.txid)
    return Ordered(f"booked: {booked.paid_sat} satoshi paid by {booked.txid}")


def _release(counter: Counter, order: Order) -> Ordered:
    released = counter.release(_number(order))
    return Ordered(f"payout {released.id} is released: {released.total_sat} satoshi are available again")


def _bump(counter: Counter, order: Order) -> Drafted:
    return _drafted(order, counter.bump(_number(order), order.said.fee_rate, order.said.newest))


def _cancel(counter: Counter, order: Order) -> Drafted:
    return _drafted(order, counter.cancel(_number(order), order.said.fee_rate, order.said.newest))


def _drafted(order: Order, noted: Noted) -> Drafted:
    return Drafted(noted.note, _number(order), noted.txid or "", noted.fee_sat or 0)


def _export(counter: Counter, order: Order) -> GivenOut:
    exported = counter.export(_number(order))
    return GivenOut(f"payout {exported.payout}: sign it, then import it", exported.payout, exported.psbt)


def _import(counter: Counter, order: Order) -> Ordered:
    row = counter.take_signed(order.said.psbt)
    return Ordered(f"payout {row.id}: {row.state}, transaction {row.txid}")


def _hold(counter: Counter, order: Order) -> Ordered:
    counter.hold(order.names[0], order.said.reason, is_held=True)
    return Ordered(f"block {order.names[0]} is held")


def _let_go(counter: Counter, order: Order) -> Ordered:
    counter.hold(order.names[0], order.said.reason, is_held=False)
    return Ordered(f"block {order.names[0]} is let go")


def _accept(counter: Counter, order: Order) -> Ordered:
    counter.accept(order.names[0], order.said.reason)
    return Ordered(f"block {order.names[0]} is accepted; payouts go on once they are resumed")


def _terms(config: Config, order: Order) -> AccountTerms:
    [name] = order.names
    with open_desk(config) as desk, open_counter(config) as counter:
        return AccountTerms(desk.account(name), counter.addresses(name), counter.threshold(name))


def _add(desk: PlanDesk, order: Order) -> Ordered:
    said = order.said
    desk.add(said.name, said.scheme, said.fee_bps, said.address)
    return Ordered(f"account {said.name} is added")


def _plan(desk: PlanDesk, order: Order) -> Ordered:
    [name], said = order.names, order.said
    if said.scheme is None and said.fee_bps is None:
        raise OrderRefused("neither a scheme nor a fee is given: it would change nothing", is_input=True)
    try:
        from_ms = parse_instant(said.from_time, needs_zone=True) if said.from_time else None
    except ValueError as error:
        raise OrderRefused(f"from_time: {error}", is_input=True) from error
    desk.change_plan(name, said.scheme, said.fee_bps, from_ms)
    newest = desk.account(name).plans[-1]
    return Ordered(f"{name}: {newest.scheme} with {newest.fee_bps} basis points from {newest.valid_from}")


def _keep_plan(desk: PlanDesk, order: Order) -> Ordered:
    desk.cancel_plan(order.names[0])
    return Ordered(f"{order.names[0]}: the planned change is taken back")


def _address(counter: Counter, order: Order) -> Ordered:
    [name] = order.names
    counter.change_address(name, order.said.address)
    newest = counter.addresses(name)[-1]
    return Ordered(f"{name}: paid to {newest.address} from {newest.valid_from}")


def _keep_address(counter: Counter, order: Order) -> Ordered:
    counter.cancel_address(order.names[0])
    return Ordered(f"{order.names[0]}: the change of its address is taken back")


def _threshold(counter: Counter, order: Order) -> Ordered:
    [name] = order.names
    counter.change_threshold(name, order.said.threshold_sat)
    found = counter.threshold(name)
    return Ordered(f"{name}: paid from {found.threshold_sat} satoshi on ({found.note})")


def _fund_reserve(desk: PlanDesk, order: Order) -> Ordered:
    said = order.said
    found = desk.fund(said.ticket, said.amount_sat, said.from_fees)
    return Ordered(f"booked: {said.amount_sat} satoshi; the reserve is {found.level} with {found.held_sat} satoshi")


def _resume_reserve(desk: PlanDesk, order: Order) -> Ordered:
    decided = desk.resume(order.said.reason)
    return Ordered(f"from jobs of height {decided.from_height} on shares are paid for again")


def _number(order: Order) -> int:
    return int(order.names[0])


MONEY: Mapping[str, Handler] = {
    "payouts.plan": _counter(lambda counter, _: counter.plan()),
    "payouts.status": _counter(lambda counter, _: counter.status()),
    "payouts.run": _counter(lambda counter, _: Ordered(counter.run().note)),
    "payouts.stop": _counter(_stop),
    "payouts.resume": _counter(_resume),
    "payouts.fund": _counter(_fund),
    "payouts.foreign": _counter(lambda counter, _: ForeignPayments(tuple(counter.foreign()))),
    "payouts.adopt": _counter(_adopt),
    "payouts.release": _counter(_release),
    "payouts.bump": _counter(_bump),
    "payouts.cancel": _counter(_cancel),
    "payouts.export": _counter(_export),
    "payouts.import": _counter(_import),
    "blocks.held": _counter(lambda counter, _: WaitingBlocks(counter.waiting_blocks())),
    "blocks.hold": _counter(_hold),
    "blocks.release": _counter(_let_go),
    "blocks.accept": _counter(_accept),
    "accounts.add": _desk(_add),
    "accounts.terms": _terms,
    "accounts.plan": _desk(_plan),
    "accounts.plan.cancel": _desk(_keep_plan),
    "accounts.address": _counter(_address),
    "accounts.address.cancel": _counter(_keep_address),
    "accounts.threshold": _counter(_threshold),
    "reserve.show": _desk(lambda desk, _: desk.reserve()),
    "reserve.fund": _desk(_fund_reserve),
    "reserve.resume": _desk(_resume_reserve),
}
