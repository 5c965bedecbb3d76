"""Tables: the order in which people count, and that of accounts."""

from __future__ import annotations

import pytest

from pool.dashboard.query import TableQuery
from pool.dashboard.rows import BookAccount, LiveAccount
from pool.dashboard.tables import ACCOUNT_SORTS, account_rows, accounts_page, natural_key
from tests.pool.dashboard.fakes import worker

RIG = worker("b.rig-10", 90e12)


def query(sort: str) -> TableQuery:
    return TableQuery("", sort, descending=False, page=1, per_page=50)


@pytest.mark.parametrize("name", ["", "7", "rig", "rig7", "7rig", "rig-7-a"])
def test_any_two_names_can_be_compared(name: str) -> None:
    others = ("", "7", "rig", "rig7", "7rig", "rig-7-b")
    assert all((natural_key(name) < natural_key(other)) in (True, False) for other in others)


class TestAccounts:
    BOOKS = (BookAccount("b", "pplns", 100, 5, 7, 0, "0", 2), BookAccount("c", "pps", 250, 0, 9, 0, "1", 3))
    LIVE = (LiveAccount("a", 2, 1, RIG.activity), LiveAccount("b", 1, 1, RIG.activity))

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
