"""Tables: searching, sorting, pages."""

from __future__ import annotations

import pytest

from pool.dashboard.query import TableQuery
from pool.dashboard.rows import BookAccount, LiveAccount
from pool.dashboard.tables import ACCOUNT_SORTS, WORKER_SORTS, account_rows, accounts_page, natural_key, workers_page
from tests.pool.dashboard.fakes import NOW_MS, farm, worker

ROWS = (
    worker("b.rig-10", 90e12, accepted=5, rejected={"stale": 1, "duplicate": 4}, last_share_ms=NOW_MS - 9_000),
    worker("a.rig-2", 110e12, accepted=7, rejected={}, last_share_ms=NOW_MS - 1_000, difficulty=1_024.0),
    worker("b.rig-9", 0.0, sessions=0, accepted=5, rejected={"stale": 2}, last_share_ms=None, difficulty=None),
    worker("A.Rig-1", 90e12, sessions=2, accepted=6, rejected={"stale": 3}, last_share_ms=NOW_MS - 3_000),
)


def query(
    search: str = "", sort: str = "login", descending: bool = False, page: int = 1, per_page: int = 50
) -> TableQuery:
    return TableQuery(search, sort, descending, page, per_page)


def logins(asked: TableQuery, account: str | None = None) -> list[str]:
    return [row.login for row in workers_page(ROWS, account, asked).rows or ()]


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

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("sort", ["last_share", "difficulty"])
    def test_a_row_without_a_value_comes_last_both_ways(self, sort: str, descending: bool) -> None:
        assert logins(query(sort=sort, descending=descending))[-1] == "b.rig-9"

    def test_sessions_upwards_put_the_offline_machines_first(self) -> None:
        assert logins(query(sort="sessions"))[0] == "b.rig-9"

    @pytest.mark.parametrize("sort", WORKER_SORTS)
    def test_each_sort_keeps_every_row(self, sort: str) -> None:
        assert sorted(logins(query(sort=sort))) == sorted(row.login for row in ROWS)

    @pytest.mark.parametrize("name", ["", "7", "rig", "rig7", "7rig", "rig-7-a"])
    def test_any_two_names_can_be_compared(self, name: str) -> None:
        others = ("", "7", "rig", "rig7", "7rig", "rig-7-b")
        assert all((natural_key(name) < natural_key(other)) in (True, False) for other in others)


class TestSearch:
    def test_a_word_is_found_anywhere_and_in_any_case(self) -> None:
        assert logins(query(search="RIG-1")) == ["A.Rig-1", "b.rig-10"]

    def test_all_words_must_be_there(self) -> None:
        assert logins(query(search="rig b 10")) == ["b.rig-10"]

    def test_no_character_is_special(self) -> None:
        assert logins(query(search=".*")) == []

    def test_an_account_is_matched_whole_and_exactly(self) -> None:
        assert logins(query(), account="a") == ["a.rig-2"]


class TestPages:
    def test_a_page_is_cut_from_the_sorted_rows(self) -> None:
        assert logins(query(page=2, per_page=3)) == ["b.rig-10"]

    def test_total_counts_what_was_found(self) -> None:
        assert workers_page(ROWS, None, query(search="b.", per_page=1)).total == 2


class TestAccounts:
    BOOKS = (BookAccount("b", "pplns", 100, 5, 7, 0, "0", 2), BookAccount("c", "pps", 250, 0, 9, 0, "1", 3))
    LIVE = (LiveAccount("a", 2, 1, ROWS[0].activity), LiveAccount("b", 1, 1, ROWS[1].activity))

    @pytest.mark.parametrize("sort", ACCOUNT_SORTS)
    def test_each_sort_keeps_the_accounts_of_both_sources(self, sort: str) -> None:
        page = accounts_page(account_rows(self.BOOKS, self.LIVE), query(sort=sort), {})
        assert {row.name for row in page.rows or ()} == {"a", "b", "c"}

    def test_one_source_alone_still_makes_rows(self) -> None:
        assert [row.name for row in account_rows(None, self.LIVE)] == ["a", "b"]
        assert [row.name for row in account_rows(self.BOOKS, None)] == ["b", "c"]

    def test_what_is_missing_is_said_with_the_rows(self) -> None:
        page = accounts_page(account_rows(self.BOOKS, None), query(sort="name"), {"redis": "down"})
        assert page.unavailable == {"redis": "down"}


@pytest.mark.parametrize("sort", ["login", "rejected"])
def test_ten_thousand_rows_are_searched_sorted_and_cut(sort: str) -> None:
    rows = farm(10_352)
    page = workers_page(rows, None, query(search="rack", sort=sort, descending=True))
    assert page.rows is not None
    assert 0 < len(page.rows) < len(rows)
    assert all("rack" in row.login for row in page.rows)
