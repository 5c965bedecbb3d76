"""pool.reports.alarms and pool.reports.silence."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pool.reports.alarms import Alarm, Kind, Watched, judge
from pool.reports.silence import PATIENCE_SHARES, Seen, is_silent, on_a_move, without_power
from pool.reports.windows import Cause, Window
from tests.pool.reports.kazakhstan import LOGINS, OFF_MS, ON_MS, PLAN, move, travellers

MACHINES = st.lists(
    st.builds(
        Watched,
        login=st.integers(0, 10**6).map(lambda number: f"bit.m{number}"),
        site=st.sampled_from(["almaty", "ganzi", "texas"]),
        region=st.sampled_from(["", "kz", "us"]),
        rack=st.sampled_from(["", "r1", "r2", "r3"]),
        firmware=st.sampled_from(["", "cgminer", "bosminer"]),
        since_ms=st.one_of(st.none(), st.integers(1, 1000)),
        excuse=st.sampled_from(["", "", "", "in transit"]),
    ),
    unique_by=lambda each: each.login,
    max_size=40,
)
STANDING = st.sets(st.tuples(st.sampled_from(list(Kind)), st.sampled_from(["almaty", "kz", "cgminer", "ganzi"])))


def site(name: str, count: int = 60, dark: int = 0, region: str = "kz", **changes: Any) -> list[Watched]:
    """Machines in racks of twenty, the first of them dark."""
    return [
        replace(
            Watched(f"bit.{name}-r{number // 20}-{number}", name, region, f"r{number // 20}", "cgminer", None),
            since_ms=100 + number if number < dark else None,
            **changes,
        )
        for number in range(count)
    ]


def told(alarms: list[Alarm]) -> list[tuple[str, str, int]]:
    return [(each.kind.value, each.name, each.dark) for each in alarms]


class TestJudge:
    def test_a_site_that_goes_dark_is_one_alarm_and_not_2600(self) -> None:
        assert told(judge([*site("almaty", 2600, 2600), *site("texas", region="us")])) == [("site", "almaty", 2600)]

    def test_all_sites_of_a_region_are_one_alarm(self) -> None:
        machines = [*site("almaty", 60, 60), *site("ekibastuz", 40, 40), *site("texas", region="us")]
        (alarm,) = judge(machines)
        assert (alarm.kind, alarm.name, alarm.parts) == (Kind.REGION, "kz", ("almaty", "ekibastuz"))

    def test_a_small_site_that_goes_on_keeps_the_region_from_being_told(self) -> None:
        machines = [*site("almaty", 600, 600), *site("ekibastuz", 5, 0)]
        assert told(judge(machines)) == [("site", "almaty", 600)]

    def test_racks_of_a_site_are_one_alarm_with_their_names(self) -> None:
        (alarm,) = judge(site("almaty", 80, 40))
        assert (alarm.kind, alarm.parts, alarm.dark, alarm.machines) == (Kind.RACKS, ("r0", "r1"), 40, 40)

    def test_a_rack_that_is_down_does_not_make_its_neighbour_so_at_the_next_look(self) -> None:
        machines = [*site("almaty", 20, 20), *site("almaty", 60)[20:]]
        machines = [
            replace(each, since_ms=7) if each.rack == "r1" and each.login[-1] in "012345" else each for each in machines
        ]
        first = judge(machines)
        assert [(each.kind, each.parts) for each in first][:1] == [(Kind.RACKS, ("r0",))]
        assert judge(machines, {group for each in first for group in each.groups}) == first

    def test_a_firmware_that_stops_everywhere_is_one_alarm(self) -> None:
        machines = [
            replace(each, firmware="bad 1.2", since_ms=5) if number % 20 == 0 else each
            for number, each in enumerate([*site("almaty"), *site("texas", region="us")])
        ]
        (alarm,) = judge(machines)
        assert (alarm.kind, alarm.name, alarm.dark, alarm.parts) == (Kind.FIRMWARE, "bad 1.2", 6, ("almaty", "texas"))

    def test_what_nothing_explains_is_one_alarm_for_each_site(self) -> None:
        (alarm,) = judge(site("almaty", 60, 2))
        assert (alarm.kind, alarm.dark, alarm.machines) == (Kind.MACHINES, 2, 60)
        assert alarm.parts == alarm.logins

    def test_who_may_be_dark_is_silent_and_hides_nobody(self) -> None:
        excused = [replace(each, excuse="in transit") for each in site("almaty", 60, 60)]
        assert judge(excused) == []
        late = replace(excused[0], excuse="", login="bit.x")
        assert told(judge([*excused, late])) == [("machines", "almaty", 1)]

    def test_a_site_that_comes_back_is_told_as_a_site_until_half_of_it_has(self) -> None:
        standing = {(Kind.SITE, "almaty")}
        assert told(judge(site("almaty", 60, 40), standing)) == [("site", "almaty", 40)]
        assert told(judge(site("almaty", 60, 40))) == [("racks", "almaty", 40)]
        assert told(judge(site("almaty", 60, 20), standing)) == [("racks", "almaty", 20)]
        assert judge(site("almaty", 60, 0), standing) == []

    def test_of_a_site_in_two_regions_of_which_one_is_dark_the_rest_is_told_apart(self) -> None:
        dark = [*site("almaty", 3, 3, region="us"), *site("texas", 3, 3, region="us")]
        here = [replace(each, login=f"{each.login}-here", region="") for each in site("almaty", 3, 3)]
        assert told(judge([*dark, *here])) == [("region", "us", 6), ("site", "almaty", 3)]

    @given(MACHINES, STANDING)
    def test_everybody_dark_without_an_excuse_is_in_exactly_one_alarm(
        self, machines: list[Watched], standing: set[tuple[Kind, str]]
    ) -> None:
        alarms = judge(machines, standing)
        named = [login for alarm in alarms for login in alarm.logins]
        assert sorted(named) == sorted(each.login for each in machines if each.since_ms is not None and not each.excuse)

    @given(MACHINES, STANDING, st.randoms(use_true_random=False))
    def test_the_order_of_the_machines_does_not_matter(
        self, machines: list[Watched], standing: set[tuple[Kind, str]], shuffled: random.Random
    ) -> None:
        again = list(machines)
        shuffled.shuffle(again)
        assert judge(again, standing) == judge(machines, standing)

    @given(MACHINES, STANDING)
    def test_an_alarm_says_how_many_are_dark_and_since_when(
        self, machines: list[Watched], standing: set[tuple[Kind, str]]
    ) -> None:
        since_ms = {each.login: each.since_ms for each in machines}
        for alarm in judge(machines, standing):
            assert alarm.dark == len(alarm.logins) > 0
            assert alarm.machines >= alarm.dark
            assert alarm.since_ms == min(since_ms[login] or 0 for login in alarm.logins)

    @given(MACHINES, STANDING)
    def test_no_more_alarms_than_there_are_groups(
        self, machines: list[Watched], standing: set[tuple[Kind, str]]
    ) -> None:
        alarms = judge(machines, standing)
        assert len({alarm.key for alarm in alarms}) == len(alarms)
        for name in {each.site for each in machines}:
            kinds = [alarm.kind for alarm in alarms if alarm.name == name]
            assert len(kinds) <= 2
            assert not (Kind.SITE in kinds and Kind.RACKS in kinds)

    @given(MACHINES)
    def test_what_is_judged_again_with_its_own_alarms_standing_stays(self, machines: list[Watched]) -> None:
        first = judge(machines)
        assert judge(machines, {group for alarm in first for group in alarm.groups}) == first


class TestSilence:
    def test_a_machine_is_dark_after_the_shortest_silence_that_counts(self) -> None:
        seen = Seen("bit.a", 1000, 1, False)
        assert not is_silent(seen, None, 0, 1999, 1000)
        assert is_silent(seen, None, 0, 2000, 1000)

    def test_one_that_is_connected_and_slow_has_more_time(self) -> None:
        seen = Seen("bit.a", 0, 1000, True)
        assert not is_silent(seen, None, 0, PATIENCE_SHARES * 1000 - 1, 1000)
        assert is_silent(seen, None, 0, PATIENCE_SHARES * 1000, 1000)
        assert is_silent(replace(seen, is_connected=False), None, 0, 1000, 1000)

    def test_while_the_pool_was_away_nobody_could_send(self) -> None:
        seen = Seen("bit.a", 0, 1, True)
        assert not is_silent(seen, None, 10_000, 10_500, 1000)
        assert is_silent(seen, None, 10_000, 11_000, 1000)

    def test_one_that_was_dark_is_so_until_it_sends_again(self) -> None:
        assert is_silent(Seen("bit.a", 500, 1, True), 500, 0, 501, 1000)
        assert not is_silent(Seen("bit.a", 501, 1, True), 500, 0, 10_000, 1000)

    def test_machines_in_transit_are_silent_and_late_ones_have_their_own_alarm(self) -> None:
        under_way = travellers({LOGINS[0]: None})
        at_ms = OFF_MS + 1000
        gone = [replace(each, out=replace(each.out, arrived_ms=None)) for each in under_way]
        assert set(on_a_move([(move(), gone)], at_ms).values()) == {"in transit"}
        late_ms = ON_MS + PLAN.tolerance_ms
        assert on_a_move([(move(), under_way)], late_ms) == {LOGINS[0]: "late"}

    def test_a_site_without_power_by_announcement_is_silent_from_the_earliest_time_told(self) -> None:
        told = {
            "ganzi": [
                Window("ganzi", Cause.SUSPENSION, 21, None, "press"),
                Window("ganzi", Cause.SUSPENSION, 9, 30, ""),
            ]
        }
        assert [without_power(told, at) for at in (8, 9, 29, 30)] == [
            {},
            {"ganzi": "suspension"},
            {"ganzi": "suspension"},
            {"ganzi": "suspension"},
        ]
        assert without_power({"a": [Window("a", Cause.CURTAILMENT, 1, 2, "")]}, 2) == {}
