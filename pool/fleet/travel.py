"""Where each machine of a move is on its way, and who is to be told next."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from pool.fleet.move import Move
from pool.fleet.racks import in_order, rack_of

SETTLE_MS = 30_000
"""After its last moment of grace, how long a machine is given until it counts as one that stayed: signs of life are a
second old, and a machine that was reset may come back once before it goes."""


class Status(enum.Enum):
    """Of one machine in the direction that its move has now. TOLD: and still there. GONE: in transit. STRAGGLER: told,
    and it stayed or came back. STAYED: it had not left when the move was rolled back."""

    PENDING = "pending"
    TOLD = "told"
    GONE = "gone"
    ARRIVED = "arrived"
    STRAGGLER = "straggler"
    STAYED = "stayed"


class Leg(Struct, frozen=True):
    """One way of one machine. asked_ms: when it was due the last time, tries: how often it was; told_ms: when a stratum
    process first said so to it; gone_ms: since when it is away; arrived_ms: its first share at the other end."""

    asked_ms: int | None = None
    tries: int = 0
    told_ms: int | None = None
    gone_ms: int | None = None
    arrived_ms: int | None = None


class Traveller(Struct, frozen=True):
    """One machine of a move: its way there, and, after a rollback, back. twice_ms: when it was first seen at both ends
    at once, long after it had arrived: a name that two machines have."""

    login: str
    out: Leg = Leg()
    back: Leg = Leg()
    twice_ms: int | None = None

    def leg(self, is_back: bool) -> Leg:
        return self.back if is_back else self.out

    def on_leg(self, is_back: bool, leg: Leg) -> Traveller:
        return replace(self, back=leg) if is_back else replace(self, out=leg)


class Seen(Struct, frozen=True):
    """What is seen of the machines at one moment. here, there: who has a connection where the move sends from, and to.
    shares_ms: by login, the newest accepted share where it sends to. told_ms: by login, when it was told."""

    here: Collection[str] = frozenset()
    there: Collection[str] = frozenset()
    shares_ms: Mapping[str, int] = {}
    told_ms: Mapping[str, int] = {}


class Order(Struct, frozen=True):
    """A machine is to be told to go. asked_ms: only connections that are older."""

    login: str
    asked_ms: int


def observe(move: Move, traveller: Traveller, seen: Seen, now_ms: int) -> Traveller:
    """What became of a machine; the same machine if nothing did."""
    leg = traveller.leg(move.is_back)
    login, asked_ms = traveller.login, leg.asked_ms
    told_ms = seen.told_ms.get(login)
    if asked_ms is not None and leg.told_ms is None and told_ms is not None:
        # That it was told may be known only after its first share at the other end is.
        leg = replace(leg, told_ms=told_ms)
        traveller = traveller.on_leg(move.is_back, leg)
    if leg.arrived_ms is not None:
        doubled = login in seen.here and login in seen.there and now_ms - leg.arrived_ms >= SETTLE_MS
        return replace(traveller, twice_ms=now_ms) if doubled and traveller.twice_ms is None else traveller
    if move.started_ms is None:
        return traveller
    share_ms = seen.shares_ms.get(login)
    # A machine may be switched off before its turn and come on at the new site: it has arrived all the same.
    since_ms = asked_ms if move.is_back else move.started_ms
    if since_ms is not None and share_ms is not None and share_ms >= since_ms:
        return traveller.on_leg(move.is_back, replace(leg, arrived_ms=share_ms))
    if asked_ms is None:
        return traveller
    if login in seen.here and leg.gone_ms is not None:
        return traveller.on_leg(move.is_back, replace(leg, gone_ms=None))
    if login not in seen.here and leg.gone_ms is None:
        return traveller.on_leg(move.is_back, replace(leg, gone_ms=now_ms))
    return traveller


def status(move: Move, traveller: Traveller, now_ms: int) -> Status:
    """Where a machine is on its way."""
    leg = traveller.leg(move.is_back)
    if leg.arrived_ms is not None:
        return Status.ARRIVED
    if move.is_back and traveller.out.asked_ms is None and traveller.out.arrived_ms is None:
        return Status.STAYED
    if leg.asked_ms is None:
        return Status.PENDING
    if leg.gone_ms is not None:
        return Status.GONE
    return Status.TOLD if now_ms - leg.asked_ms < _patience_ms(move) else Status.STRAGGLER


def in_turn(move: Move, travellers: Iterable[Traveller]) -> list[Traveller]:
    """The machines in the order of their turn: by rack."""
    return sorted(travellers, key=lambda each: in_order(each.login, move.plan.rack_rule))


def next_orders(move: Move, travellers: Iterable[Traveller], now_ms: int) -> list[Traveller]:
    """Who is to be told now, as they are then; nobody while the move does not run. travellers: in the order of their
    turn. Pending ones first; then those that stayed, once more."""
    since_ms = move.since_ms
    if since_ms is None:
        return []
    pending, again = [], []
    asked: Counter[int] = Counter()
    for each in travellers:
        where = status(move, each, now_ms)
        if where is Status.PENDING:
            pending.append(each)
        elif where is Status.STRAGGLER and _may_try(move, each, now_ms):
            again.append(each)
        asked_ms = each.leg(move.is_back).asked_ms
        if asked_ms is not None:
            asked[asked_ms] += 1
    last_ms = max(asked, default=None)
    slots = move.plan.pace.slots(last_ms, 0 if last_ms is None else asked[last_ms], since_ms, now_ms)
    chosen = []
    for traveller in (*pending, *again):
        slot_ms = next(slots)
        if slot_ms > now_ms:
            break
        leg = traveller.leg(move.is_back)
        chosen.append(traveller.on_leg(move.is_back, replace(leg, asked_ms=slot_ms, tries=leg.tries + 1)))
    return chosen


def standing_orders(move: Move, travellers: Iterable[Traveller], now_ms: int) -> list[Order]:
    """All orders that hold now: who was asked lately, and was not seen to go."""
    if move.since_ms is None:
        return []
    return [
        Order(each.login, asked_ms)
        for each in travellers
        if (asked_ms := each.leg(move.is_back).asked_ms) is not None
        and asked_ms >= move.since_ms
        and status(move, each, now_ms) is Status.TOLD
    ]


def is_late(move: Move, traveller: Traveller, now_ms: int) -> bool:
    """Whether it should mine at the other end, and does not."""
    if now_ms < move.plan.late_ms or not move.is_open or move.started_ms is None:
        return False
    return status(move, traveller, now_ms) not in (Status.ARRIVED, Status.STAYED)


def is_in_transit(move: Move, traveller: Traveller, now_ms: int) -> bool:
    """Whether it may be away without any alarm. From the deadline on the old site is dark: nobody can be there."""
    if not move.is_open or is_late(move, traveller, now_ms):
        return False
    where = status(move, traveller, now_ms)
    if where in (Status.TOLD, Status.GONE):
        return True
    return where in (Status.PENDING, Status.STRAGGLER) and now_ms >= move.plan.deadline_ms and not move.is_back


def is_over(move: Move, travellers: Iterable[Traveller], now_ms: int) -> bool:
    """Whether nobody is left to be told or waited for."""
    return all(status(move, each, now_ms) in (Status.ARRIVED, Status.STAYED) for each in travellers)


def by_rack(move: Move, travellers: Iterable[Traveller]) -> dict[str, list[Traveller]]:
    """The machines of each rack, all in their order."""
    racks: dict[str, list[Traveller]] = {}
    rule = move.plan.rack_rule
    for each in in_turn(move, travellers):
        racks.setdefault(rack_of(each.login, rule), []).append(each)
    return racks


def _patience_ms(move: Move) -> int:
    return (move.plan.wait_seconds + move.plan.grace_seconds) * 1000 + SETTLE_MS


def _may_try(move: Move, traveller: Traveller, now_ms: int) -> bool:
    leg = traveller.leg(move.is_back)
    before_dark = move.is_back or now_ms < move.plan.deadline_ms
    return (
        leg.asked_ms is not None
        and now_ms - leg.asked_ms >= move.plan.retry_ms
        and leg.tries < move.plan.tries
        and before_dark
    )
