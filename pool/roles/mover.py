"""Planned moves, carried out in a thread of the accounting role: what is seen of the machines goes into SQL, who is due
gets an order in Redis.

First the database, then Redis: an order that is kept and was not given is given at the next look, and one that is given
twice does no harm. One process does it at a time, by a lease that each of its transactions renews. Why this role:
docs/decisions/0071-moves-are-orders-that-stand.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Engine

from payout.store.ledger import errors_of_ours
from pool import fleet_events
from pool.config import Config
from pool.fleet.move import Event, Move, State, Step
from pool.fleet.orders import by_region
from pool.fleet.planning import matches
from pool.fleet.report import counts
from pool.fleet.travel import Seen, Traveller, by_rack, in_turn, is_late, is_over, next_orders, observe
from pool.ports import Clock
from pool.roles.clock import SystemClock
from pool.roles.lease_loop import LeaseLoop
from pool.roles.present import stratum_signs
from pool.roles.redis_link import open_redis, open_redis_moves
from pool.store.drafts import SqlDrafts
from pool.store.moves import Kept, SqlMoves
from pool.store.redis import RedisStore, RoleSign
from pool.store.redis_moves import RedisMoves
from pool.store.sql import reading, writing

LEASE: Final = "moves"
LEASE_MS: Final = 10_000
TICK_SECONDS: Final = 1.0
PROGRESS_MS: Final = 10_000
PLAN: Final = "the plan"
AGAIN_MS: Final = 7 * 86_400_000
"""A worker that mines in two regions is flagged once in so long; and so long after the last moment of a move, whether
closed or not, a machine of it may still come on at either end."""


class RegionSeen(Struct, frozen=True):
    """A region as its stratum processes say. frontends: their journals."""

    endpoint: str
    frontends: tuple[str, ...]
    logins: frozenset[str]


def regions_seen(signs: Iterable[RoleSign]) -> dict[str, RegionSeen]:
    """By name, the regions that give a sign of life."""
    found: dict[str, RegionSeen] = {}
    for data in stratum_signs(signs):
        before = found.get(data.region, RegionSeen("", (), frozenset()))
        logins = {each.login for each in data.presence}
        found[data.region] = RegionSeen(
            before.endpoint or data.endpoint, (*before.frontends, data.frontend), before.logins | logins
        )
    return found


NOWHERE: Final = RegionSeen("", (), frozenset())


class Mover(LeaseLoop):
    """The loop. What stands in Redis when it ends fades by itself."""

    def __init__(
        self, engine: Engine, redis: RedisStore, regions: RedisMoves, clock: Clock, holder: str | None = None
    ) -> None:
        super().__init__(LEASE, LEASE_MS, TICK_SECONDS, clock, holder)
        self._engine = engine
        self._redis = redis
        self._regions = regions
        self.sign: dict[str, object] | None = None
        self._known: _Known | None = None
        self._ordered: set[str] = set()  # regions in which an order of ours stands
        self._late: dict[str, int] = {}
        self._told_progress: dict[str, tuple[int, dict[str, int]]] = {}

    def _waits(self, message: str) -> None:
        fleet_events.moves_wait(message)

    def _goes_on(self) -> None:
        fleet_events.moves_go_on()

    def _look(self) -> None:
        now_ms = self._clock.time_ms()
        seen = regions_seen(self._redis.read_roles())
        known, self._known = self._known, None  # a look that fails leaves it in doubt
        with errors_of_ours(self._engine), reading(self._engine) as connection:
            books = SqlMoves(connection)
            opened = books.open()
            if known is None:
                known = _Known(0, {}, books.regions())
            fleets = {kept.id: known.fleets.get(kept.id) or _fleet(books, kept) for kept in opened}
            strange = _strange(known.regions, seen, books.flagged(now_ms - AGAIN_MS))
            strays = len(books.strays())
            drafts = sorted(each.name for each in SqlDrafts(connection).unplanned() if each.is_open)
        self.sign = _sign([(kept.move, fleets[kept.id]) for kept in opened], strays, drafts, now_ms)
        if not opened and not strange and not self._ordered:
            return
        views = {kept.id: self._seen(kept.move, fleets[kept.id], seen) for kept in opened}
        said: list[Any] = []
        after: dict[int, tuple[Move, list[Traveller]]] = {}
        with errors_of_ours(self._engine), writing(self._engine) as connection:
            fence = self._holds(connection, now_ms)
            if fence is None or known.fence not in (0, fence):
                return
            books = SqlMoves(connection)
            for kept in opened:
                # What was read before the transaction may have changed until this process was known to have the lease.
                before = fleets[kept.id] if known.fence == fence else _fleet(books, kept)
                after[kept.id] = self._step(books, books.get(kept.move.name), before, views[kept.id], now_ms, said)
            self._note_places(books, strange, now_ms, said)
            settled = {login: each.after for login, each in strange.items() if not each.is_twice}
            regions = known.regions | settled if known.fence == fence else books.regions()
        self._known = _Known(fence, {number: fleet for number, (_, fleet) in after.items()}, regions)
        orders = by_region(after.values(), now_ms)
        for region in sorted(self._ordered | set(orders)):
            self._regions.publish_orders(region, orders.get(region, ()))
        self._ordered = {region for region, standing in orders.items() if standing}
        for each in said:
            each()
        for move, travellers in after.values():
            self._tell(move, travellers, now_ms)

    def _seen(self, move: Move, travellers: list[Traveller], seen: Mapping[str, RegionSeen]) -> Seen:
        """What is known of the machines of a move: only of those about which something is to be learned."""
        here, there = seen.get(move.source.region, NOWHERE), seen.get(move.destination.region, NOWHERE)
        asked_ms: dict[str, int] = {}
        under_way: list[str] = []
        for each in travellers:
            leg = each.leg(move.is_back)
            if leg.asked_ms is not None and leg.told_ms is None:
                asked_ms[each.login] = leg.asked_ms
            # Who stands where it stood, and was not asked to go, has no share at the other end.
            stands = leg.asked_ms is None and each.login in here.logins and each.login not in there.logins
            if leg.arrived_ms is None and not stands:
                under_way.append(each.login)
        told = self._regions.told(move.source.region, list(asked_ms))
        return Seen(
            here=here.logins,
            there=there.logins,
            shares_ms=self._regions.share_times(there.frontends, under_way),
            told_ms={login: at for login, (asked, at) in told.items() if asked_ms[login] == asked},
        )

    def _step(
        self, books: SqlMoves, kept: Kept, before: list[Traveller], seen: Seen, now_ms: int, said: list[Any]
    ) -> tuple[Move, list[Traveller]]:
        """One move, as it is after this look. before: its machines, in the order of their turn, as after it."""
        move = kept.move
        start_ms = move.plan.start_ms
        if move.state is State.PLANNED and start_ms is not None and now_ms >= start_ms:
            move = self._by_itself(books, move, Event("start by the plan", Step.START, now_ms, PLAN), said)
        if fresh := self._joined(books, kept, {each.login for each in before}, seen, said):
            before = in_turn(move, [*before, *fresh])
        everyone = [observe(move, each, seen, now_ms) for each in before]
        due = {each.login: each for each in next_orders(move, everyone, now_ms)}
        everyone = [due.get(each.login, each) for each in everyone]
        books.save(kept.id, [now for was, now in zip(before, everyone, strict=True) if now is not was])
        for was, now in zip(before, everyone, strict=True):
            if was.twice_ms is None and now.twice_ms is not None:
                said.append(lambda login=was.login: fleet_events.worker_twice(move.name, login))
        if move.state is State.ROLLING_BACK and is_over(move, everyone, now_ms):
            done = Event("all are back", Step.CLOSE, now_ms, PLAN, "all are back")
            move = self._by_itself(books, move, done, said)
        return move, everyone

    def _joined(self, books: SqlMoves, kept: Kept, known: set[str], seen: Seen, said: list[Any]) -> list[Traveller]:
        """Machines that came on where the move begins since it was planned, and that it means: they go with it."""
        move = kept.move
        if move.is_back:
            return []
        fresh = sorted(
            each for each in seen.here if each not in known and matches(move.plan.pattern, move.plan.account, each)
        )
        if fresh:
            busy = books.busy()
            fresh = [login for login in fresh if login not in busy]
        books.join(kept.id, fresh)
        if fresh:
            said.append(lambda: fleet_events.move_joined(move.name, len(fresh), fresh[0]))
        return [Traveller(login) for login in fresh]

    def _by_itself(self, books: SqlMoves, move: Move, event: Event, said: list[Any]) -> Move:
        after = books.take(move.name, event).move
        said.append(
            lambda: fleet_events.move_changed(move.name, move.state.value, after.state.value, event.actor, event.reason)
        )
        return after

    def _note_places(
        self,
        books: SqlMoves,
        strange: Mapping[str, Strange],
        now_ms: int,
        said: list[Any],
    ) -> None:
        """Where workers are now; who came on elsewhere without a move is flagged."""
        planned = books.planned_places(strange, now_ms - AGAIN_MS)
        strays = [
            (login, each.before, each.after)
            for login, each in strange.items()
            if each.before is not None and each.after not in planned.get(login, ())
        ]
        books.settle([(login, each.after) for login, each in strange.items() if not each.is_twice], now_ms)
        books.flag(strays, now_ms)
        for login, before, after in strays:
            said.append(lambda who=login, was=before, now=after: fleet_events.worker_strayed(who, was, now))

    def _tell(self, move: Move, travellers: list[Traveller], now_ms: int) -> None:
        """Log what a person should know."""
        told_ms, told = self._told_progress.get(move.name, (0, {}))
        if now_ms - told_ms >= PROGRESS_MS and move.started_ms is not None:
            found = counts(move, travellers, now_ms)
            if found != told:
                self._told_progress[move.name] = now_ms, found
                fleet_events.move_progress(move.name, found)
        late = [each for each in travellers if is_late(move, each, now_ms)]
        if len(late) != self._late.get(move.name, 0):
            self._late[move.name] = len(late)
            racks = list(by_rack(move, late))
            message = f"see who is missing with `steppe move show {move.name}`; close the move when it is done"
            fleet_events.relocation_late(move.name, len(late), len(travellers), racks, message)


class _Known(Struct, frozen=True):
    """What the books say, as long as this process alone writes it. fence: of the lease under which that is so; 0 if it
    was read without one. fleets: by the number of each open move its machines, in the order of their turn. regions: by
    login, where it was seen last."""

    fence: int
    fleets: dict[int, list[Traveller]]
    regions: dict[str, str]


def _fleet(books: SqlMoves, kept: Kept) -> list[Traveller]:
    return in_turn(kept.move, books.travellers(kept.id))


def _sign(
    opened: Sequence[tuple[Move, list[Traveller]]], strays: int, drafts: list[str], now_ms: int
) -> dict[str, object]:
    """What the role's sign of life says of moves."""
    found: Counter[str] = Counter()
    late: dict[str, int] = {}
    for move, travellers in opened:
        found.update(counts(move, travellers, now_ms))
        if missing := sum(is_late(move, each, now_ms) for each in travellers):
            late[move.name] = missing
    return {"open": len(opened), "counts": dict(found), "late": late, "strays": strays, "drafts": drafts}


class Strange(Struct, frozen=True):
    """Where a worker was before, None for nowhere, and where it is. is_twice: it is still in the first place, too."""

    before: str | None
    after: str
    is_twice: bool


def _strange(
    known: Mapping[str, str], seen: Mapping[str, RegionSeen], flagged: Collection[tuple[str, str]]
) -> dict[str, Strange]:
    """By login, workers that are where they were not before. flagged: those of two places that somebody knows of."""
    found: dict[str, Strange] = {}
    for region in sorted(seen):
        for login in seen[region].logins:
            before = known.get(login)
            if before == region:
                continue
            is_twice = before is not None and login in seen.get(before, NOWHERE).logins
            if not is_twice or (login, region) not in flagged:
                found.setdefault(login, Strange(before, region, is_twice))
    return found


def open_mover(config: Config, engine: Engine) -> Mover:
    """The mover of this configuration."""
    return Mover(engine, open_redis(config), open_redis_moves(config), SystemClock())
