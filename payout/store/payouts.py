"""Batches of payments in SQL. A change of state names the state it leaves, so of two that try one fails."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, delete, func, insert, select, update

from payout.checks import InputRefused
from payout.payment import LIVE, RESERVING, Attempt, Batch, Draft, Purpose, State, StateChanged
from payout.payment_ports import PaidLine, Payee, Switch
from payout.settlement import Line
from payout.store.payees import SqlPayees
from payout.store.statements import account_ids, chunks, next_id, read_progress, write_progress
from pool.bitcoin.psbt import unsigned_transaction
from pool.bitcoin.transaction import OutPoint, parse_transaction
from pool.store.sql import account, payout, payout_attempt, payout_input, payout_line, payout_switch

_RUN_DAY, _RUN_OPEN, _RESTORED = "payout_day", "payout_run_open", "payout_restored_height"


class SqlPayouts:
    """Satisfies payout.payment_ports.Payouts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def payees(self, time_ms: int) -> Sequence[Payee]:
        """Every account with an available balance, by name."""
        return SqlPayees(self._connection).payees(time_ms)

    def reserve(self, lines: Sequence[PaidLine], time_ms: int) -> Batch:
        """Keep a new batch."""
        total_sat = sum(each.line.amount_sat for each in lines)
        batch = Batch(next_id(self._connection, payout), State.RESERVED, time_ms, time_ms, total_sat)
        ids = account_ids(self._connection, [each.line.account for each in lines])
        self._connection.execute(
            insert(payout).values(
                id=batch.id,
                state=batch.state.value,
                created_ms=time_ms,
                changed_ms=time_ms,
                total_sat=total_sat,
                flips=0,
            )
        )
        self._connection.execute(
            insert(payout_line),
            [
                {
                    "payout_id": batch.id,
                    "account_id": ids[each.line.account],
                    "address": each.address,
                    "script": bytes.fromhex(each.line.script),
                    "amount_sat": each.line.amount_sat,
                }
                for each in lines
            ],
        )
        return batch

    def live(self) -> list[Batch]:
        """The batches that are not final or released, oldest first."""
        return self._batches(payout.c.state.in_([state.value for state in LIVE]))

    def live_states(self) -> dict[int, State]:
        """Their numbers and states alone."""
        rows = self._connection.execute(
            select(payout.c.id, payout.c.state).where(payout.c.state.in_([state.value for state in LIVE]))
        )
        return {row.id: State(row.state) for row in rows}

    def states(self) -> dict[int, State]:
        """All numbers and states."""
        rows = self._connection.execute(select(payout.c.id, payout.c.state).order_by(payout.c.id))
        return {row.id: State(row.state) for row in rows}

    def counts(self) -> dict[State, int]:
        """How many batches are in each state."""
        counted = select(payout.c.state, func.count().label("batches")).group_by(payout.c.state)
        return {State(row.state): row.batches for row in self._connection.execute(counted)}

    def get(self, payout_id: int) -> Batch | None:
        """One batch."""
        return next(iter(self._batches(payout.c.id == payout_id)), None)

    def newest(self, offset: int, count: int) -> list[Batch]:
        """Batches from the newest on."""
        ids = select(payout.c.id).order_by(payout.c.id.desc()).offset(offset).limit(count)
        wanted = list(self._connection.execute(ids).scalars())
        return self._batches(payout.c.id.in_(wanted))[::-1] if wanted else []

    def count(self) -> int:
        """How many batches there are."""
        return int(self._connection.execute(select(func.count()).select_from(payout)).scalar_one())

    def lines(self, payout_id: int) -> list[PaidLine]:
        """What a batch pays, by account."""
        rows = self._connection.execute(
            select(account.c.name, payout_line.c.script, payout_line.c.amount_sat, payout_line.c.address)
            .join(account, account.c.id == payout_line.c.account_id)
            .where(payout_line.c.payout_id == payout_id)
        )
        found = [PaidLine(Line(row.name, row.script.hex(), row.amount_sat), row.address) for row in rows]
        return sorted(found, key=lambda each: each.line.account)

    def reserved_sat(self) -> dict[str, int]:
        """The sums of the lines, by account, of the batches whose money is reserved."""
        rows = self._connection.execute(
            select(account.c.name, func.sum(payout_line.c.amount_sat))
            .join(payout_line, payout_line.c.account_id == account.c.id)
            .join(payout, payout.c.id == payout_line.c.payout_id)
            .where(payout.c.state.in_([state.value for state in RESERVING]))
            .group_by(account.c.name)
        )
        return {name: int(amount_sat) for name, amount_sat in rows}

    def move(self, before: Batch, after: Batch) -> None:
        """Put a batch into another state."""
        self._change(
            before,
            state=after.state.value,
            changed_ms=after.changed_ms,
            confirmed_number=after.confirmed_number,
            block_hash=after.block_hash,
            block_height=after.block_height,
            flips=after.flips,
            first_sent_ms=after.first_sent_ms,
        )

    def draft(self, batch: Batch, draft: Draft | None) -> Batch:
        """Keep a transaction that waits for signatures, and claim its inputs; None: it waits no more."""
        after = replace(batch, draft=draft)
        if draft is None:
            self._change(batch, draft_purpose=None, draft_psbt=None, draft_fee_sat=None)
            return after
        self._change(batch, draft_purpose=draft.purpose.value, draft_psbt=draft.psbt, draft_fee_sat=draft.fee_sat)
        for spent in draft.inputs:
            claim = select(payout_input.c.payout_id).where(
                payout_input.c.txid == spent.txid, payout_input.c.vout == spent.vout
            )
            claimant = self._connection.execute(claim).scalar_one_or_none()
            if claimant is None:
                self._connection.execute(
                    insert(payout_input).values(txid=spent.txid, vout=spent.vout, payout_id=batch.id)
                )
            elif claimant != batch.id:
                raise InputRefused(f"input {spent} is spent by payout {claimant}")
        return after

    def attempt(
        self, batch: Batch, purpose: Purpose, raw: bytes, fee_sat: int, time_ms: int, *, signed: bool
    ) -> Attempt:
        """Keep a transaction for ever; from then on it may be in the network."""
        transaction = parse_transaction(raw)
        self._connection.execute(
            insert(payout_attempt).values(
                payout_id=batch.id,
                number=len(batch.attempts) + 1,
                purpose=purpose.value,
                txid=transaction.txid,
                raw=raw,
                is_signed=signed,
                fee_sat=fee_sat,
                stored_ms=time_ms,
            )
        )
        return Attempt(
            len(batch.attempts) + 1,
            purpose,
            transaction.txid,
            fee_sat,
            transaction.vbytes,
            raw,
            signed,
            tuple(each.spends for each in transaction.inputs),
        )

    def claimed(self, states: Collection[State]) -> list[OutPoint]:
        """What the batches in these states spend."""
        rows = self._connection.execute(
            select(payout_input.c.txid, payout_input.c.vout)
            .join(payout, payout.c.id == payout_input.c.payout_id)
            .where(payout.c.state.in_([state.value for state in states]))
        )
        return [OutPoint(row.txid, row.vout) for row in rows]

    def disclaim(self, batch: Batch) -> None:
        """Nothing that was signed spends its inputs."""
        self._connection.execute(delete(payout_input).where(payout_input.c.payout_id == batch.id))

    def switch(self) -> Switch:
        """Whether payouts are stopped."""
        row = self._connection.execute(select(payout_switch).order_by(payout_switch.c.id.desc()).limit(1)).one_or_none()
        return Switch(False, 0, "") if row is None else Switch(row.is_stopped, row.time_ms, row.reason)

    def set_switch(self, is_stopped: bool, reason: str, time_ms: int) -> None:
        """Stop them or let them go on."""
        self._connection.execute(
            insert(payout_switch).values(
                id=next_id(self._connection, payout_switch), time_ms=time_ms, is_stopped=is_stopped, reason=reason
            )
        )

    def restored_height(self) -> int:
        """How far an older copy of the books had followed the chain that these were restored from, until the wallet was
        compared with them; 0: nothing is to be compared."""
        return read_progress(self._connection, _RESTORED)

    def compared(self) -> None:
        """The wallet sent nothing that the books do not know."""
        write_progress(self._connection, _RESTORED, 0)

    def txids(self) -> set[bytes]:
        """Of every transaction that was signed or given out to be signed."""
        return set(self._connection.execute(select(payout_attempt.c.txid)).scalars())

    def run_day(self) -> int:
        """The day of the newest daily run, in days since 1970 (UTC)."""
        return read_progress(self._connection, _RUN_DAY)

    def is_run_open(self) -> bool:
        """Whether a run has begun and not everybody has a batch."""
        return read_progress(self._connection, _RUN_OPEN) == 1

    def open_run(self, day: int | None) -> None:
        """Begin a run. day: if it is the daily one."""
        write_progress(self._connection, _RUN_OPEN, 1)
        if day is not None:
            write_progress(self._connection, _RUN_DAY, day)

    def close_run(self) -> None:
        """Everybody who can be paid has a batch."""
        write_progress(self._connection, _RUN_OPEN, 0)

    def _change(self, batch: Batch, **values: Any) -> None:
        """Change a row that is as it was read, to the last attempt. Raises StateChanged if it is not."""
        attempts = (
            select(func.count()).select_from(payout_attempt).where(payout_attempt.c.payout_id == batch.id)
        ).scalar_subquery()
        changed = self._connection.execute(
            update(payout)
            .where(
                payout.c.id == batch.id,
                payout.c.state == batch.state.value,
                payout.c.changed_ms == batch.changed_ms,
                payout.c.flips == batch.flips,
                payout.c.draft_psbt == batch.draft.psbt if batch.draft else payout.c.draft_psbt.is_(None),
                attempts == len(batch.attempts),
            )
            .values(**values)
        )
        if changed.rowcount != 1:
            raise StateChanged(f"payout {batch.id} is not {batch.state.value} as it was: it went on meanwhile")

    def _batches(self, wanted: Any) -> list[Batch]:
        rows = self._connection.execute(select(payout).where(wanted).order_by(payout.c.id)).all()
        attempts: dict[int, tuple[Attempt, ...]] = {}
        for chunk in chunks([row.id for row in rows]):
            found = self._connection.execute(
                select(payout_attempt)
                .where(payout_attempt.c.payout_id.in_(chunk))
                .order_by(payout_attempt.c.payout_id, payout_attempt.c.number)
            )
            attempts |= {
                payout_id: tuple(_attempt(each) for each in group)
                for payout_id, group in groupby(found, key=lambda each: each.payout_id)
            }
        return [_batch(row, attempts.get(row.id, ())) for row in rows]


def _batch(row: Any, attempts: tuple[Attempt, ...]) -> Batch:
    draft = None
    if row.draft_psbt is not None:
        unsigned = parse_transaction(unsigned_transaction(row.draft_psbt))
        inputs = tuple(each.spends for each in unsigned.inputs)
        draft = Draft(Purpose(row.draft_purpose), row.draft_psbt, unsigned.txid, inputs, row.draft_fee_sat)
    return Batch(
        id=row.id,
        state=State(row.state),
        created_ms=row.created_ms,
        changed_ms=row.changed_ms,
        total_sat=row.total_sat,
        draft=draft,
        attempts=attempts,
        confirmed_number=row.confirmed_number,
        block_hash=row.block_hash,
        block_height=row.block_height,
        flips=row.flips,
        first_sent_ms=row.first_sent_ms,
    )


def _attempt(row: Any) -> Attempt:
    transaction = parse_transaction(row.raw)
    inputs = tuple(each.spends for each in transaction.inputs)
    return Attempt(
        row.number, Purpose(row.purpose), row.txid, row.fee_sat, transaction.vbytes, row.raw, row.is_signed, inputs
    )
