"""The table of workers: searched, sorted, cut into pages, grouped."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pool.dashboard.places import Places
from pool.dashboard.query import TableQuery
from pool.dashboard.rows import Rate
from pool.dashboard.workers import GROUP_SORTS, GROUPINGS, WORKER_SORTS, Group, Selection, WorkerTable, together
from pool.fleet.kinds import Assignment
from tests.pool.dashboard.fakes import NOW_MS, farm, worker

ROWS = (
    worker("b.rig-10", 90e12, accepted=5, rejected={"stale": 1, "duplicate": 4}, last_share_ms=NOW_MS - 9_000),
    worker("a.rig-2", 110e12, accepted=7, rejected={}, last_share_ms=NOW_MS - 1_000, difficulty=1_024.0),
    worker("b.rig-9", 0.0, sessions=0, accepted=5, rejected={"stale": 2}, last_share_ms=None, difficulty=None),
    worker("A.Rig-1", 90e12, sessions=2, accepted=6, rejected={"stale": 3}, last_share_ms=NOW_MS - 3_000),
)
EVERY = Selection()


def query(
    search: str = "", sort: str = "login", descending: bool = False, page: int = 1, per_page: int = 50
) -> TableQuery:
    return TableQuery(search, sort, descending, page, per_page)


def table(rows: tuple[object, ...] = ROWS, *assignments: Assignment) -> WorkerTable:
    return WorkerTable(rows, Places(list(assignments), NOW_MS))  # type: ignore[arg-type]


def logins(asked: TableQuery, selection: Selection | None = None) -> list[str]:
    selection = selection or Selection(search=asked.search)
    return [row.login for row in table().page(selection, asked).rows or ()]


class TestSort:
    def test_names_are_in_the_order_in_which_people_count(self) -> None:
        assert logins(query()) == ["A.Rig-1", "a.rig-2", "b.rig-9", "b.rig-10"]

    def test_names_backwards(self) -> None:
        assert logins(query(descending=True)) == ["b.rig-10", "b.rig-9", "a.rig-2", "A.Rig-1"]

    def test_equal_values_stay_in_the_order_of_names_both_ways(self) -> None:
        assert logins(query(sort="accepted"))[:2] == ["b.rig-9", "b.rig-10"]
        assert logins(query(sort="accepted", descending=True))[2:] == ["b.rig-9", "b.rig-10"]

    def test_rejected_counts_all_reasons(self) -> None:
        assert logins(query(sort="rejected", descending=True))[0] == "b.rig-10"

    def test_a_reject_rate_is_a_part_of_all_and_not_a_number(self) -> None:
        rows = (
            worker("a.big", accepted=10_000, rejected={"stale": 50}),
            worker("a.bad", accepted=9, rejected={"stale": 1}),
            worker("a.new", accepted=0, rejected={}),
        )
        found = table(rows).page(EVERY, query(sort="reject_rate", descending=True)).rows or ()
        assert [row.login for row in found] == ["a.bad", "a.big", "a.new"]

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("sort", ["last_share", "difficulty"])
    def test_a_row_without_a_value_comes_last_both_ways(self, sort: str, descending: bool) -> None:
        assert logins(query(sort=sort, descending=descending))[-1] == "b.rig-9"

    def test_sessions_upwards_put_the_offline_machines_first(self) -> None:
        assert logins(query(sort="sessions"))[0] == "b.rig-9"

    @pytest.mark.parametrize("sort", WORKER_SORTS)
    def test_each_sort_keeps_every_row(self, sort: str) -> None:
        assert sorted(logins(query(sort=sort))) == sorted(row.login for row in ROWS)

    def test_asked_again_the_same_order_comes(self) -> None:
        it = table()
        first, second = (it.page(EVERY, query(sort="rejected", descending=True)).rows for _ in range(2))
        assert first == second


class TestSelection:
    def test_a_word_is_found_anywhere_and_in_any_case(self) -> None:
        assert logins(query(search="RIG-1")) == ["A.Rig-1", "b.rig-10"]

    def test_all_words_must_be_there(self) -> None:
        assert logins(query(search="rig b 10")) == ["b.rig-10"]

    def test_no_character_is_special(self) -> None:
        assert logins(query(search=".*")) == []

    def test_an_account_is_matched_whole_and_exactly(self) -> None:
        assert logins(query(), Selection(account="a")) == ["a.rig-2"]

    def test_what_is_selected_is_sorted_too(self) -> None:
        asked = query(sort="rejected", descending=True)
        assert logins(asked, Selection(account="b")) == ["b.rig-10", "b.rig-9"]


class TestPages:
    def test_a_page_is_cut_from_the_sorted_rows(self) -> None:
        assert logins(query(page=2, per_page=3)) == ["b.rig-10"]

    def test_total_counts_what_was_found(self) -> None:
        assert table().page(Selection(search="b."), query(per_page=1)).total == 2

    @pytest.mark.parametrize("sort", ["login", "rejected"])
    def test_ten_thousand_rows_are_searched_sorted_and_cut(self, sort: str) -> None:
        rows = farm(10_352)
        page = table(tuple(rows)).page(Selection(search="rack"), query(sort=sort, descending=True))
        assert page.rows is not None
        assert 0 < len(page.rows) < len(rows)
        assert all("rack" in row.login for row in page.rows)


FLEET = (
    replace(worker("bit.kz-r1-01", 100e12), agent="vnish/1"),
    replace(worker("bit.kz-r1-02", 50e12, sessions=0, rejected={"stale": 2}), agent="vnish/1"),
    replace(worker("bit.tx-r1-01", 30e12, rejected={"stale": 1}), agent="bmminer/2"),
    replace(worker("ali.kz-r1-01", 20e12), agent=""),
)
ALMATY = Assignment(
    account="bit", pattern="kz-*", fleet="bit/main", site="almaty", slice_id=1, row_id=1, valid_from_ms=NOW_MS - 1000
)


def groups(by: str, selection: Selection = EVERY, **asked: object) -> list[Group]:
    found = table(FLEET, ALMATY).groups(by, selection, query("", "name", **asked))  # type: ignore[arg-type]
    return list(found.rows or ())


class TestGroups:
    def test_a_site_has_the_workers_that_an_assignment_fits(self) -> None:
        assert [(each.name, each.workers, each.workers_online) for each in groups("site")] == [
            ("", 2, 2), ("almaty", 2, 1),
        ]  # fmt: skip

    def test_racks_of_two_accounts_are_two_even_if_they_have_one_name(self) -> None:
        assert [(each.account, each.name, each.workers) for each in groups("rack")] == [
            ("ali", "kz-r1", 1), ("bit", "kz-r1", 2), ("bit", "tx-r1", 1),
        ]  # fmt: skip

    def test_firmware_is_what_the_machines_say(self) -> None:
        assert [(each.name, each.workers) for each in groups("firmware")] == [("", 1), ("bmminer/2", 1), ("vnish/1", 2)]

    def test_what_they_do_is_added_up(self) -> None:
        activity = groups("site")[1].activity
        assert activity.hashrate.hour.hps == sum(row.activity.hashrate.hour.hps for row in FLEET[:2])
        assert activity.rejected["stale"] == 2 + FLEET[0].activity.rejected["stale"]
        assert activity.accepted == FLEET[0].activity.accepted + FLEET[1].activity.accepted

    def test_only_the_selected_are_grouped(self) -> None:
        assert [each.name for each in groups("firmware", Selection(site="almaty"))] == ["vnish/1"]
        assert [each.name for each in groups("site", Selection(firmware=""))] == [""]

    def test_workers_of_a_group_can_be_listed(self) -> None:
        page = table(FLEET, ALMATY).page(Selection(account="bit", rack="kz-r1"), query())
        assert [(row.login, row.site, row.rack) for row in page.rows or ()] == [
            ("bit.kz-r1-01", "almaty", "kz-r1"), ("bit.kz-r1-02", "almaty", "kz-r1"),
        ]  # fmt: skip

    @pytest.mark.parametrize("by", GROUPINGS)
    @pytest.mark.parametrize("sort", GROUP_SORTS)
    def test_each_sort_keeps_every_worker(self, by: str, sort: str) -> None:
        found = table(FLEET, ALMATY).groups(by, EVERY, query(sort=sort, descending=True)).rows or ()
        assert sum(group.workers for group in found) == len(FLEET)

    def test_the_groups_of_a_name_are_found(self) -> None:
        found = table(FLEET, ALMATY).groups("firmware", EVERY, query("VNI", "name"))
        assert (found.total, [each.name for each in found.rows or ()]) == (1, ["vnish/1"])

    @pytest.mark.parametrize("by", GROUPINGS)
    def test_their_sum_is_of_all_pages(self, by: str) -> None:
        found = table(FLEET, ALMATY).groups(by, EVERY, query(sort="name", per_page=1))
        assert found.together is not None
        whole = together(FLEET)
        assert (found.together.workers, found.together.workers_online) == (4, 3)
        assert (found.together.activity.accepted, found.together.activity.rejected) == (whole.accepted, whole.rejected)
        summed, expected = found.together.activity.hashrate.hour, whole.hashrate.hour
        assert summed.hps == pytest.approx(expected.hps)
        assert summed.error == pytest.approx(expected.error)

    def test_their_sum_is_of_those_that_are_found(self) -> None:
        found = table(FLEET, ALMATY).groups("firmware", EVERY, query("vni", "name"))
        assert found.rows is not None
        assert found.together == replace(found.rows[0], name="")


class TestTogether:
    def test_independent_errors_add_up_by_their_squares(self) -> None:
        rates = [Rate(30.0, 0.1), Rate(40.0, 0.1)]
        rows = [replace(ROWS[0], activity=replace(ROWS[0].activity, hashrate=_all(rate))) for rate in rates]
        found = together(rows).hashrate.minute
        assert found.hps == 70.0
        assert found.error == pytest.approx(5.0 / 70.0)

    def test_of_nobody_there_is_nothing(self) -> None:
        assert together([]).hashrate.day == Rate(0.0, None)


def _all(rate: Rate) -> object:
    hashrate = ROWS[0].activity.hashrate
    return replace(hashrate, minute=rate, five_minutes=rate, hour=rate, day=rate)


class TestAfter:
    def test_pages_behind_each_other_have_every_worker_once(self) -> None:
        it, found, after = table(), list[str](), ""
        for _ in range(4):
            rows, onward = it.after(EVERY, after, 3)
            found += [row.login for row in rows]
            if onward is None:
                break
            after = onward
        assert found == ["A.Rig-1", "a.rig-2", "b.rig-9", "b.rig-10"]

    def test_a_worker_that_is_gone_meanwhile_shifts_nothing(self) -> None:
        fewer = table(tuple(row for row in ROWS if row.login != "a.rig-2"))
        assert [row.login for row in fewer.after(EVERY, "a.rig-2", 9)[0]] == ["b.rig-9", "b.rig-10"]


class TestUnmatched:
    def test_only_accounts_with_assignments_have_tasks(self) -> None:
        assert table(FLEET, ALMATY).unmatched() == [("bit", "tx-r1-01")]


def test_one_worker_has_its_place() -> None:
    found = table(FLEET, ALMATY).one("bit.kz-r1-02")
    assert found is not None
    assert (found.site, found.rack, found.agent) == ("almaty", "kz-r1", "vnish/1")
    assert table().one("nobody") is None
