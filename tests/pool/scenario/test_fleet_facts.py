"""pool.scenario.fleet_facts: what the pool is told is good, and means what it should."""

from __future__ import annotations

import pytest

from pool.fleet.checks import mistakes
from pool.fleet.kinds import Assignment, Site
from pool.fleet.racks import rack_of
from pool.fleet.register import Register
from pool.fleet.slices import SliceTable
from pool.scenario.fleet_facts import ACCOUNTS, SITES, assigned_ms, entries, logins, notice
from tests.pool.fleet.rows import NOW_MS


@pytest.fixture
def told() -> Register:
    register = Register()
    recorded = register.add([*entries(320, NOW_MS), notice(NOW_MS, NOW_MS + 1)], NOW_MS)
    assert mistakes(register, recorded, ACCOUNTS, NOW_MS) == []
    return register


def test_a_share_belongs_to_the_site_of_the_region_where_it_came_in(told: Register) -> None:
    at_ms = assigned_ms(entries(320, NOW_MS))
    sites = {each.slice_id: each.site for each in told.known(Assignment)}
    for region, site in SITES.items():
        standing = SliceTable(told.every(Assignment), told.every(Site), region).at(at_ms)
        found = standing.slice_of("bit", "sc-r01-01")
        assert found is not None
        assert sites[found] == site


def test_machines_stand_in_racks_of_sixteen() -> None:
    racks = [rack_of(login) for login in logins(320)]
    assert len(set(logins(320))) == 320
    assert {racks.count(rack) for rack in racks} == {16}
