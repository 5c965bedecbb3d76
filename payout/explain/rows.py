"""Rows of the ledger as an explanation shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from payout.instants import format_instant
from payout.ledger import Row


class ShownRow(Struct, frozen=True):
    """A row, with the entries that matter here; entries_sat: account of the ledger and amount. others: how many more
    entries it has, and others_sat what they sum to."""

    id: int
    time_ms: int
    key: str
    kind: str
    hash: str
    entries_sat: tuple[tuple[str, int], ...]
    others: int
    others_sat: int


def shown(rows: Iterable[Row], account: str | None) -> tuple[ShownRow, ...]:
    """The rows with the entries of an account's own and those that are nobody's; of all for None."""
    return tuple(_shown(row, account) for row in rows)


def booked_sat(rows: Iterable[ShownRow], account: str) -> int:
    """What the rows add to what the account has."""
    mine = f"liab:{account}:"
    return -sum(amount_sat for row in rows for name, amount_sat in row.entries_sat if name.startswith(mine))


def lines(rows: Iterable[ShownRow]) -> Iterator[str]:
    """A line for each row and each of its entries."""
    yield "In the ledger (assets positive, what is owed negative; each row sums to 0):"
    for row in rows:
        yield f"  row {row.id}, {format_instant(row.time_ms)}, {row.key}"
        for name, amount_sat in row.entries_sat:
            yield f"    {name}  {amount_sat:+,} sat"
        if row.others:
            yield f"    others' entries ({row.others}), together  {row.others_sat:+,} sat"
        yield f"    hash {row.hash}"


def _shown(row: Row, account: str | None) -> ShownRow:
    entries = [(entry.account, entry.amount_sat) for entry in row.posting.entries]
    mine = [each for each in entries if account is None or _concerns(each[0], account)]
    rest = [amount_sat for name, amount_sat in entries if account is not None and not _concerns(name, account)]
    posted = row.posting
    return ShownRow(row.id, posted.time_ms, posted.key, posted.kind, row.hash.hex(), tuple(mine), len(rest), sum(rest))


def _concerns(name: str, account: str) -> bool:
    return not name.startswith("liab:") or name.startswith(f"liab:{account}:")
