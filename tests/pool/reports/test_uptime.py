"""pool.reports.uptime and pool.reports.losses."""

from __future__ import annotations

import pytest

from pool.fleet.kinds import EventKind, SiteEvent
from pool.reports.downtime import Journey
from pool.reports.facts import Dark, ReportRefused, Span, Work
from pool.reports.losses import downtime
from pool.reports.uptime import clock, uptime
from pool.reports.windows import Cause, Window
from tests.pool.reports.kazakhstan import DAY_MS, HOUR_MS, LOGINS, NEW, OFF_MS, ON_MS, facts, known, move, travellers

DAY = Span(ON_MS, ON_MS + DAY_MS)
NOW_MS = ON_MS + 2 * DAY_MS
CURTAILED = SiteEvent(
    site="almaty",
    kind=EventKind.CURTAILMENT,
    announced_ms=ON_MS,
    valid_from_ms=ON_MS + HOUR_MS,
    valid_to_ms=ON_MS + 3 * HOUR_MS,
)
ALL_BUT_TWO_HOURS = 18_200_000 * 10**9 * 22 * 3600


class TestClock:
    def test_it_stands_in_windows_however_they_overlap(self) -> None:
        told = [Window("s", Cause.CURTAILMENT, 2, 5, ""), Window("s", Cause.SUSPENSION, 4, 6, "")]
        assert clock(Span(0, 10), told) == [Span(0, 2), Span(6, 10)]

    def test_it_does_not_run_while_a_window_has_no_end(self) -> None:
        assert clock(Span(0, 10), [Window("s", Cause.CLOSURE, 3, None, "")]) == [Span(0, 3)]


class TestUptime:
    def test_all_machines_up_all_the_time_are_the_whole(self) -> None:
        works = [Work("bit", NEW, DAY.from_ms, DAY.to_ms, 18_200_000 * 10**9 * 86_400, 10**15)]
        found = uptime(known(NOW_MS, works=works), DAY, "kz-jv", [])
        assert (found.uptime_bps, found.delivered_bps, found.machine_seconds) == (10_000, 10_000, 320 * 86_400)

    def test_a_fault_counts_and_a_curtailment_does_not(self) -> None:
        darks = [
            Dark(LOGINS[0], ON_MS + HOUR_MS, ON_MS + 3 * HOUR_MS),
            Dark(LOGINS[1], ON_MS + 2 * HOUR_MS, ON_MS + 4 * HOUR_MS),
        ]
        works = [
            Work("bit", NEW, ON_MS, ON_MS + HOUR_MS, ALL_BUT_TWO_HOURS // 22, 10**15),
            Work("bit", NEW, ON_MS + 3 * HOUR_MS, DAY.to_ms, ALL_BUT_TWO_HOURS * 21 // 22, 10**15),
        ]
        found = uptime(known(NOW_MS, [*facts(), CURTAILED], darks=darks, works=works), DAY, "kz-jv", [])
        assert (found.stopped_seconds, found.clock_seconds) == (7_200, 79_200)
        assert (found.dark_seconds, found.machine_seconds) == (3_600, 320 * 79_200)
        assert found.uptime_bps == (320 * 22 - 1) * 10_000 // (320 * 22)
        assert found.delivered_bps == 10_000

    def test_machines_on_a_move_are_not_due(self) -> None:
        span = Span(OFF_MS, ON_MS)
        found = uptime(known(NOW_MS), span, "kz-jv", [Journey(move(), travellers())])
        assert (found.machine_seconds, found.moving_seconds, found.dark_seconds) == (0, 320 * 666_000, 0)

    def test_an_unknown_contract_is_refused_with_those_there_are(self) -> None:
        with pytest.raises(ReportRefused, match="there are: ganzi-1, kz-jv"):
            uptime(known(NOW_MS), DAY, "river", [])

    def test_no_time_is_refused(self) -> None:
        with pytest.raises(ReportRefused, match="has no time"):
            uptime(known(NOW_MS), Span(5, 5), "kz-jv", [])


class TestDowntime:
    def test_it_is_told_by_cause_by_site_and_by_machine(self) -> None:
        darks = [
            Dark(LOGINS[0], ON_MS + HOUR_MS, ON_MS + 3 * HOUR_MS),
            Dark(LOGINS[1], ON_MS + 2 * HOUR_MS, ON_MS + 4 * HOUR_MS),
        ]
        found = downtime(known(NOW_MS, [*facts(), CURTAILED], darks=darks), DAY, "bit", [])
        assert [(each.cause, each.machines, each.machine_seconds) for each in found.causes] == [
            ("curtailment", 2, 10_800),
            ("fault", 1, 3_600),
        ]
        assert [each.site for each in found.sites] == ["almaty"]
        assert [each.login for each in found.machines] == [LOGINS[0], LOGINS[1]]
        assert found.lost_sat == sum(each.cost_sat for each in found.causes) > 0

    def test_a_fleet_without_workers_is_refused(self) -> None:
        with pytest.raises(ReportRefused, match="no workers are assigned to nobody"):
            downtime(known(NOW_MS), DAY, "nobody", [])
