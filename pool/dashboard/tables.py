"""Tables: searched, sorted and cut into pages; that of accounts. That of workers is `pool.dashboard.workers`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Generic, TypeVar

from msgspec import Struct

from pool.dashboard.query import TableQuery
from pool.dashboard.rows import BookAccount, LiveAccount

T = TypeVar("T")

_DIGITS = re.compile(r"([0-9]+)")


class Page(Struct, Generic[T], frozen=True):
    """One page of a table. rows and total are None when the source is down; `unavailable` then says why. total counts
    the rows of all pages."""

    page: int
    per_page: int
    total: int | None
    rows: tuple[T, ...] | None
    unavailable: Mapping[str, str]


class AccountRow(Struct, frozen=True):
    """An account as the books and the live statistics know it; None where that source is down or does not know it."""

    name: str
    books: BookAccount | None
    live: LiveAccount | None


Value = Callable[[T], float | None]

ACCOUNT_SORTS: dict[str, Value[AccountRow] | None] = {
    "name": None,
    "fee": lambda row: row.books.fee_bps if row.books else None,
    "immature": lambda row: row.books.immature_sat if row.books else None,
    "available": lambda row: row.books.available_sat if row.books else None,
    "credits": lambda row: row.books.credits if row.books else None,
    "workers": lambda row: row.live.workers_online if row.live else None,
    "hashrate_1h": lambda row: row.live.activity.hashrate.hour.hps if row.live else None,
}


def no_page(page: int, per_page: int, unavailable: Mapping[str, str]) -> Page[None]:
    """The page of a table whose source is down."""
    return Page(page, per_page, None, None, unavailable)


def accounts_page(rows: Iterable[AccountRow], query: TableQuery, unavailable: Mapping[str, str]) -> Page[AccountRow]:
    """The accounts; with one of the two sources down, of the other."""
    return _page(rows, lambda row: row.name, ACCOUNT_SORTS, query, unavailable)


def account_rows(books: Iterable[BookAccount] | None, live: Iterable[LiveAccount] | None) -> tuple[AccountRow, ...]:
    """Every account that either source knows."""
    booked = {account.name: account for account in books or ()}
    active = {account.name: account for account in live or ()}
    return tuple(AccountRow(name, booked.get(name), active.get(name)) for name in booked | active)


def _page(
    rows: Iterable[T],
    name: Callable[[T], str],
    sorts: Mapping[str, Value[T] | None],
    query: TableQuery,
    unavailable: Mapping[str, str],
) -> Page[T]:
    words = query.search.casefold().split()
    found = [row for row in rows if contains(name(row), words)]
    value = sorts[query.sort]
    found.sort(key=lambda row: natural_key(name(row)), reverse=value is None and query.descending)
    if value is not None:
        found = by_value(found, value, query.descending)
    rows_of_page = tuple(found[query.offset : query.offset + query.per_page])
    return Page(query.page, query.per_page, len(found), rows_of_page, unavailable)


def by_value(rows: Iterable[T], value: Value[T], descending: bool) -> list[T]:
    """A stable sort: equal rows stay in the order of names; rows without a value come last both ways."""
    known: list[tuple[float, T]] = []
    unknown: list[T] = []
    for row in rows:
        number = value(row)
        if number is None:
            unknown.append(row)
        else:
            known.append((number, row))
    known.sort(key=lambda pair: pair[0], reverse=descending)
    return [row for _, row in known] + unknown


def contains(name: str, words: list[str]) -> bool:
    """Whether a name has all these words, which are in lower case, anywhere."""
    folded = name.casefold()
    return all(word in folded for word in words)


@lru_cache(maxsize=32_768)  # logins stay for hours, and each question about ten thousand of them needs all
def natural_key(name: str) -> tuple[tuple[str | int, ...], str]:
    """A sort key under which rack-2 comes before rack-10, as a person counts."""
    parts: list[str | int] = list(_DIGITS.split(name.casefold()))
    parts[1::2] = [int(part) for part in parts[1::2]]
    return tuple(parts), name
