"""The orders of all moves, by the region whose stratum processes carry them out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from pool.fleet.move import Move
from pool.fleet.travel import Traveller, standing_orders


class RegionOrder(Struct, frozen=True, array_like=True, gc=False):
    """A worker is to go to host and port. asked_ms: only over connections that are older than that."""

    login: str
    host: str
    port: int
    wait_seconds: int
    grace_seconds: int
    asked_ms: int


def by_region(moves: Iterable[tuple[Move, Iterable[Traveller]]], now_ms: int) -> Mapping[str, list[RegionOrder]]:
    """Every order that stands; also the regions of open moves in which none does, so that none is left there."""
    orders: dict[str, list[RegionOrder]] = {}
    for move, travellers in moves:
        plan, to = move.plan, move.destination
        for place in (plan.origin, plan.target):
            orders.setdefault(place.region, [])
        orders[move.source.region] += [
            RegionOrder(each.login, to.host, to.port, plan.wait_seconds, plan.grace_seconds, each.asked_ms)
            for each in standing_orders(move, travellers, now_ms)
        ]
    return orders
