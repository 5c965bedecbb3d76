"""pool.reports.power_paper: all sites together."""

from __future__ import annotations

from typing import Any

from pool.fleet.kinds import Assignment, Batch, Capacity, Count
from pool.reports.power import power
from pool.reports.power_paper import power_paper
from tests.pool.reports.kazakhstan import HOUR_MS, LONG_AGO_MS, ON_MS, facts, known

SINCE: dict[str, Any] = {"valid_from_ms": LONG_AGO_MS}
MARKS = [ON_MS, ON_MS + HOUR_MS, ON_MS + 2 * HOUR_MS]
GANZI = (
    Batch(name="bit/main/two", model="S17", machines=100, nominal_ghs=9, **SINCE),
    Count(batch="bit/main/two", hashing=100, **SINCE),
    Assignment(account="bit", pattern="x*", fleet="bit/main", site="ganzi", batch="bit/main/two", **SINCE),
)
"""A hundred machines that stayed."""


def summed(*told: Any, site: str = "") -> list[dict[str, str]]:
    """The rows of the table of sites."""
    (table, *_) = power_paper(power(known(ON_MS, list(told)), MARKS, site)).tables
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_the_last_row_is_the_sum_of_all_sites() -> None:
    almaty, ganzi, whole = summed(*facts(), *GANZI)
    assert [row["site"] for row in (almaty, ganzi, whole)] == ["almaty", "ganzi", "all"]
    assert [row["machines"] for row in (almaty, ganzi, whole)] == ["320", "100", "420"]
    assert [row["drawn kW"] for row in (almaty, ganzi, whole)] == ["1,040.0", "325.0", "1,365.0"]
    assert (whole["capacity kW"], whole["of capacity"]) == ("60,000.0", "2.27%")
    assert whole["reserved kW"] == "2,000.0"


def test_what_all_draw_at_most_is_of_one_hour() -> None:
    gone = Count(batch="bit/main/one", hashing=0, installed=320, reason="power", valid_from_ms=ON_MS + HOUR_MS)
    late = Count(batch="bit/main/two", hashing=100, valid_from_ms=ON_MS + HOUR_MS)
    told = [each for each in GANZI if not isinstance(each, Count)]
    rows = summed(*facts(), *told, gone, late)
    assert [row["highest kW"] for row in rows] == ["1,040.0", "325.0", "1,040.0"]


def test_without_the_capacity_of_each_site_there_is_none_of_all() -> None:
    told = [each for each in facts() if not (isinstance(each, Capacity) and each.site == "ganzi")]
    *_, whole = summed(*told, *GANZI)
    assert (whole["drawn kW"], whole["capacity kW"], whole["of capacity"]) == ("1,365.0", "", "")


def test_one_site_has_no_sum() -> None:
    assert [row["site"] for row in summed(*facts(), site="almaty")] == ["almaty"]
