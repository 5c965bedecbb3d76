"""pool.reports.weak."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest

from payout.withholding import ALPHA, judge_luck
from pool.reports.facts import ReportRefused
from pool.reports.weak import FILLED, Measured, log_chance, weak
from tests.pool.reports.kazakhstan import DAY_MS, LOGINS, ON_MS, known

NOW_MS = ON_MS + 30 * DAY_MS
NOMINAL = 56_875 * 1e9


def measured(login: str, part: float, shares: float = 8_000, window_seconds: int = 86_400, days: int = 30) -> Measured:
    return Measured(login, window_seconds, NOMINAL * part, shares, NOW_MS - days * DAY_MS)


class TestWeak:
    def test_a_machine_that_lost_a_board_is_found(self) -> None:
        found = weak(known(NOW_MS), [measured(LOGINS[0], 0.66), measured(LOGINS[1], 1.01)])
        assert [(each.login, each.measured_vs_nominal_bps) for each in found.machines] == [(LOGINS[0], 6_600)]
        assert (found.machines[0].site, found.machines[0].rack) == ("almaty", "sc-r00")
        assert (found.judged, found.unclear) == (2, 0)

    def test_one_noisy_reading_is_no_proof(self) -> None:
        found = weak(known(NOW_MS), [measured(LOGINS[0], 0.8, shares=20)])
        assert (found.machines, found.unclear) == ((), 1)

    def test_the_more_machines_are_judged_the_more_it_takes(self) -> None:
        low = measured(LOGINS[0], 0.85, shares=5_000)
        assert weak(known(NOW_MS), [low]).machines
        assert not weak(known(NOW_MS), [low, *(measured(login, 1.0) for login in LOGINS[1:])]).machines

    def test_healthy_machines_are_not_accused_in_ten_thousand_draws(self) -> None:
        drawn, shares = random.Random(7), 100
        for _ in range(32):
            fleet = [measured(login, drawn.gauss(1, 0.1), shares) for login in LOGINS]
            found = weak(known(NOW_MS), fleet)
            assert found.machines == ()
            assert found.unclear > 0

    def test_who_came_back_lately_is_judged_by_a_shorter_window_or_not_at_all(self) -> None:
        back = [measured(LOGINS[0], 0.3, days=1), measured(LOGINS[0], 1.0, 700, 3600, days=1)]
        assert not weak(known(NOW_MS), back).machines
        young = measured(LOGINS[0], 0.3, days=FILLED - 1)
        assert weak(known(NOW_MS), [young]).young == 1

    def test_who_is_assigned_to_nothing_is_left_out(self) -> None:
        found = weak(known(NOW_MS), [measured("bit.tx-1", 0.1), measured("other.sc-r01-1", 0.1)])
        assert (found.judged, found.unknown, found.machines) == (0, 0, ())

    def test_only_the_fleet_that_was_asked_for_is_judged(self) -> None:
        assert weak(known(NOW_MS), [measured(LOGINS[0], 0.5)], "bit/main").judged == 1
        with pytest.raises(ReportRefused, match="no fleet or account"):
            weak(known(NOW_MS), [measured(LOGINS[0], 0.5)], "other")


class TestLogChance:
    @pytest.mark.parametrize(("found", "expected"), [(0, 12), (3, 20), (80, 120), (500, 600)])
    def test_it_is_never_below_the_exact_probability(self, found: int, expected: int) -> None:
        exact = judge_luck(Fraction(expected), found, ALPHA).probability
        assert log_chance(found, expected) >= float(exact.ln())
        assert log_chance(found, expected) <= float(exact.ln()) + math.log(expected) + 1

    def test_as_many_as_expected_say_nothing(self) -> None:
        assert log_chance(12, 12) == 0
