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
from pool.fleet.report import report
from pool.fleet.travel import Seen, Traveller, by_rack, is_late, is_over, next_orders, observe
from pool.ports import Clock
from pool.roles.clock import SystemClock
from pool.roles.lease_loop import LeaseLoop
from pool.roles.present import stratum_signs
from pool.roles.redis_link import open_redis, open_redis_moves
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
        with errors_of_ours(self._engine), reading(self._engine) as connection:
            books = SqlMoves(connection)
            opened = [(kept, books.travellers(kept.id)) for kept in books.open()]
            strange = _strange(books.regions(), seen, books.flagged(now_ms - AGAIN_MS))
            strays = len(books.strays())
        self.sign = _sign(opened, strays, now_ms)
        if not opened and not strange and not self._ordered:
            return
        views = {kept.id: self._seen(kept.move, travellers, seen) for kept, travellers in opened}
        said: list[Any] = []
        after: list[tuple[Move, list[Traveller]]] = []
        with errors_of_ours(self._engine), writing(self._engine) as connection:
            if not self._holds(connection, now_ms):
                return
            books = SqlMoves(connection)
            for kept, _ in opened:
                step = self._step(books, kept, views[kept.id], now_ms, said)
                after.append(step)
            self._note_places(books, strange, now_ms, said)
        orders = by_region(after, now_ms)
        for region in sorted(self._ordered | set(orders)):
            self._regions.publish_orders(region, orders.get(region, ()))
        self._ordered = {region for region, standing in orders.items() if standing}
        for each in said:
            each()
        for move, travellers in after:
            self._tell(move, travellers, now_ms)

    def _seen(self, move: Move, travellers: list[Traveller], seen: Mapping[str, RegionSeen]) -> Seen:
        """What is known of the machines of a move."""
        here, there = seen.get(move.source.region, NOWHERE), seen.get(move.destination.region, NOWHERE)
        logins = [each.login for each in travellers]
        under_way = {each.login: asked for each in travellers if (asked := each.leg(move.is_back).asked_ms) is not None}
        told = self._regions.told(move.source.region, list(under_way)) if under_way else {}
        return Seen(
            here=here.logins,
            there=there.logins,
            shares_ms=self._regions.share_times(there.frontends, logins),
            told_ms={login: at for login, (asked, at) in told.items() if under_way[login] == asked},
        )

    def _step(
        self, books: SqlMoves, kept: Kept, seen: Seen, now_ms: int, said: list[Any]
    ) -> tuple[Move, list[Traveller]]:
        """One move, as it is after this look. What was read before the transaction is read again within it."""
        kept = books.get(kept.move.name)
        move, before = kept.move, books.travellers(kept.id)
        start_ms = move.plan.start_ms
        if move.state is State.PLANNED and start_ms is not None and now_ms >= start_ms:
            move = self._by_itself(books, move, Event("start by the plan", Step.START, now_ms, PLAN), said)
        before = [*before, *self._joined(books, kept, {each.login for each in before}, seen, said)]
        travellers = {each.login: observe(move, each, seen, now_ms) for each in before}
        for each in next_orders(move, travellers.values(), now_ms):
            travellers[each.login] = each
        changed = [travellers[each.login] for each in before if travellers[each.login] != each]
        books.save(kept.id, changed)
        for was in before:
            if was.twice_ms is None and travellers[was.login].twice_ms is not None:
                said.append(lambda login=was.login: fleet_events.worker_twice(move.name, login))
        everyone = list(travellers.values())
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
        counts = report(move, travellers, now_ms).counts
        told_ms, told = self._told_progress.get(move.name, (0, {}))
        if counts != told and now_ms - told_ms >= PROGRESS_MS and move.started_ms is not None:
            self._told_progress[move.name] = now_ms, counts
            fleet_events.move_progress(move.name, counts)
        late = [each for each in travellers if is_late(move, each, now_ms)]
        if len(late) != self._late.get(move.name, 0):
            self._late[move.name] = len(late)
            racks = list(by_rack(move, late))
            message = f"see who is missing with `steppe move show {move.name}`; close the move when it is done"
            fleet_events.relocation_late(move.name, len(late), len(travellers), racks, message)


def _sign(opened: Sequence[tuple[Kept, list[Traveller]]], strays: int, now_ms: int) -> dict[str, object]:
    """What the role's sign of life says of moves."""
    counts: Counter[str] = Counter()
    late: dict[str, int] = {}
    for kept, travellers in opened:
        found = report(kept.move, travellers, now_ms)
        counts.update(found.counts)
        if found.late:
            late[kept.move.name] = found.late
    return {"open": len(opened), "counts": dict(counts), "late": late, "strays": strays}


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
