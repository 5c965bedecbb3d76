"""Where operators plan moves and order about them: the books of moves, and what the regions say now."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine

from payout.store.ledger import errors_of_ours
from pool.config import Config
from pool.fleet.draft import Draft, completed, only_a_draft
from pool.fleet.kinds import Assignment, Site, SiteEvent
from pool.fleet.move import Event, Move, MoveRefused, Place, Plan, State, Step
from pool.fleet.notices import end_of_power, is_planned_by
from pool.fleet.planning import Asked, Due, Planned, Wish, dry_run, left_behind, plan_move
from pool.fleet.register import Register
from pool.fleet.report import Machine, MoveReport, Stray
from pool.fleet.slices import SliceTable
from pool.fleet.times import utc
from pool.fleet.travel import Status, Traveller, status
from pool.ports import Clock
from pool.roles.clock import SystemClock
from pool.roles.database import open_database
from pool.roles.doors import host_and_port
from pool.roles.move_books import MoveBooks
from pool.roles.mover import NOWHERE, RegionSeen, regions_seen
from pool.roles.redis_link import open_redis, open_redis_moves
from pool.store.drafts import SqlDrafts
from pool.store.fleets import SqlFleets
from pool.store.moves import SqlMoves
from pool.store.redis import RedisStore
from pool.store.redis_moves import RedisMoves
from pool.store.sql import reading, writing

_ENDPOINT = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:]+\]):[0-9]{1,5}")


@contextmanager
def open_dispatch(config: Config) -> Iterator[Dispatch]:
    """The dispatch for a moment."""
    Path(config.pool.data_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
    engine, redis, regions = open_database(config), open_redis(config), open_redis_moves(config)
    try:
        yield Dispatch(engine, redis, regions, SystemClock(), config.fleet.rack_rule)
    finally:
        regions.close()
        redis.close()
        engine.dispose()


def this_person() -> str:
    """Who gives an order, for the record: the user of this terminal."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"


class Dispatch:
    """One operator's command, or several. Raises MoveRefused, LedgerUnavailable, StoreUnavailable."""

    def __init__(self, engine: Engine, redis: RedisStore, regions: RedisMoves, clock: Clock, rack_rule: str) -> None:
        self._engine = engine
        self._redis = redis
        self._regions = regions
        self._clock = clock
        self._rack_rule = rack_rule

    def plan(self, asked: Asked, actor: str, *, keep: bool) -> Planned:
        """Make a plan, and keep it unless it is a dry run."""
        now_ms = self._clock.time_ms()
        seen = regions_seen(self._redis.read_roles())
        with errors_of_ours(self._engine), reading(self._engine) as connection:
            register = SqlFleets(connection).register()
            asked = completed(asked, SqlDrafts(connection).get(asked.name))
        sites = {each.name: each.region for each in register.holding(Site, now_ms)}
        origin = _place(asked.origin, asked.origin_endpoint, sites, seen)
        target = _place(asked.target, asked.target_endpoint, sites, seen)
        deadline_ms, words = asked.deadline_ms, asked.words
        if deadline_ms is None:
            notice = _notice(register, asked.origin, now_ms)
            deadline_ms = notice.valid_from_ms
            words = words or ", ".join(filter(None, (notice.wording, notice.time_zone, notice.source)))
        wish = Wish(
            name=asked.name,
            account=asked.account,
            pattern=asked.pattern,
            origin=origin,
            target=target,
            pace=asked.pace,
            deadline_ms=deadline_ms,
            planned_on_ms=asked.planned_on_ms,
            tolerance_ms=asked.tolerance_ms,
            start_ms=asked.start_ms,
            wait_seconds=asked.wait_seconds,
            grace_seconds=asked.grace_seconds,
            rack_rule=self._rack_rule,
            words=words,
        )
        there = seen.get(origin.region, NOWHERE)
        known = there.logins | self._regions.logins(there.frontends)
        with errors_of_ours(self._engine), writing(self._engine) as connection:
            books = SqlMoves(connection)
            plan, logins = plan_move(wish, known, books.busy(), now_ms)
            if keep:
                kept = books.add(wish.name, plan, logins, actor, now_ms)
                _drop_covered(SqlDrafts(connection), kept.move, actor, now_ms)
        from_ms = now_ms if plan.start_ms is None else plan.start_ms
        due = tuple(dry_run(plan, logins, from_ms))
        return Planned(wish.name, plan, from_ms, due, keep, _note(plan, due, register, sites))

    def every(self) -> list[MoveReport]:
        """All moves: drafts first, then newest first."""
        with errors_of_ours(self._engine), reading(self._engine) as connection:
            return self._books(connection).every()

    def show(self, name: str) -> tuple[MoveReport, list[Machine]]:
        """One move and its machines."""
        with errors_of_ours(self._engine), reading(self._engine) as connection:
            return self._books(connection).one(name)

    def due(self, name: str) -> Planned:
        """Who would be told when, if the move were started, resumed or rolled back now; nothing is changed."""
        move, travellers = self._read(name)
        now_ms = self._clock.time_ms()
        if move.is_open and not move.is_back:
            waiting = [each.login for each in travellers if status(move, each, now_ms) is Status.PENDING]
        else:
            waiting = []
        return Planned(name, move.plan, now_ms, tuple(dry_run(move.plan, waiting, now_ms)), is_kept=True)

    def due_back(self, name: str) -> Planned:
        """The same of a rollback: who was told to go, or has arrived."""
        move, travellers = self._read(name)
        now_ms = self._clock.time_ms()
        away = [each.login for each in travellers if each.out.asked_ms is not None or each.out.arrived_ms is not None]
        return Planned(name, move.plan, now_ms, tuple(dry_run(move.plan, away, now_ms)), is_kept=True)

    def step(self, name: str, step: Step, actor: str, reason: str, *, key: str = "", force: bool = False) -> State:
        """Order something about a move; how it stands then. key: the same key is one order, however often it is
        given."""
        now_ms = self._clock.time_ms()
        with errors_of_ours(self._engine), writing(self._engine) as connection:
            drafts, books = SqlDrafts(connection), SqlMoves(connection)
            if (draft := drafts.get(name)) is not None:
                return _step_of_draft(drafts, draft, step, now_ms, actor, reason)
            kept = books.get(name)
            if step is Step.START and kept.move.state is State.PLANNED and now_ms >= kept.move.plan.deadline_ms:
                raise MoveRefused(f"the deadline of {name} is over: roll it back and plan another")
            if step is Step.CLOSE and not force:
                self._check_close(kept.move, books.travellers(kept.id), now_ms)
            event = Event(key or f"{step.value} {len(kept.move.events) + 1}", step, now_ms, actor, reason)
            return books.take(name, event).move.state

    def strays(self) -> list[Stray]:
        """Workers that came on in another region without a move, and nobody has confirmed it."""
        with errors_of_ours(self._engine), reading(self._engine) as connection:
            return SqlMoves(connection).strays()

    def confirm(self, account: str, actor: str) -> list[Stray]:
        """Somebody knows why an account's workers are elsewhere; its address may be changed again."""
        with errors_of_ours(self._engine), writing(self._engine) as connection:
            found = SqlMoves(connection).confirm(account, actor, self._clock.time_ms())
        if not found:
            raise MoveRefused(f"no worker of {account} waits to be confirmed; `steppe move strays` shows those that do")
        return found

    def _books(self, connection: Connection) -> MoveBooks:
        return MoveBooks(connection, self._clock.time_ms(), self._rack_rule)

    def _check_close(self, move: Move, travellers: list[Traveller], now_ms: int) -> None:
        open_ones = [each for each in travellers if status(move, each, now_ms) not in (Status.ARRIVED, Status.STAYED)]
        if open_ones:
            raise MoveRefused(
                f"{len(open_ones)} of {len(travellers)} machines have not arrived, {open_ones[0].login} first: wait, "
                "or close it with --force and they count as missing; `steppe move show` lists them by rack"
            )

    def _read(self, name: str) -> tuple[Move, list[Traveller]]:
        with errors_of_ours(self._engine), reading(self._engine) as connection:
            if (draft := SqlDrafts(connection).get(name)) is not None:
                raise MoveRefused(only_a_draft(draft))
            books = SqlMoves(connection)
            kept = books.get(name)
            return kept.move, books.travellers(kept.id)


def _note(plan: Plan, due: Sequence[Due], register: Register, sites: Mapping[str, str]) -> str:
    """That somebody else would be paid for machines when they have moved, if so."""
    to = plan.target
    table = SliceTable(register.every(Assignment), register.every(Site), to.region)
    behind = left_behind(due, table, {site for site, region in sites.items() if region == to.region})
    if not behind:
        return ""
    return (
        f"{len(behind)} of {len(due)} machines, {behind[0].login} first, are assigned to no site of region {to.region} "
        f"when it is their turn: their shares there would go on to pay by the contract of where they were; assign them "
        f"to {to.site} as well (`steppe assign add`)"
    )


def _step_of_draft(books: SqlDrafts, draft: Draft, step: Step, now_ms: int, actor: str, reason: str) -> State:
    """Drop it; nothing else can be ordered before it is planned."""
    if step is not Step.CLOSE:
        raise MoveRefused(only_a_draft(draft))
    if draft.is_open:
        if not reason:
            raise MoveRefused(f"move {draft.name} is a draft: to drop it give the reason why these machines stay")
        books.keep(draft.after(Step.CLOSE, now_ms, actor, reason))
    return State.DROPPED


def _drop_covered(books: SqlDrafts, move: Move, actor: str, now_ms: int) -> None:
    """Drafts of workers whose move was planned under another name."""
    for draft in books.unplanned():
        if draft.is_open and is_planned_by(draft, move):
            books.keep(draft.after(Step.CLOSE, now_ms, actor, f"planned as move {move.name}"))


def _notice(register: Register, site: str, now_ms: int) -> SiteEvent:
    """What is announced to end the power of a site."""
    notice = end_of_power(register.about(SiteEvent, site), now_ms)
    if notice is None:
        raise MoveRefused(f"no suspension or closure of {site} is announced: record the notice, or give a deadline")
    if notice.valid_from_ms <= now_ms:
        raise MoveRefused(
            f"power at {site} ended at {utc(notice.valid_from_ms)}, in the past: give a deadline to come (--deadline), "
            "if machines are still there"
        )
    return notice


def _place(site: str, endpoint: str, sites: Mapping[str, str], seen: Mapping[str, RegionSeen]) -> Place:
    """A site with its region's endpoint; where nobody has told of sites, the region itself."""
    region = sites.get(site, site)
    if not region:
        raise MoveRefused(f"site {site} names no region, so nobody knows its endpoint: record it with its region first")
    if site not in sites and site not in seen:
        known = ", ".join(sorted(sites.keys() | seen.keys())) or "none"
        raise MoveRefused(
            f"there is no site {site}, and no region of that name gives a sign of life; there are: {known}"
        )
    said = endpoint or seen.get(region, NOWHERE).endpoint
    if not said and region not in seen:
        known = ", ".join(sorted(seen)) or "none"
        raise MoveRefused(f"no stratum role of region {region} gives a sign of life; those that do: {known}")
    if not said:
        raise MoveRefused(
            f"region {region} does not say where its miners connect: set region.endpoint there, or name it "
            "with --from-endpoint or --to-endpoint"
        )
    if not _ENDPOINT.fullmatch(said) or not 0 < host_and_port(said)[1] < 65536:
        raise MoveRefused(f"{said!r} is no endpoint: write HOST:PORT, as stratum.example.org:3333")
    return Place(site, region, *host_and_port(said))
