"""Rows of the ledger as an explanation shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

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


def of_account(rows: Iterable[ShownRow], account: str) -> tuple[ShownRow, ...]:
    """The rows with the entries of that account alone."""
    return tuple(_without(row, [each for each in row.entries_sat if not _is_of(each[0], account)]) for row in rows)


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


def _without(row: ShownRow, hidden: Sequence[tuple[str, int]]) -> ShownRow:
    kept = tuple(each for each in row.entries_sat if each not in hidden)
    others_sat = row.others_sat + sum(amount_sat for _, amount_sat in hidden)
    return replace(row, entries_sat=kept, others=row.others + len(hidden), others_sat=others_sat)


def _concerns(name: str, account: str) -> bool:
    return not name.startswith("liab:") or _is_of(name, account)


def _is_of(name: str, account: str) -> bool:
    return name.startswith(f"liab:{account}:")
