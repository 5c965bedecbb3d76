"""pool.fleet.checks: each mistake names its place, what is wrong and the mend."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from payout.contracts import parse_steps
from pool.fleet.checks import LEAD_MS, mistakes
from pool.fleet.facts import Fact, FleetRefused
from pool.fleet.kinds import Assignment, Batch, Capacity, Contract, ContractKind, Count, Fleet, Site
from pool.fleet.register import Register
from tests.pool.fleet.rows import ACCOUNTS, HOUR_MS, NOW_MS, entries, facts, register


def said(known: Register, *told: Fact, now_ms: int = NOW_MS) -> list[str]:
    """The mistakes of what is entered."""
    return [str(each) for each in mistakes(known, known.add(entries(list(told)), now_ms), ACCOUNTS, now_ms)]


def assigned(**changes: Any) -> Assignment:
    found = facts(**changes)[-1]
    assert isinstance(found, Assignment)
    return found


def slice_of(known: Register) -> Assignment:
    return known.known(Assignment)[0]


def at_ganzi(region: str) -> list[Fact]:
    """A second site, with power."""
    since: dict[str, Any] = {"valid_from_ms": NOW_MS}
    return [
        Site(name="ganzi", country="CN", time_zone="Asia/Shanghai", region=region, **since),
        Capacity(site="ganzi", capacity_w=1_000_000, **since),
    ]


def test_a_whole_fleet_that_is_good_is_taken_in_any_order() -> None:
    assert said(Register(), *reversed(facts())) == []


class TestTimeZone:
    """Of a site, and of what was said about one."""

    ZONES: ClassVar = {"Asia/Almaty", "Asia/Shanghai", "America/Chicago"}

    def wrong(self, known: Register, zone: str, zones: Collection[str] = ZONES, **changes: Any) -> list[str]:
        site = Site(name="mars-1", country="KZ", time_zone=zone, valid_from_ms=NOW_MS, **changes)
        return [str(each) for each in mistakes(known, known.add(entries([site]), NOW_MS), ACCOUNTS, NOW_MS, zones)]

    def test_one_that_is_not_is_refused_with_what_may_be_meant(self) -> None:
        unknown = "is not in the IANA database of time zones"
        assert self.wrong(Register(), "Asia/Almaty") == []
        assert self.wrong(Register(), "Asia/Alma-Ata") == [
            f"line 1: time_zone 'Asia/Alma-Ata' {unknown}; did you mean Asia/Almaty?"
        ]
        assert self.wrong(Register(), "Mars/Olympus") == [
            f"line 1: time_zone 'Mars/Olympus' {unknown}; names are as Asia/Almaty, by continent and city"
        ]

    def test_on_a_host_without_the_database_every_name_goes(self) -> None:
        assert self.wrong(Register(), "Mars/Olympus", zones=()) == []

    def test_a_row_that_was_taken_before_can_still_be_ended(self) -> None:
        known = Register()
        self.wrong(known, "Mars/Olympus", zones=())
        assert self.wrong(known, "Mars/Olympus", replaces=1, valid_to_ms=NOW_MS + 1) == []


class TestAssignment:
    def test_it_must_begin_some_seconds_after_it_is_entered(self) -> None:
        (mistake,) = said(register(), assigned(pattern="tx-*", valid_from_ms=NOW_MS + LEAD_MS - 1))
        assert mistake == ("line 1: it begins in the past or within 10 s; begin at 2021-06-18T07:06:50Z or later")

    def test_a_site_must_have_capacity_by_then(self) -> None:
        site = Site(name="dark", country="US", time_zone="America/Chicago", valid_from_ms=NOW_MS)
        mistake = said(register(), site, assigned(pattern="tx-*", site="dark", contract=""))
        assert mistake == [
            "line 2: site dark has no capacity at 2021-06-18T08:06:40Z; enter it with `steppe site capacity dark WATTS`"
        ]

    def test_two_patterns_of_equal_length_that_fit_the_same_worker_may_not_overlap(self) -> None:
        (mistake,) = said(register(), assigned(pattern="*-1z"))
        assert "pattern *-1z and kz-* of slice 1 overlap from 2021-06-18T08:06:40Z on and fit 'kz-1z'" in mistake
        assert said(register(), assigned(pattern="*-17z")) == []
        assert said(register(), assigned(pattern="*-1z", account="other", fleet="other/x", batch="")) == [
            "line 1: fleet other/x does not exist; enter it first"
        ]

    @pytest.mark.parametrize(
        ("regions", "is_good"), [(("kz", "sichuan"), True), (("kz", "kz"), False), (("kz", ""), False)]
    )
    def test_one_pattern_at_two_sites_is_taken_where_regions_tell_them_apart(
        self, regions: tuple[str, str], is_good: bool
    ) -> None:
        known = register()
        almaty = replace(known.known(Site)[0], region=regions[0], replaces=1)
        assert said(known, almaty, *at_ganzi(regions[1])) == []
        mistakes = said(known, assigned(site="ganzi", contract=""))
        assert ("name the regions of both sites" in "".join(mistakes)) is not is_good

    def test_a_site_may_not_come_to_the_region_of_another_that_it_was_told_apart_from(self) -> None:
        known = register()
        almaty = replace(known.known(Site)[0], region="kz", replaces=1)
        assert said(known, almaty, *at_ganzi("sichuan"), assigned(site="ganzi", contract="")) == []
        ganzi = next(each for each in known.known(Site) if each.name == "ganzi")
        mistakes = said(known, replace(ganzi, region="kz", replaces=ganzi.row_id))
        assert mistakes
        assert all(each.startswith("line 1: pattern kz-* and kz-* of slice ") for each in mistakes)

    def test_the_same_pattern_needs_an_end_before_it_begins_again(self) -> None:
        (mistake,) = said(register(), assigned(valid_from_ms=NOW_MS + 2 * HOUR_MS))
        assert mistake == (
            "line 1: bit kz-* almaty overlaps row 1, from 2021-06-18T08:06:40Z on; end that row first, or begin later"
        )

    def test_it_moves_by_ending_and_beginning_elsewhere(self) -> None:
        known = register()
        then = NOW_MS + 2 * HOUR_MS
        ended = replace(slice_of(known), valid_to_ms=then, replaces=1, source="moved")
        assert said(known, assigned(valid_from_ms=then, contract=""), ended) == []
        assert [(each.slice_id, each.contract) for each in known.known(Assignment)] == [(1, "hosting-1"), (2, "")]

    def test_what_a_slice_stands_for_never_changes(self) -> None:
        known = register()
        (mistake,) = said(known, replace(slice_of(known), contract="", replaces=1))
        assert "contract differs from row 1: what a slice stands for never changes" in mistake

    def test_it_cannot_end_in_the_past(self) -> None:
        known = register()
        later = NOW_MS + 5 * HOUR_MS
        ended = replace(slice_of(known), valid_to_ms=later, replaces=1)
        (mistake,) = said(known, ended, now_ms=later)
        assert "cannot end or go on in the past" in mistake

    def test_an_end_that_has_passed_cannot_be_taken_back(self) -> None:
        known = register(valid_to_ms=NOW_MS + 2 * HOUR_MS)
        (mistake,) = said(known, replace(slice_of(known), valid_to_ms=None, replaces=1), now_ms=NOW_MS + 3 * HOUR_MS)
        assert "cannot end or go on in the past" in mistake

    def test_one_that_never_began_can_be_withdrawn(self) -> None:
        known = register()
        mine = slice_of(known)
        assert said(known, replace(mine, valid_to_ms=mine.valid_from_ms, replaces=1)) == []
        assert said(known, assigned(pattern="*-1z")) == []

    def test_it_may_not_outlast_its_contract(self) -> None:
        ends = replace(register().known(Contract)[0], valid_to_ms=NOW_MS + 9 * HOUR_MS, replaces=1)
        (mistake,) = said(register(), ends)
        assert mistake.startswith(
            "line 1: assignment bit kz-* almaty names it: contract hosting-1 is there "
            "from 2021-06-18T07:06:40Z to 2021-06-18T16:06:40Z, but this holds from 2021-06-18T08:06:40Z on"
        )

    def test_a_contract_holds_at_its_site_only(self) -> None:
        contract = Contract(
            name="texas", kind=ContractKind.HOSTING, steps=parse_steps(""), site="tx", valid_from_ms=NOW_MS
        )
        tx = Site(name="tx", country="US", time_zone="America/Chicago", valid_from_ms=NOW_MS)
        (mistake,) = said(register(), tx, contract, assigned(pattern="tx-*", contract="texas"))
        assert "contract texas holds at site tx, not at almaty" in mistake

    def test_fleet_and_batch_must_be_of_the_account(self) -> None:
        with pytest.raises(FleetRefused, match="fleet bit/kz does not belong to account other"):
            assigned(account="other")
        with pytest.raises(FleetRefused, match="batch bit/tx/one does not belong to fleet bit/kz"):
            assigned(batch="bit/tx/one")


class TestCounts:
    def count(self, **counts: Any) -> Count:
        return Count(batch="bit/kz/one", valid_from_ms=NOW_MS + HOUR_MS, **counts)

    def test_they_add_up_to_the_batch(self) -> None:
        (mistake,) = said(register(), self.count(hashing=300, in_transit=10, reason="lost"))
        assert mistake == (
            "line 1: the counts add up to 310 (10 in_transit, 300 hashing), batch bit/kz/one has 320 machines; "
            "those that are lost or sold are retired"
        )

    @pytest.mark.parametrize("counts", [{"hashing": 319, "installed": 1}, {"hashing": 319, "retired": 1}])
    def test_a_drop_needs_a_reason(self, counts: dict[str, int]) -> None:
        (mistake,) = said(register(), self.count(**counts))
        assert "fewer machines are hashing than before; give the reason" in mistake
        assert said(register(), self.count(**counts, reason="fan")) == []

    def test_machines_that_go_on_need_none(self) -> None:
        known = register()
        assert said(known, self.count(hashing=100, in_transit=220, reason="moved")) == []
        later = replace(self.count(hashing=320), valid_from_ms=NOW_MS + 2 * HOUR_MS)
        assert said(known, later) == []

    def test_a_batch_cannot_grow_behind_their_back(self) -> None:
        batch = replace(register().known(Batch)[0], machines=321, replaces=1)
        (mistake,) = said(register(), batch)
        assert "add up to 320, the batch has 321 machines" in mistake


class TestHistory:
    def test_a_contract_is_never_changed(self) -> None:
        changed = replace(register().known(Contract)[0], steps=parse_steps("net 501 host"), replaces=1)
        (mistake,) = said(register(), changed)
        assert "steps differs from row 1: a contract is never changed" in mistake

    def test_a_row_is_replaced_once(self) -> None:
        known = register()
        first = known.known(Capacity)[0]
        assert said(known, replace(first, capacity_w=1, replaces=1)) == []
        (mistake, *_) = said(known, replace(first, capacity_w=2, replaces=1))
        assert "row 1 was replaced before" in mistake

    def test_a_row_that_is_not_there_cannot_be_replaced(self) -> None:
        (mistake,) = said(register(), replace(register().known(Capacity)[0], replaces=7))
        assert "there is no row 7 of this kind" in mistake

    def test_what_is_named_must_not_go_before(self) -> None:
        known = register()
        fleet = known.known(Fleet)[0]
        found = said(known, replace(fleet, valid_to_ms=NOW_MS + 2 * HOUR_MS, replaces=1))
        assert len(found) == 2
        assert all("fleet bit/kz is there from" in each for each in found)

    def test_accounts_must_be_there(self) -> None:
        (mistake,) = said(Register(), Fleet(name="nobody/x", valid_from_ms=NOW_MS))
        assert mistake == "line 1: account nobody does not exist; open it with `steppe account add nobody`"
        contract = Contract(name="c", kind=ContractKind.SALE, steps=parse_steps("net 1 who"), valid_from_ms=NOW_MS)
        assert "account who does not exist" in said(Register(), contract)[0]
