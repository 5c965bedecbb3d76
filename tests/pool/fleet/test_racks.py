"""Racks by name, and the order of machines."""

from __future__ import annotations

import pytest

from pool.fleet.racks import BadRackRule, check_rule, in_order, rack_of


def test_the_rack_is_what_stands_before_the_last_dash_of_the_worker_name() -> None:
    assert rack_of("acme.kz1-r07-0113") == "kz1-r07"


def test_a_name_without_a_dash_is_in_no_rack() -> None:
    assert rack_of("acme.lonely") == ""
    assert rack_of("acme") == ""


def test_another_rule_finds_the_rack_elsewhere() -> None:
    assert rack_of("acme.m0113_rack7", r"m[0-9]+_(rack[0-9]+)") == "rack7"


def test_machines_stand_by_rack_and_numbers_count_as_numbers() -> None:
    logins = ["a.s-r10-1", "a.s-r2-10", "a.s-r2-9", "a.x"]
    assert sorted(logins, key=in_order) == ["a.x", "a.s-r2-9", "a.s-r2-10", "a.s-r10-1"]


@pytest.mark.parametrize(("rule", "says"), [("(", "no regular expression"), (".*", "no group")])
def test_a_rule_that_finds_no_rack_is_refused_with_the_reason(rule: str, says: str) -> None:
    with pytest.raises(BadRackRule, match=says):
        check_rule(rule)
