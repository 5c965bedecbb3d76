"""What payments mean in money, computed again from their lines and transactions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from payout import settlement
from payout.ledger import LedgerError, Posting
from payout.payment import Batch, Purpose, State, amounts_sat, confirm, outputs_sat, unconfirm
from payout.settlement import Line
from payout.store.payouts import SqlPayouts
from pool.bitcoin.transaction import parse_transaction
from pool.rebuild.comparison import Check
from pool.rebuild.rows import LiveRow

KIND = "payout."
"""What the kinds of their postings begin with."""

_PURPOSES = {"payout.confirmed": Purpose.PAY, "payout.cancelled": Purpose.CANCEL}


class _Life(Struct):
    """How far the rows have led a batch. standing: the number of its transaction that is in the chain."""

    flips: int = 0
    standing: int | None = None
    is_reserved: bool = False
    is_released: bool = False


class Payments:
    """The batches of the books on their way through the rows of the ledger."""

    def __init__(self, payouts: SqlPayouts, check: Check) -> None:
        """check: of the postings; it is told of batches that cannot be read."""
        self._payouts = payouts
        self._check = check
        self._lives: dict[int, _Life] = {}

    def again(self, row: LiveRow) -> Posting | None:
        """The posting that a row tells of, as its batch gives it; None if it does not."""
        found = self._read(int(row.ref)) if row.ref.isdecimal() else None
        if found is None:
            return None
        batch, lines = found
        life = self._lives.setdefault(batch.id, _Life())
        match row.kind:
            case "payout.reserved":
                life.is_reserved = True
                return settlement.reserve(batch.name, amounts_sat(lines), row.time_ms)
            case "payout.released":
                life.is_released = True
                return settlement.release(batch.name, amounts_sat(lines), row.time_ms)
            case "payout.confirmed" | "payout.cancelled" if life.standing is None:
                return _confirm(batch, lines, life, row)
            case "payout.unconfirmed" if life.standing is not None:
                posted = unconfirm(_as_of(batch, life), lines, row.time_ms)
                life.standing, life.flips = None, life.flips + 1
                return posted
        return None

    def finish(self) -> Iterator[Posting]:
        """The rows that should be there and are not, by where the batches stand."""
        for batch, lines in self._every():
            life = self._lives.get(batch.id, _Life())
            if not life.is_reserved:
                yield settlement.reserve(batch.name, amounts_sat(lines), 0)
            if batch.confirmed_number is not None and life.standing is None:
                yield confirm(replace(batch, flips=life.flips), lines, batch.confirmed, 0)
            if batch.confirmed_number is None and life.standing is not None:
                yield unconfirm(_as_of(batch, life), lines, 0)
            if batch.state is State.RELEASED and not life.is_released:
                yield settlement.release(batch.name, amounts_sat(lines), 0)

    def compare(self) -> Check:
        """Whether the transactions that pay the batches pay exactly their lines."""
        check = Check("payments", "lines and transactions are the ledger's")
        for batch, lines in self._every():
            wanted_sat = outputs_sat(lines)
            check.pair(f"payout {batch.id}", f"{batch.total_sat} sat", f"{sum(wanted_sat.values())} sat")
            for attempt in batch.attempts:
                transaction = parse_transaction(attempt.raw)
                name = f"payout {batch.id}, transaction {attempt.number}"
                check.pair(name, attempt.txid_hex, transaction.txid[::-1].hex())
                paid = {(output.script, output.value_sat) for output in transaction.outputs}
                for script, amount_sat in wanted_sat.items() if attempt.purpose is Purpose.PAY else ():
                    if (script, amount_sat) not in paid:
                        check.differs(f"{name} does not pay {amount_sat} sat to {script.hex()}")
        return check

    def _every(self) -> Iterator[tuple[Batch, Sequence[Line]]]:
        for number in range(1, self._payouts.count() + 1):
            if (found := self._read(number)) is not None:
                yield found

    def _read(self, number: int) -> tuple[Batch, Sequence[Line]] | None:
        try:
            batch = self._payouts.get(number)
            if batch is None:
                return None
            lines = [each.line for each in self._payouts.lines(number)]
            if not lines:
                raise LedgerError("it has no lines")
            if batch.confirmed_number is not None:
                _ = batch.confirmed  # raises LedgerError
        except (ValueError, LedgerError) as error:
            self._check.differs(f"payout {number} cannot be read: {error}")
            return None
        return batch, lines


def _confirm(batch: Batch, lines: Sequence[Line], life: _Life, row: LiveRow) -> Posting | None:
    """The posting of that transaction which the row fits: any of them may have been in the chain for a while."""
    before = replace(batch, flips=life.flips)
    candidates = {
        attempt.number: confirm(before, lines, attempt, row.time_ms)
        for attempt in batch.attempts
        if attempt.purpose is _PURPOSES[row.kind]
    }
    if not candidates:
        return None
    fitting = [number for number, posted in candidates.items() if posted.entries == row.entries]
    if batch.flips == life.flips and batch.confirmed_number in candidates:
        fitting = [batch.confirmed_number]
    life.standing = fitting[0] if fitting else next(iter(candidates))
    return candidates[life.standing]


def _as_of(batch: Batch, life: _Life) -> Batch:
    """The batch while the transaction of that moment was in the chain."""
    return replace(batch, flips=life.flips, confirmed_number=life.standing)
