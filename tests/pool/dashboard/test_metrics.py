"""Prometheus series: valid, complete, and as many for ten thousand workers as for one."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from pool.dashboard.metrics import NODE_STATES
from pool.node.choice import State
from tests.pool.dashboard.browser import Browser, healthy, without_database, without_redis
from tests.pool.dashboard.fakes import HOSTILE_NAMES, NOW_MS, FakeLive, farm, live_view, worker

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def series(browser: Browser) -> Series:
    text = browser.ask("/metrics").body.decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Series, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def test_the_content_type_is_prometheus_text() -> None:
    assert healthy().ask("/metrics").headers["content-type"].startswith("text/plain; version=")


def test_hashrate_has_one_series_a_window() -> None:
    found = series(healthy())
    assert {dict(labels)["window"] for name, labels in found if name == "steppe_hashrate_hps"} == {
        "1m", "5m", "1h", "24h",
    }  # fmt: skip


def test_shares_are_counters() -> None:
    found = series(healthy())
    assert value(found, "steppe_shares_accepted_total") == 3 * 8_640
    assert value(found, "steppe_shares_rejected_total", reason="stale") == 27


def test_a_reason_is_there_before_it_first_happens() -> None:
    assert value(series(healthy()), "steppe_shares_rejected_total", reason="duplicate") == 0


def test_every_block_state_is_there_before_its_first_block() -> None:
    found = series(healthy())
    assert value(found, "steppe_blocks", state="mature") == 10
    assert value(found, "steppe_blocks", state="dead") == 0


def test_the_age_of_the_template_can_be_computed_from_its_time() -> None:
    assert value(series(healthy()), "steppe_template_timestamp_seconds", region="main") == (NOW_MS - 11_000) / 1000


def test_the_age_of_the_template_is_there_too() -> None:
    assert value(series(healthy()), "steppe_template_age_seconds", region="main") == 11


def test_every_state_of_a_node_is_there_before_a_node_has_it() -> None:
    found = series(healthy())
    assert value(found, "steppe_nodes", region="main", state="good") == 1
    assert value(found, "steppe_nodes", region="main", state="lagging") == 0


def test_the_verdict_on_the_chain_is_one_of_three() -> None:
    found = series(healthy())
    of_each = {
        each: value(found, "steppe_chain_verdict", region="main", verdict=each)
        for each in ("majority", "minority", "unknown")
    }
    assert of_each == {"majority": 1, "minority": 0, "unknown": 0}


def test_refused_templates_are_counted() -> None:
    assert value(series(healthy()), "steppe_templates_refused_total", region="main") == 0


def test_each_region_has_series_of_its_own() -> None:
    """A counter of all would fall, and rise again, when a work role went and came."""
    browser = healthy()
    roles = browser.live.content.roles
    down = replace(roles.work["main"], nodes=(), job=None, blocks_refused=2)
    work = {"main": roles.work["main"], "texas": down}
    browser.live.content = replace(browser.live.content, roles=replace(roles, work=work))
    found = series(browser)
    assert value(found, "steppe_nodes", region="texas", state="good") == 0
    assert value(found, "steppe_nodes", region="main", state="good") == 1
    assert value(found, "steppe_blocks_refused", region="texas") == 2
    assert value(found, "steppe_blocks_refused", region="main") == 0
    assert ("steppe_template_age_seconds", frozenset({("region", "texas")})) not in found


def test_the_states_are_those_of_the_choice() -> None:
    assert tuple(state.value for state in State) == NODE_STATES


def test_the_room_on_the_disk_of_each_role_is_told() -> None:
    found = series(healthy())
    assert value(found, "steppe_disk_free_bytes", role="work") == 200 * 2**30
    assert value(found, "steppe_disk_bytes", role="stratum") == 500 * 2**30


@pytest.mark.parametrize(("browser", "ready"), [(healthy(), 1), (without_redis(), 0), (without_database(), 0)])
def test_ready_is_that_of_readyz(browser: Browser, ready: int) -> None:
    assert value(series(browser), "steppe_ready") == ready
    assert (browser.ask("/readyz").status == 200) == bool(ready)


def test_a_maintenance_has_its_end_and_none_has_zero() -> None:
    browser = healthy()
    assert value(series(browser), "steppe_maintenance_until_timestamp_seconds") == 0
    browser.live.content = replace(browser.live.content, silenced_until_ms=NOW_MS + 1_500)
    browser.clock.seconds += 2
    found = value(series(browser), "steppe_maintenance_until_timestamp_seconds")
    assert found == (NOW_MS + 1_500) / 1000


def test_without_redis_the_books_are_still_scraped() -> None:
    found = series(without_redis())
    assert value(found, "steppe_dependency_up", dependency="redis") == 0
    assert value(found, "steppe_accounts") == 3
    assert not [name for name, _ in found if name.startswith("steppe_hashrate")]


def test_the_number_of_series_does_not_grow_with_the_fleet() -> None:
    small, large = (series(Browser(live=FakeLive(live_view(farm(size))))) for size in (30, 10_352))
    assert small.keys() == large.keys()
    assert len(large) < 120


def test_nothing_that_a_stranger_chose_becomes_a_label() -> None:
    view = live_view([worker(f"acct.{name}") for name in HOSTILE_NAMES])
    pool = replace(view.pool, rejected=dict.fromkeys(HOSTILE_NAMES, 1))
    browser = Browser(live=FakeLive(replace(view, pool=pool)))
    assert value(series(browser), "steppe_shares_rejected_total", reason="other") == len(HOSTILE_NAMES)
    assert series(browser).keys() == series(healthy()).keys()
