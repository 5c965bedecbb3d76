"""The history of one account in the ledger: what happened to its money between two moments."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from payout.accounts import AccountRefused, Stake
from payout.ledger import FIRST_PREV_HASH, NETWORK_FEE
from payout.payment import Attempt, Purpose
from payout.slices import divide_slice
from payout.statement import KINDS, Balance, Event, Facts, Line, Part, Statement, closing, lines_of, totals_sat
from payout.store.blocks import BOUGHT_SAT
from payout.store.payouts import SqlPayouts
from payout.store.slices import SqlSlices
from payout.store.stakes import STAKES, stake_of
from payout.store.statements import account_ids, chunks
from pool.store.sql import account, block, credit, entry, journal, stake

_PAYMENTS = ("payout.confirmed", "payout.unconfirmed", "payout.cancelled")


class SqlHistory:
    """Reads only, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def statement(
        self, name: str, from_ms: int, to_ms: int, last_row: int | None = None, changes_max: int | None = None
    ) -> Statement:
        """Of an account, for [from_ms, to_ms), of the rows up to last_row, or all for None.

        Raises AccountRefused if there is no such account, no such row, the time is none, or more rows than changes_max
        would be in it.
        """
        self.check_account(name)
        if to_ms <= from_ms:
            raise AccountRefused("a statement ends after it begins: its end is the first moment that is not in it")
        ledger_row, ledger_hash = self.place(last_row)
        upto = journal.c.id <= ledger_row
        if changes_max is not None:
            self._check_length(name, changes_max, journal.c.time_ms >= from_ms, journal.c.time_ms < to_ms, upto)
        opening = self.balance(name, journal.c.time_ms < from_ms, upto)
        events = self.events(name, journal.c.time_ms >= from_ms, journal.c.time_ms < to_ms, upto)
        lines = tuple(lines_of(events, self.facts(name, events)))
        return Statement(
            name,
            from_ms,
            to_ms,
            ledger_row,
            ledger_hash.hex(),
            opening,
            lines,
            closing(opening, lines),
            totals_sat(lines),
        )

    def lines(self, name: str) -> list[Line]:
        """Every change of what an account has, from its first to now."""
        events = self.events(name)
        return lines_of(events, self.facts(name, events))

    def check_account(self, name: str) -> None:
        """Raises AccountRefused if there is no such account."""
        if not account_ids(self._connection, [name]):
            raise AccountRefused(f"there is no account {name!r}; `steppe account list` shows them")

    def place(self, last_row: int | None = None) -> tuple[int, bytes]:
        """Number and hash of a row of the ledger, or of the newest. Raises AccountRefused."""
        rows = select(journal.c.id, journal.c.hash)
        wanted = (
            rows.order_by(journal.c.id.desc()).limit(1) if last_row is None else rows.where(journal.c.id == last_row)
        )
        row = self._connection.execute(wanted).one_or_none()
        if row is not None:
            return row.id, row.hash
        if last_row is not None:
            raise AccountRefused(f"the ledger has no row {last_row}")
        return 0, FIRST_PREV_HASH

    def balance(self, name: str, *where: ColumnElement[bool]) -> Balance:
        """What an account has by the rows of the ledger of which this holds."""
        names = _names(name)
        sums = (
            select(entry.c.account, func.sum(entry.c.amount_sat))
            .join(journal, journal.c.id == entry.c.journal_id)
            .where(entry.c.account.in_(names), *where)
            .group_by(entry.c.account)
        )
        return _balance({account: int(total) for account, total in self._connection.execute(sums)}, names)

    def events(self, name: str, *where: ColumnElement[bool]) -> list[Event]:
        """The rows that change what an account has, in order."""
        names = _names(name)
        rows = self._connection.execute(
            select(
                journal.c.id,
                journal.c.time_ms,
                journal.c.key,
                journal.c.kind,
                journal.c.ref,
                entry.c.account,
                entry.c.amount_sat,
            )
            .join(entry, entry.c.journal_id == journal.c.id)
            .where(entry.c.account.in_(names), *where)
            .order_by(journal.c.id)
        ).all()
        fees_sat = self._fees_sat({row.id for row in rows if row.kind in _PAYMENTS})
        events = []
        for row_id, group in groupby(rows, key=lambda row: row.id):
            lines = list(group)
            change = _balance({line.account: line.amount_sat for line in lines}, names)
            first = lines[0]
            events.append(
                Event(row_id, first.time_ms, first.key, first.kind, first.ref, change, fees_sat.get(row_id, 0))
            )
        return events

    def facts(self, name: str, events: Sequence[Event]) -> Facts:
        """What these rows are about."""
        hashes = {event.ref for event in events if event.kind in ("block.immature", "block.orphaned")}
        parts = self.parts(name, [bytes.fromhex(hash_hex)[::-1] for hash_hex in hashes])
        payments = [event for event in events if event.kind in _PAYMENTS]
        attempts = {number: self._attempts(number) for number in {int(event.ref) for event in payments}}
        txids: dict[str, str] = {}
        for event in payments:
            if (found := paid_by(event, attempts[int(event.ref)])) is not None:
                txids[event.key] = found.txid_hex
        return Facts(parts, txids)

    def parts(self, name: str, hashes: Collection[bytes]) -> dict[str, list[Part]]:
        """What an account has of blocks, by its own stakes and by contracts of slices, in order of the stakes, by the
        hash of the block in hex."""
        found: dict[str, list[tuple[Stake, Part]]] = {}
        mine = or_(account.c.name == name, stake.c.slice_id != 0)  # a slice of others may have it as a party
        for chunk in chunks(hashes):
            rows = self._connection.execute(_PARTS.where(mine, credit.c.block_hash.in_(chunk))).all()
            contracts = SqlSlices(self._connection).contracts({row.slice_id for row in rows})
            for row in rows:
                stake_ = stake_of(row)
                net_sat = row.gross_sat - row.fee_sat - row.bought_sat
                own_sat = divide_slice(net_sat, stake_.account, contracts.get(stake_.slice_id)).get(name, 0)
                is_own = stake_.account == name
                if not is_own and not own_sat:
                    continue
                part = Part(
                    row.height,
                    stake_.slice_id,
                    stake_.scheme,
                    stake_.fee_bps if is_own else 0,
                    row.gross_sat if is_own else own_sat,
                    row.fee_sat if is_own else 0,
                    own_sat,
                )
                found.setdefault(row.block_hash[::-1].hex(), []).append((stake_, part))
        return {
            hash_hex: [part for _, part in sorted(parts, key=lambda each: each[0])] for hash_hex, parts in found.items()
        }

    def _check_length(self, name: str, changes_max: int, *where: ColumnElement[bool]) -> None:
        some = (
            select(entry.c.journal_id)
            .join(journal, journal.c.id == entry.c.journal_id)
            .where(entry.c.account.in_(_names(name)), *where)
            .distinct()
            .limit(changes_max + 1)
        )
        if len(self._connection.execute(some).all()) > changes_max:
            raise AccountRefused(f"it would have more than {changes_max} changes: ask for a shorter time")

    def _attempts(self, payout_id: int) -> tuple[Attempt, ...]:
        batch = SqlPayouts(self._connection).get(payout_id)
        return () if batch is None else batch.signed

    def _fees_sat(self, rows: Collection[int]) -> dict[int, int]:
        found: dict[int, int] = {}
        for chunk in chunks(rows):
            fees = select(entry.c.journal_id, entry.c.amount_sat).where(
                entry.c.journal_id.in_(chunk), entry.c.account == NETWORK_FEE
            )
            found.update((row.journal_id, abs(row.amount_sat)) for row in self._connection.execute(fees))
        return found


_PARTS = (
    STAKES.add_columns(
        credit.c.block_hash, credit.c.gross_sat, credit.c.fee_sat, BOUGHT_SAT.label("bought_sat"), block.c.height
    )
    .join(credit, credit.c.stake_id == stake.c.id)
    .join(block, block.c.hash == credit.c.block_hash)
)


def paid_by(event: Event, signed: Sequence[Attempt]) -> Attempt | None:
    """The transaction that a row of a payment tells of: the one of its purpose whose fee was booked.

    A replacement always costs more than what it replaces (BIP-0125), so the fee tells them apart.
    """
    purpose = Purpose.CANCEL if event.kind == "payout.cancelled" else Purpose.PAY
    found = [each for each in signed if each.purpose is purpose and each.fee_sat == event.fee_sat]
    return found[-1] if found else None


def _names(name: str) -> tuple[str, ...]:
    return tuple(f"liab:{name}:{kind}" for kind in KINDS)


def _balance(amounts_sat: Mapping[str, Any], names: Sequence[str]) -> Balance:
    return Balance(*(-amounts_sat.get(name, 0) for name in names))
