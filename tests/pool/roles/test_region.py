"""pool.roles.region: orders from Redis to the sessions, difficulties from region to region."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred

from pool.fleet.orders import RegionOrder
from pool.ports import StoreUnavailable
from pool.roles.region import SHARE_EVERY, Region
from pool.store.redis_moves import ORDERS_MS
from stratum.remembered import REMEMBERED_MS
from tests.stratum.scene import AUTHORIZE, NTIME, SUBSCRIBE, Miner, pool_with_job

T = TypeVar("T")
NOW_MS = NTIME * 1000
ORDER = RegionOrder("alice.rig1", "kz.pool.example", 3333, 0, 10, NOW_MS + 500)


def at_once(work: Callable[[], T], /) -> Deferred[T]:
    return maybeDeferred(work)


class FakeStore:
    """Redis as it should be."""

    def __init__(self) -> None:
        self.standing: tuple[RegionOrder, ...] = ()
        self.told: dict[str, tuple[int, int]] = {}
        self.regions: dict[str, dict[str, tuple[float, int]]] = {}
        self.is_away = False

    def report_told(self, _region: str, told: Mapping[str, tuple[int, int]]) -> None:
        if self.is_away:
            raise StoreUnavailable("away")
        self.told.update(told)

    def orders(self, _region: str) -> tuple[RegionOrder, ...]:
        return self.standing

    def publish_difficulties(self, region: str, entries: Mapping[str, tuple[float, int]]) -> None:
        self.regions.setdefault(region, {}).update(entries)

    def difficulties(self, region: str) -> Mapping[str, tuple[float, int]]:
        return dict(self.regions.get(region, {}))

    def difficulties_elsewhere(self, region: str) -> Mapping[str, tuple[float, int]]:
        return {k: v for name, table in self.regions.items() if name != region for k, v in table.items()}

    def forget_difficulties(self, region: str, logins: Sequence[str]) -> None:
        for login in logins:
            del self.regions[region][login]


class Scene:
    def __init__(self, name: str = "sichuan") -> None:
        self.pool = pool_with_job(maximum=1.0)
        self.pool.server.start()
        self.store = FakeStore()
        self.region = Region(
            name,
            self.store,
            self.pool.server.redirects,
            self.pool.server.remembered,
            self.pool.reactor,
            self.pool.clock,
            at_once,
        )
        self.region.start()

    def told(self, miner: Miner) -> list[Any]:
        return [each["params"] for each in miner.received() if each.get("method") == "client.reconnect"]


def test_an_order_in_redis_reaches_the_machine_within_two_seconds_and_is_reported() -> None:
    scene = Scene()
    miner = scene.pool.ready()
    scene.store.standing = (ORDER,)
    scene.pool.pass_seconds(2)
    assert scene.told(miner) == [["kz.pool.example", 3333, 0]]
    scene.pool.pass_seconds(1)
    assert scene.store.told == {"alice.rig1": (ORDER.asked_ms, NOW_MS + 2000)}


def test_what_could_not_be_reported_is_reported_later() -> None:
    scene = Scene()
    scene.pool.ready()
    scene.store.standing = (ORDER,)
    scene.pool.pass_seconds(1)
    scene.store.is_away = True
    scene.pool.pass_seconds(3)
    assert scene.store.told == {}
    scene.store.is_away = False
    scene.pool.pass_seconds(1)
    assert "alice.rig1" in scene.store.told


def test_without_redis_orders_stand_for_a_while_and_then_no_more() -> None:
    scene = Scene()
    scene.store.standing = (ORDER,)
    scene.pool.pass_seconds(1)
    scene.store.is_away = True
    scene.pool.pass_seconds(ORDERS_MS // 1000 + 2)
    late = scene.pool.ready()
    scene.pool.pass_seconds(2)
    assert scene.told(late) == []


def test_a_worker_of_another_region_begins_at_a_quarter() -> None:
    scene = Scene()
    scene.store.regions["texas"] = {"bob.rig1": (1024.0, NOW_MS)}
    scene.pool.pass_seconds(SHARE_EVERY)
    assert scene.pool.server.remembered.recall("bob.rig1", NOW_MS + 5000) == 256.0


def test_what_a_worker_proved_in_one_region_is_what_it_begins_with_in_another() -> None:
    here, there = Scene(), Scene("kazakhstan")
    there.store.regions = here.store.regions
    here.pool.ready()
    here.pool.server.remembered.note("alice.rig1", 1.0, NOW_MS)
    for scene in (here, there):
        scene.pool.pass_seconds(2 * SHARE_EVERY)
    miner = there.pool.connect(SUBSCRIBE, AUTHORIZE)
    [told] = [each["params"] for each in miner.received() if each.get("method") == "mining.set_difficulty"]
    assert told == [0.25]
    assert [(each.account, each.worker) for each in there.pool.server.sessions[0].logins.values()] == [
        ("alice", "rig1")
    ]


def test_what_no_stratum_process_writes_is_passed_over() -> None:
    scene = Scene()
    scene.store.regions["texas"] = {"not a login": (1.0, NOW_MS), "bob": (-1.0, NOW_MS)}
    scene.pool.pass_seconds(SHARE_EVERY)
    assert scene.pool.server.remembered.recall("bob", NOW_MS + 5000) is None


def test_difficulties_are_told_to_other_regions_and_those_of_long_ago_are_forgotten() -> None:
    scene = Scene()
    scene.store.regions["sichuan"] = {"old": (1.0, NOW_MS)}
    scene.pool.server.remembered.note("new", 64.0, NOW_MS + REMEMBERED_MS)
    scene.pool.clock.advance(REMEMBERED_MS / 1000)
    scene.region.stop()
    Region(
        "sichuan",
        scene.store,
        scene.pool.server.redirects,
        scene.pool.server.remembered,
        scene.pool.reactor,
        scene.pool.clock,
        at_once,
    ).start()
    assert scene.store.regions["sichuan"] == {"new": (64.0, NOW_MS + REMEMBERED_MS)}
