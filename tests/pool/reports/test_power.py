"""pool.reports.power: The9 with BitRiver, 15 MW reserved, and BIT Mining in Kazakhstan."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from msgspec.structs import replace

from payout.contracts import parse_steps
from pool.fleet.kinds import Assignment, Batch, Contract, ContractKind, Count, Rate, Tariff
from pool.reports.facts import ReportRefused, Work
from pool.reports.power import power
from tests.pool.reports.kazakhstan import HOUR_MS, LONG_AGO_MS, NEW, ON_MS, facts, known

SINCE: dict[str, Any] = {"valid_from_ms": LONG_AGO_MS}
MARKS = [ON_MS, ON_MS + HOUR_MS, ON_MS + 2 * HOUR_MS]
HOUR_WORK = 18_200_000 * 10**9 * 3600


class TestPower:
    def test_machines_draw_their_models_watts(self) -> None:
        (site,) = power(known(ON_MS), MARKS, "almaty").sites
        assert [(step.machines, step.drawn_w, step.capacity_w) for step in site.steps] == [
            (320, 1_040_000, 20_000_000)
        ] * 2

    def test_shares_say_how_much_of_it_was_hashing(self) -> None:
        works = [Work("bit", NEW, ON_MS, ON_MS + HOUR_MS, HOUR_WORK // 2)]
        (site,) = power(known(ON_MS, works=works), MARKS, "almaty").sites
        assert [step.measured_w for step in site.steps] == [520_000, 0]

    def test_what_is_reserved_and_not_drawn_is_stranded(self) -> None:
        (site,) = power(known(ON_MS), MARKS, "almaty").sites
        (stranded,) = site.stranded
        assert (stranded.contract, stranded.reserved_w, stranded.drawn_w) == ("kz-jv", 2_000_000, 1_040_000)
        assert (stranded.energy_wh, stranded.cost_sat) == (2 * 960_000, None)

    def test_stranded_power_has_a_price_where_tariff_and_rate_are_known(self) -> None:
        told = [
            *facts(),
            Tariff(contract="kz-jv", party="bit", currency="USD", per_kwh=Fraction(5, 2), **SINCE),
            Rate(currency="USD", sat_per_minor=Fraction(10), **SINCE),
        ]
        (site,) = power(known(ON_MS, told), MARKS, "almaty").sites
        assert site.stranded[0].cost_sat == 1_920 * 25

    def test_an_hour_that_draws_more_does_not_make_up_for_one_that_draws_less(self) -> None:
        later = Count(batch="bit/main/one", hashing=0, installed=320, reason="power", valid_from_ms=ON_MS + HOUR_MS)
        told = [
            replace(each, reserved_w=500_000) if isinstance(each, Contract) and each.site else each for each in facts()
        ]
        (site,) = power(known(ON_MS, [*told, later]), MARKS, "almaty").sites
        assert site.stranded[0].energy_wh == 500_000

    def test_more_than_there_is_says_so(self) -> None:
        told = [*facts(), Batch(name="bit/main/two", model="S17", machines=6000, nominal_ghs=9, **SINCE)]
        told += [
            Count(batch="bit/main/two", hashing=6000, **SINCE),
            Assignment(account="bit", pattern="x*", fleet="bit/main", site="almaty", batch="bit/main/two", **SINCE),
        ]
        (site,) = power(known(ON_MS, told), MARKS, "almaty").sites
        assert all(step.is_over for step in site.steps)

    def test_planned_arrivals_beyond_the_capacity_are_told_before_they_come(self) -> None:
        told = [
            *facts(),
            Batch(name="bit/main/two", model="S17", machines=6000, nominal_ghs=9, planned_ms=ON_MS + 5, **SINCE),
            Assignment(account="bit", pattern="x*", fleet="bit/main", site="almaty", batch="bit/main/two", **SINCE),
        ]
        (site,) = power(known(ON_MS, told), MARKS, "almaty").sites
        (arrivals,) = site.arrivals
        assert (arrivals.batches, arrivals.drawn_w) == (("bit/main/two",), 6320 * 3_250)
        assert arrivals.is_over

    def test_fifteen_megawatts_take_4615_machines(self) -> None:
        told = [
            *facts(),
            Contract(
                name="river",
                kind=ContractKind.HOSTING,
                steps=parse_steps(""),
                site="ganzi",
                reserved_w=15_000_000,
                **SINCE,
            ),
            Batch(name="bit/main/nine", model="S17", machines=4615, nominal_ghs=9, **SINCE),
            Count(batch="bit/main/nine", hashing=4615, **SINCE),
            Assignment(
                account="bit",
                pattern="n*",
                fleet="bit/main",
                site="ganzi",
                batch="bit/main/nine",
                contract="river",
                **SINCE,
            ),
        ]
        (site,) = power(known(ON_MS, told), MARKS, "ganzi").sites
        stranded = {each.contract: each for each in site.stranded}["river"]
        assert stranded.reserved_w - stranded.drawn_w == 1_250

    def test_an_unknown_site_is_refused_with_those_there_are(self) -> None:
        with pytest.raises(ReportRefused, match="there are: almaty, ganzi"):
            power(known(ON_MS), MARKS, "texas")

    def test_a_notice_that_is_to_come_is_told(self) -> None:
        (site,) = power(known(ON_MS - 30 * 86_400_000), [1, 2], "ganzi").sites
        assert [each.source for each in site.notices] == ["State Grid"]
