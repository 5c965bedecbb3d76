"""What is wrong, as the parts of the pool know it."""

from __future__ import annotations

from pool.alerts.alert import Alert
from pool.alerts.sources import ALERTS_MAX, alerts_in, from_fleets, from_health, groups_of
from pool.dashboard.checks import Check, State
from pool.dashboard.fleet_rows import AlarmSign
from pool.dashboard.health import Health
from pool.dashboard.workers import Group
from tests.pool.dashboard.fakes import NOW_MS, live_view, worker


def test_checks_that_are_down_page_and_those_that_warn_do_not() -> None:
    checks = (
        Check("redis", State.DOWN, "not running", "Start it."),
        Check("disk", State.WARN, "1 GiB is free", None),
        Check("luck", State.UNKNOWN, "not known", None),
        Check("work", State.OK, "makes jobs", None),
        Check("fleet", State.WARN, "told one by one", None),
    )
    assert from_health(Health(False, checks)) == [
        Alert("redis", "page", "redis: not running", "not running", "Start it."),
        Alert("disk", "warn", "disk: 1 GiB is free", "1 GiB is free", ""),
    ]


def test_a_site_in_the_dark_pages_and_single_machines_do_not() -> None:
    site = AlarmSign("site", "ganzi", 40, 42, NOW_MS, ("r1", "r2"))
    alerts = from_fleets([site, AlarmSign("machines", "almaty", 1, 90, NOW_MS, ("bit.kz-1",))])
    assert [(alert.key, alert.severity) for alert in alerts] == [("site:ganzi", "page"), ("machines:almaty", "warn")]
    assert alerts[0].title == "site ganzi is dark: 40 of 42 machines"


def test_accounts_and_sites_are_looked_at_by_their_names() -> None:
    view = live_view([worker("bit.kz-1")])
    site = Group("almaty", None, 1, 1, view.pool)
    assert list(groups_of(view, [site])) == ["account bit", "site almaty"]


def test_a_role_says_what_is_wrong_in_its_sign_of_life() -> None:
    alarm = {"key": "late:ganzi", "severity": "warn", "title": "3 machines are late", "text": "kz-1"}
    assert alerts_in("accounting/0", {"alerts": [alarm]}) == [
        Alert("late:ganzi", "warn", "3 machines are late", "kz-1")
    ]
    assert alerts_in("web/0", {}) == []


def test_no_role_has_alarms_without_end() -> None:
    alarm = {"key": "x", "severity": "warn", "title": "x", "text": "x"}
    assert len(alerts_in("accounting/0", {"alerts": [alarm] * 500})) == ALERTS_MAX


def test_alarms_of_another_version_are_an_alarm() -> None:
    (alert,) = alerts_in("accounting/0", {"alerts": [{"key": 1}]})
    assert alert.title == "accounting/0: alerts of another version"
