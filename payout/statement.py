"""What one account had, got and was paid in a time: the ledger's rows about it, line by line, to the satoshi.

A statement covers [from, to) by the times of the postings, and names the newest row of the ledger that it read: made
again up to that row it is the same, whatever was booked since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from payout.accounts import Scheme
from payout.ledger import LedgerError

KINDS = ("immature", "available", "reserved")
"""What an account may have: of blocks that may still be orphaned, to be paid, on its way."""


class Balance(Struct, frozen=True):
    """What the pool owes an account, by kind; or what changes that."""

    immature_sat: int = 0
    available_sat: int = 0
    reserved_sat: int = 0

    @property
    def total_sat(self) -> int:
        return self.immature_sat + self.available_sat + self.reserved_sat

    def plus(self, other: Balance) -> Balance:
        """Both together."""
        return Balance(
            self.immature_sat + other.immature_sat,
            self.available_sat + other.available_sat,
            self.reserved_sat + other.reserved_sat,
        )


class Event(Struct, frozen=True):
    """A row of the ledger, as far as one account has a part in it. fee_sat: the network's, if the row has one."""

    row: int
    time_ms: int
    key: str
    kind: str
    ref: str
    change: Balance
    fee_sat: int = 0


class Part(Struct, frozen=True):
    """What an account has of a block by one stake: gross_sat less the fee, less what the reserve had bought, and less
    what the contract of its slice gives others. Of such a contract's other parties gross_sat is what it gives them."""

    height: int
    slice_id: int
    scheme: Scheme
    fee_bps: int
    gross_sat: int
    fee_sat: int
    own_sat: int


class Line(Struct, frozen=True):
    """One change. kind, key: of the ledger's row. ref: block hash, number of the payout, or what the row is about.

    gross_sat, fee_sat, height, scheme, fee_bps, slice_id: of a part of a block, else None. txid: of a payment.
    """

    row: int
    time_ms: int
    kind: str
    key: str
    ref: str
    immature_sat: int
    available_sat: int
    reserved_sat: int
    amount_sat: int
    gross_sat: int | None = None
    fee_sat: int | None = None
    height: int | None = None
    scheme: str | None = None
    fee_bps: int | None = None
    slice_id: int | None = None
    txid: str | None = None

    @property
    def change(self) -> Balance:
        return Balance(self.immature_sat, self.available_sat, self.reserved_sat)


class Statement(Struct, frozen=True):
    """A whole statement. ledger_row, ledger_hash: of the newest row that was read; 0 and zeros for an empty ledger.
    totals_sat: the sum of the lines of each kind."""

    account: str
    from_ms: int
    to_ms: int
    ledger_row: int
    ledger_hash: str
    opening: Balance
    lines: tuple[Line, ...]
    closing: Balance
    totals_sat: Mapping[str, int]


class Facts(Struct, frozen=True):
    """What the rows are about. parts: of the account, by block hash in hex. txids: of the transaction that a
    `payout.confirmed` or `payout.unconfirmed` row tells of, by its key."""

    parts: Mapping[str, Sequence[Part]]
    txids: Mapping[str, str]


def lines_of(events: Iterable[Event], facts: Facts) -> list[Line]:
    """The lines in order of time, then of the ledger: a part of a block for each stake, and one for any other row.

    Raises LedgerError if the parts of a block are not what its row says.
    """
    lines: list[Line] = []
    for event in sorted(events, key=lambda each: (each.time_ms, each.row)):
        if event.kind in ("block.immature", "block.orphaned"):
            lines += _of_block(event, facts.parts.get(event.ref, ()))
        else:
            lines.append(_line(event, event.change, txid=facts.txids.get(event.key)))
    return lines


def closing(opening: Balance, lines: Iterable[Line]) -> Balance:
    """What is there after the lines."""
    after = opening
    for line in lines:
        after = after.plus(line.change)
    return after


def totals_sat(lines: Iterable[Line]) -> dict[str, int]:
    """The sum of the lines of each kind, in order of the first of each."""
    totals: dict[str, int] = {}
    for line in lines:
        totals[line.kind] = totals.get(line.kind, 0) + line.amount_sat
    return totals


def _of_block(event: Event, parts: Sequence[Part]) -> list[Line]:
    sign = 1 if event.kind == "block.immature" else -1
    lines = [
        _line(
            event,
            Balance(immature_sat=sign * part.own_sat),
            gross_sat=sign * part.gross_sat,
            fee_sat=sign * part.fee_sat,
            height=part.height,
            scheme=part.scheme.value,
            fee_bps=part.fee_bps,
            slice_id=part.slice_id,
        )
        for part in parts
        if part.own_sat or part.fee_sat
    ]
    if sum(line.amount_sat for line in lines) != event.change.total_sat:
        raise LedgerError(f"{event.key}: the account's parts of the block are not what the ledger booked for it")
    return lines


def _line(event: Event, change: Balance, **of_block: object) -> Line:
    return Line(
        event.row,
        event.time_ms,
        event.kind,
        event.key,
        event.ref,
        change.immature_sat,
        change.available_sat,
        change.reserved_sat,
        change.total_sat,
        **of_block,  # type: ignore[arg-type]
    )
