"""The lookout: in a thread of the accounting role it sees which machines are dark, keeps that in the books, and raises
as few alarms as say it. Who is where, and who may be dark, the plan says: assignments, moves, announced windows.

One process does it at a time, by a lease, as with moves (docs/decisions/0071).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from sqlalchemy import Engine

from payout.store.ledger import errors_of_ours
from pool import fleet_events
from pool.config import Config
from pool.fleet.kinds import Assignment, Site, SiteEvent
from pool.fleet.racks import rack_of
from pool.fleet.register import Register
from pool.fleet.slices import SliceTable, Standing
from pool.ports import Clock
from pool.reports.alarms import Alarm, Key, Watched, judge
from pool.reports.silence import Seen, is_silent, on_a_move, without_power
from pool.reports.windows import windows
from pool.roles.clock import SystemClock
from pool.roles.lease_loop import LeaseLoop
from pool.roles.present import stratum_signs
from pool.roles.redis_link import open_redis
from pool.stats.tally import Row
from pool.store.darkness import SqlDarkness
from pool.store.fleets import SqlFleets
from pool.store.moves import SqlMoves
from pool.store.redis import RedisStore, RoleSign
from pool.store.sql import reading, writing

LOOK_SECONDS: Final = 10.0
LEASE: Final = "lookout"
LEASE_MS: Final = 60_000
PARTS_MAX: Final = 20
"""So many sites, racks or machines are named in the log and in the sign of life; the books have all."""
_HASHES_PER_DIFFICULTY: Final = 1 << 32


class Present(Struct, frozen=True):
    """A worker that is connected. region: where; agent: what it says it is."""

    region: str
    agent: str


class _Known(Struct, frozen=True):
    """The books at a look. regions: by login, where each worker was seen last."""

    register: Register
    moving: Mapping[str, str]
    open: Mapping[str, int]
    regions: Mapping[str, str]


class _Places:
    """Where each machine stands now: by its name, and of two sites by the region that it is in."""

    def __init__(self, known: _Known, here: Mapping[str, Present], now_ms: int) -> None:
        self._known, self._here, self._now_ms = known, here, now_ms
        self._rows = known.register.every(Assignment)
        self.sites = {each.slice_id: each.site for each in known.register.known(Assignment)}
        self._standing: dict[str, Standing] = {}

    def site(self, login: str) -> str | None:
        """None for a machine that is assigned to nothing."""
        present = self._here.get(login)
        region = self._known.regions.get(login, "") if present is None else present.region
        if region not in self._standing:
            table = SliceTable(self._rows, self._known.register.every(Site), region)
            self._standing[region] = table.at(self._now_ms)
        account, _, worker = login.partition(".")
        slice_id = self._standing[region].slice_of(account, worker)
        return None if slice_id is None else self.sites.get(slice_id)


class Lookout(LeaseLoop):
    """The loop. dark_ms: the shortest silence that counts."""

    def __init__(
        self,
        engine: Engine,
        redis: RedisStore,
        clock: Clock,
        dark_ms: int,
        rack_rule: str,
        holder: str | None = None,
    ) -> None:
        super().__init__(LEASE, LEASE_MS, LOOK_SECONDS, clock, holder)
        self._engine = engine
        self._redis = redis
        self._dark_ms = dark_ms
        self._rack_rule = rack_rule
        self._watched_ms = clock.time_ms()
        self._agents: dict[str, str] = {}
        self.alarms: dict[Key, Alarm] = {}

    def sign(self) -> list[dict[str, object]]:
        """The alarms in the role's sign of life."""
        return [
            {
                "kind": each.kind.value,
                "name": each.name,
                "dark": each.dark,
                "machines": each.machines,
                "since_ms": each.since_ms,
                "parts": list(each.parts[:PARTS_MAX]),
            }
            for each in list(self.alarms.values())
        ]

    def _waits(self, message: str) -> None:
        fleet_events.lookout_waits(message)

    def _goes_on(self) -> None:
        # Statistics that stood still say nothing of who was silent meanwhile.
        self._watched_ms = self._clock.time_ms()
        fleet_events.lookout_goes_on()

    def _look(self) -> None:
        now_ms = self._clock.time_ms()
        known = self._read(now_ms)
        if not known.register.known(Assignment) and not known.open:
            self._tell([])
            return
        rows = self._redis.read_workers(now_ms)
        here = present_in(self._redis.read_roles())
        places = _Places(known, here, now_ms)
        self._agents |= {login: each.agent for login, each in here.items() if each.agent}
        silent: dict[str, int] = {}
        back: dict[str, int] = {}
        for row in rows:
            since_ms = known.open.get(row.name)
            if since_ms is None and places.site(row.name) is None:
                continue
            seen = _seen(row, row.name in here)
            if seen is not None and is_silent(seen, since_ms, self._watched_ms, now_ms, self._dark_ms):
                silent[row.name] = seen.last_ms if since_ms is None else since_ms
            elif since_ms is not None and seen is not None:
                back[row.name] = seen.last_ms
        # Statistics forget a machine after a week; it is dark all the same.
        silent |= {login: since for login, since in known.open.items() if login not in back}
        # Who is assigned to nothing any more is missed by nobody.
        back |= {login: now_ms for login in silent if places.site(login) is None}
        if not self._keep({each: silent[each] for each in silent if each not in known.open}, back, now_ms):
            self.alarms = {}  # another process tells them
            return
        powerless = without_power(
            {each: windows(known.register.known(SiteEvent), each) for each in set(places.sites.values())}, now_ms
        )
        regions = {each.name: each.region for each in known.register.holding(Site, now_ms)}
        watched = []
        for login in {row.name for row in rows} | silent.keys():
            site = places.site(login)
            if site is not None:
                watched.append(
                    Watched(
                        login=login,
                        site=site,
                        region=regions.get(site, ""),
                        rack=rack_of(login, self._rack_rule),
                        firmware=self._agents.get(login, ""),
                        since_ms=None if login in back else silent.get(login),
                        excuse=known.moving.get(login, "") or powerless.get(site, ""),
                    )
                )
        self._agents = {login: agent for login, agent in self._agents.items() if login in here or login in silent}
        self._tell(judge(watched, {group for each in self.alarms.values() for group in each.groups}))

    def _read(self, now_ms: int) -> _Known:
        with errors_of_ours(self._engine), reading(self._engine) as connection:
            books = SqlMoves(connection)
            moves = [(kept.move, books.travellers(kept.id)) for kept in books.open()]
            return _Known(
                SqlFleets(connection).register(),
                on_a_move(moves, now_ms),
                SqlDarkness(connection).open(),
                books.regions(),
            )

    def _keep(self, begun: Mapping[str, int], ended: Mapping[str, int], now_ms: int) -> bool:
        """Whether this process is the one that looks; then what it saw is in the books."""
        with errors_of_ours(self._engine), writing(self._engine) as connection:
            if not self._holds(connection, now_ms):
                return False
            darkness = SqlDarkness(connection)
            darkness.begin(begun)
            darkness.end(ended)
            return True

    def _tell(self, alarms: Iterable[Alarm]) -> None:
        before, self.alarms = self.alarms, {each.key: each for each in alarms}
        for key, each in self.alarms.items():
            if key not in before:
                parts = list(each.parts[:PARTS_MAX])
                fleet_events.fleet_dark(each.kind.value, each.name, each.dark, each.machines, each.since_ms, parts)
        for kind, name in before.keys() - self.alarms.keys():
            fleet_events.fleet_lit(kind.value, name)


def present_in(signs: Iterable[RoleSign]) -> dict[str, Present]:
    """By login, who is connected. Raises StoreUnavailable."""
    return {each.login: Present(data.region, each.agent) for data in stratum_signs(signs) for each in data.presence}


def _seen(row: Row, is_connected: bool) -> Seen | None:
    """None of a machine that never had a share accepted: it is not commissioned."""
    last_ms = row.tally.last_share_ms
    if last_ms is None:
        return None
    interval_ms = None
    day = row.estimates[-1].hashrate_hps
    if row.tally.difficulty is not None and day > 0:
        interval_ms = int(row.tally.difficulty * _HASHES_PER_DIFFICULTY * 1000 / day)
    return Seen(row.name, last_ms, interval_ms, is_connected)


def open_lookout(config: Config, engine: Engine) -> Lookout:
    """The lookout of this configuration."""
    fleet = config.fleet
    return Lookout(engine, open_redis(config), SystemClock(), fleet.dark_seconds * 1000, fleet.rack_rule)
