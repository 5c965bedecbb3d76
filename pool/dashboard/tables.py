"""Tables of workers, accounts and blocks: searched, sorted and cut into pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

from msgspec import Struct

from pool.dashboard.query import TableQuery
from pool.dashboard.rows import BookAccount, LiveAccount, Worker

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

WORKER_SORTS: dict[str, Value[Worker] | None] = {
    "login": None,  # the order that every table has before it is sorted
    "sessions": lambda row: row.sessions,
    "hashrate_1m": lambda row: row.activity.hashrate.minute.hps,
    "hashrate_5m": lambda row: row.activity.hashrate.five_minutes.hps,
    "hashrate_1h": lambda row: row.activity.hashrate.hour.hps,
    "hashrate_24h": lambda row: row.activity.hashrate.day.hps,
    "difficulty": lambda row: row.difficulty,
    "accepted": lambda row: row.activity.accepted,
    "rejected": lambda row: row.activity.rejected_total,
    "last_share": lambda row: row.activity.last_share_ms,
}

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


def workers_page(workers: Iterable[Worker], account: str | None, query: TableQuery) -> Page[Worker]:
    """The workers of all accounts or of one."""
    rows = [row for row in workers if account is None or row.account == account]
    return _page(rows, lambda row: row.login, WORKER_SORTS, query, {})


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
    found = [row for row in rows if _contains(name(row), words)]
    value = sorts[query.sort]
    found.sort(key=lambda row: natural_key(name(row)), reverse=value is None and query.descending)
    if value is not None:
        found = _by_value(found, value, query.descending)
    rows_of_page = tuple(found[query.offset : query.offset + query.per_page])
    return Page(query.page, query.per_page, len(found), rows_of_page, unavailable)


def _by_value(rows: list[T], value: Value[T], descending: bool) -> list[T]:
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


def _contains(name: str, words: list[str]) -> bool:
    folded = name.casefold()
    return all(word in folded for word in words)


def natural_key(name: str) -> tuple[tuple[str | int, ...], str]:
    """A sort key under which rack-2 comes before rack-10, as a person counts."""
    parts: list[str | int] = list(_DIGITS.split(name.casefold()))
    parts[1::2] = [int(part) for part in parts[1::2]]
    return tuple(parts), name
