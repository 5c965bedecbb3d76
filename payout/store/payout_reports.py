"""What operators and the API read of payments. The fields are those of the answers in JSON."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection

from payout.payment import Attempt, Batch
from payout.payment_ports import Switch
from payout.store.blocks import SqlBlocks
from payout.store.journal import SqlJournal
from payout.store.payouts import SqlPayouts


class PayoutReport(Struct, frozen=True):
    """A batch of payments.

    txid, fee_sat: of the transaction in the chain, else of the newest; None before one is signed. confirmations: 0
    while none is in the chain. draft: what of it waits for signatures, `pay` or `cancel`.
    """

    id: int
    state: str
    total_sat: int
    created_ms: int
    changed_ms: int
    first_sent_ms: int | None
    txid: str | None
    fee_sat: int | None
    block_hash: str | None
    block_height: int | None
    confirmations: int
    draft: str | None


class LineReport(Struct, frozen=True):
    """What an account is paid, and where to. script: hex."""

    account: str
    address: str
    script: str
    amount_sat: int


class AttemptReport(Struct, frozen=True):
    """A transaction of a batch. purpose: `pay` or `cancel`. inputs: TXID:VOUT. raw: hex; without signatures if not
    is_signed."""

    number: int
    purpose: str
    txid: str
    fee_sat: int
    vbytes: int
    is_signed: bool
    inputs: tuple[str, ...]
    raw: str


class EntryReport(Struct, frozen=True):
    """One entry of a posting about a batch."""

    key: str
    kind: str
    time_ms: int
    account: str
    amount_sat: int


class PayoutDetail(Struct, frozen=True):
    """A batch with everything about it."""

    payout: PayoutReport
    lines: tuple[LineReport, ...]
    attempts: tuple[AttemptReport, ...]
    ledger: tuple[EntryReport, ...]


class PayoutsPage(Struct, frozen=True):
    """Batches from the newest on, how many there are in all, and whether payouts are stopped and why."""

    total: int
    rows: tuple[PayoutReport, ...]
    stopped: str | None


def page_of(connection: Connection, offset: int, count: int) -> PayoutsPage:
    """Batches from the newest on."""
    payouts = SqlPayouts(connection)
    tip_height = SqlBlocks(connection).chain_height()
    rows = tuple(report_of(batch, tip_height) for batch in payouts.newest(offset, count))
    return PayoutsPage(payouts.count(), rows, stopped_because(payouts.switch()))


def detail_of(connection: Connection, payout_id: int) -> PayoutDetail | None:
    """One batch; None if there is none of that number."""
    payouts = SqlPayouts(connection)
    batch = payouts.get(payout_id)
    if batch is None:
        return None
    rows = [
        row for row in SqlJournal(connection).rows_of(batch.name) if row.posting.key.startswith(f"payout:{batch.id}:")
    ]
    return PayoutDetail(
        report_of(batch, SqlBlocks(connection).chain_height()),
        tuple(
            LineReport(each.line.account, each.address, each.line.script, each.line.amount_sat)
            for each in payouts.lines(payout_id)
        ),
        tuple(_attempt(each) for each in batch.attempts),
        tuple(
            EntryReport(row.posting.key, row.posting.kind, row.posting.time_ms, entry.account, entry.amount_sat)
            for row in rows
            for entry in row.posting.entries
        ),
    )


def report_of(batch: Batch, tip_height: int) -> PayoutReport:
    """A batch in a row."""
    shown = batch.signed[-1] if batch.signed else None
    if batch.confirmed_number is not None:
        shown = batch.confirmed
    return PayoutReport(
        id=batch.id,
        state=batch.state.value,
        total_sat=batch.total_sat,
        created_ms=batch.created_ms,
        changed_ms=batch.changed_ms,
        first_sent_ms=batch.first_sent_ms,
        txid=shown.txid_hex if shown else None,
        fee_sat=shown.fee_sat if shown else None,
        block_hash=batch.block_hash[::-1].hex() if batch.block_hash else None,
        block_height=batch.block_height,
        confirmations=max(0, tip_height - batch.block_height + 1) if batch.block_height is not None else 0,
        draft=batch.draft.purpose.value if batch.draft else None,
    )


def stopped_because(switch: Switch) -> str | None:
    """Why payouts are stopped; None if they are not."""
    return switch.reason if switch.is_stopped else None


def _attempt(attempt: Attempt) -> AttemptReport:
    return AttemptReport(
        number=attempt.number,
        purpose=attempt.purpose.value,
        txid=attempt.txid_hex,
        fee_sat=attempt.fee_sat,
        vbytes=attempt.vbytes,
        is_signed=attempt.is_signed,
        inputs=tuple(str(each) for each in attempt.inputs),
        raw=attempt.raw.hex(),
    )
