"""pool.roles.range_claim: one process has a range, and a second is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from pool.ports import StoreUnavailable
from pool.roles.range_claim import LIFE_SECONDS, RangeClaim, claim_of
from pool.roles.twisted_role import CannotStart
from pool.store.redis_ranges import Claim

T = TypeVar("T")

OURS = Claim("kz-host:7:700", "kazakhstan", "boot-1/journal-1")
OTHER = Claim("cn-host:4:400", "sichuan", "boot-2/journal-2")
BEFORE = Claim("kz-host:6:600", "kazakhstan", "boot-1/journal-1")


def at_once(work: Callable[[], T], /) -> Deferred[T]:
    return maybeDeferred(work)


class FakeRanges:
    """Redis with one range in it."""

    def __init__(self) -> None:
        self.found: Claim | None = None
        self.is_away = False
        self.takes = 0

    def take(self, number: int, claim: Claim, life_ms: int, ended: Claim | None = None) -> Claim:
        assert (number, life_ms) == (3, LIFE_SECONDS * 1000)
        self.takes += 1
        if self.is_away:
            raise StoreUnavailable("away")
        if self.found in (None, claim, ended):
            self.found = claim
        assert self.found is not None
        return self.found

    def release(self, number: int, claim: Claim) -> None:
        if self.is_away:
            raise StoreUnavailable("away")
        if self.found == claim:
            self.found = None


class Scene:
    def __init__(self, has_ended: bool = False) -> None:
        self.ranges = FakeRanges()
        self.clock = Clock()
        self.claim = RangeClaim(self.ranges, 3, OURS, lambda holder: has_ended, self.clock, at_once)
        self.begun: list[object] = []

    def begin(self, seconds: float = 0) -> None:
        Deferred.fromCoroutine(self.claim.begin()).addBoth(self.begun.append)
        self.pass_seconds(seconds)

    def pass_seconds(self, seconds: float) -> None:
        for _ in range(int(seconds * 2)):
            self.clock.advance(0.5)

    def refusal(self, results: list[Any]) -> str:
        [failure] = results
        assert isinstance(failure, Failure)
        assert isinstance(failure.value, CannotStart)
        return str(failure.value)


def test_a_free_range_is_taken_at_once_and_kept() -> None:
    scene = Scene()
    scene.begin()
    assert scene.begun == [None]
    assert scene.ranges.found == OURS
    scene.pass_seconds(10)
    assert scene.ranges.takes == 11


def test_a_second_process_is_refused_with_the_range_the_other_and_the_mend() -> None:
    scene = Scene()
    scene.ranges.found = OTHER
    scene.begin(LIFE_SECONDS)
    assert scene.begun == [], "the other may be dead, and fade"
    scene.pass_seconds(2)
    assert scene.refusal(scene.begun) == (
        "stratum.extranonce_range 3 is taken by process 4 on cn-host, of region sichuan: both would give their miners "
        "the same work; give each stratum process of all regions a number of its own"
    )


def test_a_claim_that_fades_is_taken_over() -> None:
    scene = Scene()
    scene.ranges.found = OTHER
    scene.begin(2)
    scene.ranges.found = None
    scene.pass_seconds(1)
    assert scene.begun == [None]
    assert scene.ranges.found == OURS


def test_one_of_a_process_that_has_ended_is_taken_at_once() -> None:
    scene = Scene(has_ended=True)
    scene.ranges.found = BEFORE
    scene.begin()
    assert scene.begun == [None]
    assert scene.ranges.found == OURS


def test_one_with_another_journal_is_waited_for_though_its_host_has_our_name() -> None:
    scene = Scene(has_ended=True)
    scene.ranges.found = replace(OTHER, holder="kz-host:4:400")
    scene.begin()
    assert scene.begun == []


def test_a_claim_names_the_journal_and_the_start_of_the_machine() -> None:
    one, other = (claim_of("kz-host:7:700", "kazakhstan", frontend) for frontend in ("a", "b"))
    assert one.place.partition("/")[0] == other.place.partition("/")[0] != ""
    assert (one.place.partition("/")[2], other.place.partition("/")[2]) == ("a", "b")


def test_without_redis_it_starts_and_claims_later() -> None:
    scene = Scene()
    scene.ranges.is_away = True
    scene.begin()
    assert scene.begun == [None]
    scene.ranges.is_away = False
    scene.pass_seconds(1)
    assert scene.ranges.found == OURS


@pytest.mark.parametrize("seconds", [1, 5])
def test_who_finds_another_there_after_a_time_without_redis_ends(seconds: int) -> None:
    scene = Scene()
    scene.ranges.is_away = True
    scene.begin()
    held: list[object] = []
    Deferred.fromCoroutine(scene.claim.hold()).addBoth(held.append)
    scene.ranges.is_away, scene.ranges.found = False, OTHER
    assert held == []
    scene.pass_seconds(seconds)
    assert scene.refusal(held).startswith("stratum.extranonce_range 3 is taken by process 4 on cn-host")


def test_at_the_end_it_is_given_back_and_no_more_asked_for() -> None:
    scene = Scene()
    scene.begin()
    stopped: list[object] = []
    Deferred.fromCoroutine(scene.claim.stop()).addBoth(stopped.append)
    scene.pass_seconds(5)
    assert (stopped, scene.ranges.found, scene.ranges.takes) == ([None], None, 1)


def test_without_redis_the_end_waits_for_nothing() -> None:
    scene = Scene()
    scene.begin()
    scene.ranges.is_away = True
    stopped: list[object] = []
    Deferred.fromCoroutine(scene.claim.stop()).addBoth(stopped.append)
    assert stopped == [None]
