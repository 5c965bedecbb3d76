"""Whether more shares are refused than usual."""

from __future__ import annotations

from msgspec.structs import replace

from pool.alerts.reject_watch import RejectWatch
from pool.dashboard.rows import Activity
from tests.pool.dashboard.fakes import worker

BASE = worker("a.rig").activity


def told(*parts: tuple[int, int]) -> list[str]:
    """Counts that grow by these, accepted and refused, minute by minute; what is told at the end."""
    watch, accepted, rejected, alerts = RejectWatch(), 0, 0, list[str]()
    for minute, (more, refused) in enumerate(parts):
        accepted, rejected = accepted + more, rejected + refused
        alerts = [each.title for each in watch.look(_activity(accepted, rejected), minute * 60.0)]
    return alerts


def _activity(accepted: int, rejected: int) -> Activity:
    return replace(BASE, accepted=accepted, rejected={"stale": rejected})


def test_a_burst_of_refused_shares_is_told_with_its_part() -> None:
    assert told(*[(1000, 2)] * 60, *[(900, 100)] * 10) == ["10.0% of the shares are refused"]


def test_a_few_more_than_usual_are_luck() -> None:
    assert told(*[(100, 2)] * 60, *[(97, 4)] * 10) == []


def test_what_is_always_so_is_no_news() -> None:
    assert told(*[(900, 100)] * 90) == []


def test_a_small_part_is_no_loss_however_improbable() -> None:
    assert told(*[(100_000, 10)] * 60, *[(100_000, 1500)] * 10) == []


def test_a_few_stale_shares_of_a_tiny_pool_are_nothing() -> None:
    assert told(*[(1, 0)] * 60, *[(1, 0)] * 9, (1, 2)) == []


def test_counters_that_begin_anew_are_no_burst() -> None:
    watch = RejectWatch()
    watch.look(_activity(10**6, 10**5), 0.0)
    assert watch.look(_activity(1000, 300), 60.0) == []
    assert watch.look(_activity(2000, 301), 120.0) == []
