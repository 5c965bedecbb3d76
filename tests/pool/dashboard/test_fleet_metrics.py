"""Series of sites and of single workers."""

from __future__ import annotations

from msgspec.structs import replace

from pool.dashboard.fleet_metrics import SITES_MAX, WORKERS_MAX, FleetSeries, fleet_metrics
from pool.dashboard.workers import Group
from pool.fleet.kinds import Assignment
from pool.fleet.register import Register
from tests.pool.dashboard.browser import Browser
from tests.pool.dashboard.fakes import HOSTILE_NAMES, NOW_MS, FakeLive, farm, live_view, worker
from tests.pool.dashboard.test_metrics import Series, series, value

RIG = worker("bit.kz-1", 90e12)


def families(told: FleetSeries) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in fleet_metrics(told)
        for sample in family.samples
    }


def sites(count: int) -> list[Group]:
    return [Group(f"site-{number}", None, 5, 4, RIG.activity) for number in range(count)]


def test_a_site_has_its_workers_and_its_hashrate() -> None:
    browser = Browser(FakeLive(live_view([RIG, worker("bit.kz-2", sessions=0), worker("ali.rig")])))
    at = Assignment(
        account="bit", pattern="*", fleet="bit/main", site="almaty", slice_id=1, row_id=1, valid_from_ms=NOW_MS
    )
    browser.fleets.known = Register([at])
    found = series(browser)
    assert value(found, "steppe_site_workers", site="almaty") == 2
    assert value(found, "steppe_site_workers_online", site="almaty") == 1
    assert value(found, "steppe_site_hashrate_hps", site="almaty") > 90e12


def test_no_worker_has_series_unless_the_operator_wants_it() -> None:
    assert not [name for name, _ in series(Browser(FakeLive(live_view([RIG])))) if name.startswith("steppe_worker_")]


def test_who_wants_it_has_three_of_each_worker() -> None:
    found = series(Browser(FakeLive(live_view([RIG])), worker_series=10))
    assert value(found, "steppe_worker_shares_accepted_total", worker="bit.kz-1") == RIG.activity.accepted
    assert value(found, "steppe_worker_shares_rejected_total", worker="bit.kz-1") == RIG.activity.rejected_total
    assert value(found, "steppe_worker_hashrate_hps", worker="bit.kz-1") == RIG.activity.hashrate.five_minutes.hps


def test_what_is_beyond_the_limits_is_counted() -> None:
    found = families(FleetSeries(sites(SITES_MAX + 3), [RIG, replace(RIG, login="bit.kz-2")], 1))
    assert value(found, "steppe_series_left_out", of="sites") == 3
    assert value(found, "steppe_series_left_out", of="workers") == 1


def test_hostile_names_are_no_labels() -> None:
    rows = [replace(RIG, login=f"acct.{name}") for name in HOSTILE_NAMES]
    groups = [replace(sites(1)[0], name=name) for name in HOSTILE_NAMES]
    labels = {value for _, each in families(FleetSeries(groups, rows, 100)) for _, value in each}
    assert labels == {"sites", "workers", "acct." + "W" * 64, "W" * 64}


def test_at_ten_thousand_workers_and_every_limit_there_are_at_most_two_thousand_series() -> None:
    browser = Browser(FakeLive(live_view(farm(10_352))), worker_series=WORKERS_MAX)
    assert 1_500 < len(series(browser)) + 3 * SITES_MAX <= 2_000
