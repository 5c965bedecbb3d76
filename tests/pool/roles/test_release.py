"""Miners without fresh work are let go, and taken in again."""

from __future__ import annotations

import pytest
from msgspec import structs

from pool.roles.release import Release
from stratum.limits import CloseReason
from tests.pool.node.captured import captured_events, names
from tests.stratum.scene import Pool, make_job

RELEASE_SECONDS = 120.0


class Released:
    """A pool with two miners and one job, that is watched."""

    def __init__(self) -> None:
        self.pool = Pool()
        self.pool.server.start()
        self.aborted: list[CloseReason] = []
        self.release = Release(
            RELEASE_SECONDS, self.pool.server, self.aborted.append, self.pool.clock, self.pool.reactor
        )
        self.release.start()
        self.take(age_ms=0)
        self.miners = [self.pool.ready() for _ in range(2)]

    def take(self, age_ms: int, job_id: str = "1") -> None:
        job = structs.replace(make_job(job_id), template_age_ms=age_ms)
        self.pool.server.take_job(job)
        self.release.take_job(job)

    def pass_seconds(self, seconds: int) -> None:
        for _ in range(seconds):
            self.pool.pass_seconds(1)

    def reset(self) -> int:
        return sum(miner.transport.disconnected for miner in self.miners)


@pytest.fixture
def it() -> Released:
    return Released()


def test_nobody_goes_before_the_time_is_over(it: Released) -> None:
    it.pass_seconds(int(RELEASE_SECONDS) - 1)
    assert it.reset() == 0


def test_then_all_are_reset(it: Released) -> None:
    it.pass_seconds(int(RELEASE_SECONDS) + 2)
    assert it.reset() == 2
    assert it.pool.server.counters["closed_no_work"] == 2


def test_nobody_is_taken_in(it: Released) -> None:
    it.pass_seconds(int(RELEASE_SECONDS) + 2)
    assert it.pool.server.warden.admit("198.51.100.7") is CloseReason.NO_WORK


def test_those_without_a_session_yet_are_reset_too(it: Released) -> None:
    it.pass_seconds(int(RELEASE_SECONDS) + 2)
    assert set(it.aborted) == {CloseReason.NO_WORK}


def test_jobs_of_an_old_template_do_not_help(it: Released) -> None:
    for number in range(1, 6):
        it.pass_seconds(30)
        it.take(age_ms=number * 30_000, job_id=f"{number + 1}")
    assert it.reset() == 2


def test_jobs_of_fresh_templates_do(it: Released) -> None:
    for number in range(1, 10):
        it.pass_seconds(30)
        it.take(age_ms=0, job_id=f"{number + 1}")
    assert it.reset() == 0


def test_the_age_that_a_job_had_when_it_came_counts(it: Released) -> None:
    it.pass_seconds(60)
    it.take(age_ms=50_000, job_id="2")
    it.pass_seconds(65)
    before = it.reset()
    it.pass_seconds(7)
    assert (before, it.reset()) == (0, 2)


def test_an_older_job_that_comes_again_makes_the_work_no_older(it: Released) -> None:
    it.take(age_ms=500_000)
    it.pass_seconds(2)
    assert it.reset() == 0


def test_with_fresh_work_miners_are_taken_in_again(it: Released) -> None:
    it.pass_seconds(int(RELEASE_SECONDS) + 2)
    it.take(age_ms=100, job_id="2")
    assert it.pool.server.warden.admit("198.51.100.7") is None
    it.pool.ready()
    it.pass_seconds(5)
    assert not it.release.is_released


def test_both_are_told_once(it: Released) -> None:
    with captured_events() as events:
        it.pass_seconds(int(RELEASE_SECONDS) + 20)
        it.take(age_ms=0, job_id="2")
        it.take(age_ms=0, job_id="3")
    assert [name for name in names(events) if name.startswith("miners")] == ["miners_released", "miners_welcome"]


def test_the_time_begins_at_the_start_when_no_job_ever_came() -> None:
    pool = Pool()
    pool.server.start()
    release = Release(RELEASE_SECONDS, pool.server, lambda reason: None, pool.clock, pool.reactor)
    release.start()
    for _ in range(int(RELEASE_SECONDS) + 2):
        pool.pass_seconds(1)
    assert release.is_released


def test_after_a_stop_nobody_is_let_go(it: Released) -> None:
    it.release.stop()
    it.pass_seconds(int(RELEASE_SECONDS) + 20)
    assert it.reset() == 0
