"""A payout, step by step: who is paid, how far it is, which transaction, who bore its fee."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from payout.explain.rows import ShownRow, lines, shown
from payout.instants import format_instant
from payout.ledger import Row
from payout.payment import FINAL_DEPTH, Batch, Purpose, State
from payout.payment_ports import PaidLine
from pool.bitcoin.amount import format_btc

STATES = {
    State.RESERVED: "the money is set aside; no transaction was made yet",
    State.BUILT: "a transaction was made and waits for its signatures; nothing was sent",
    State.EXPORTED: "its transaction was given out to be signed elsewhere",
    State.SIGNED: "the signed transaction is in the books and is about to be sent",
    State.BROADCAST: "the transaction is in the network and waits for a block; it is sent again until it is in one",
    State.CONFIRMED: f"the transaction is in a block; {FINAL_DEPTH} deep it is final",
    State.CANCELLED: f"a transaction paid the coins back to the pool; {FINAL_DEPTH} deep the money is available again",
    State.FINAL: f"the transaction is {FINAL_DEPTH} blocks deep or deeper: it is done",
    State.RELEASED: "nothing was paid: the money is available to the accounts again",
}


class LineShown(Struct, frozen=True):
    """What an account is paid, and where to."""

    account: str
    address: str
    amount_sat: int


class AttemptShown(Struct, frozen=True):
    """A transaction of the batch. stored_ms: when it was kept, which is before it was sent."""

    number: int
    purpose: str
    txid: str
    fee_sat: int
    vbytes: int
    stored_ms: int
    is_signed: bool
    is_in_chain: bool


class PayoutExplained(Struct, frozen=True):
    """A batch. times: what happened when, as far as the books say, in order. lines_total: of all accounts."""

    payout: int
    state: str
    total_sat: int
    lines_total: int
    lines: tuple[LineShown, ...]
    times: tuple[tuple[int, str], ...]
    attempts: tuple[AttemptShown, ...]
    txid: str | None
    block_hash: str | None
    block_height: int | None
    confirmations: int
    fee_sat: int | None
    ledger: tuple[ShownRow, ...]


def explain(
    batch: Batch,
    paid: Sequence[PaidLine],
    stored_ms: Mapping[int, int],
    account: str | None,
    tip_height: int,
    rows: Sequence[Row],
) -> PayoutExplained:
    """The facts. stored_ms: when each transaction was kept, by its number. account: whose lines are shown, or all."""
    attempts = tuple(
        AttemptShown(
            each.number,
            each.purpose.value,
            each.txid_hex,
            each.fee_sat,
            each.vbytes,
            stored_ms[each.number],
            each.is_signed,
            each.number == batch.confirmed_number,
        )
        for each in batch.attempts
    )
    newest = batch.confirmed if batch.confirmed_number is not None else (batch.signed[-1] if batch.signed else None)
    return PayoutExplained(
        payout=batch.id,
        state=batch.state.value,
        total_sat=batch.total_sat,
        lines_total=len(paid),
        lines=tuple(
            LineShown(each.line.account, each.address, each.line.amount_sat)
            for each in paid
            if account is None or each.line.account == account
        ),
        times=tuple(sorted(_times(batch, attempts, rows))),
        attempts=attempts,
        txid=newest.txid_hex if newest else None,
        block_hash=batch.block_hash[::-1].hex() if batch.block_hash else None,
        block_height=batch.block_height,
        confirmations=0 if batch.block_height is None else max(0, tip_height - batch.block_height + 1),
        fee_sat=newest.fee_sat if newest else None,
        ledger=shown(rows, account),
    )


def words(payout: PayoutExplained) -> Iterator[str]:
    """The same for people."""
    yield f"Payout {payout.payout}: {payout.state}, that is, {STATES[State(payout.state)]}"
    yield ""
    accounts = "1 account" if payout.lines_total == 1 else f"{payout.lines_total} accounts"
    yield f"1. It pays {payout.total_sat:,} sat = {format_btc(payout.total_sat)} BTC to {accounts}."
    for line in payout.lines:
        yield f"   {line.account}: {line.amount_sat:,} sat to {line.address}"
    yield "2. What happened (UTC):"
    for time_ms, what in payout.times:
        yield f"   {format_instant(time_ms)}  {what}"
    yield from _transaction(payout)
    yield ""
    yield from lines(payout.ledger)


def _transaction(payout: PayoutExplained) -> Iterator[str]:
    if payout.txid is None or payout.fee_sat is None:
        yield "3. Nothing of it was signed: there is no transaction that could pay it."
        return
    yield f"3. The transaction is {payout.txid}."
    if payout.block_hash is not None:
        yield f"   It is in block {payout.block_height}, {payout.block_hash}, {payout.confirmations} deep."
    else:
        yield "   It is in no block that the pool knows of."
    if len(payout.attempts) > 1:
        yield "   All that were kept spend a common coin, so only one of them can ever be in the chain:"
        for each in payout.attempts:
            signed = "" if each.is_signed else ", given out to be signed"
            yield f"   {each.number}: {each.purpose}{signed}, {each.txid}, fee {each.fee_sat:,} sat"
    yield (
        f"4. Its network fee is {payout.fee_sat:,} sat. The pool bears it (expense:network_fee): every account gets "
        "its whole line."
    )


def _times(batch: Batch, attempts: Sequence[AttemptShown], rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    for row in rows:
        yield row.posting.time_ms, f"{row.posting.kind}: {_POSTED.get(row.posting.kind, '')} (row {row.id})"
    for each in attempts:
        what = "pays" if each.purpose == Purpose.PAY.value else "cancels"
        how = "was kept, signed" if each.is_signed else "was given out to be signed"
        yield each.stored_ms, f"transaction {each.number}, which {what}, {how}: {each.txid}"
    if batch.first_sent_ms is not None:
        yield batch.first_sent_ms, "it was sent for the first time"
    if batch.state is State.FINAL:
        yield batch.changed_ms, f"final: {FINAL_DEPTH} blocks deep"


_POSTED = {
    "payout.reserved": "the money left what the accounts may be paid",
    "payout.confirmed": "its transaction was seen in a block",
    "payout.unconfirmed": "the chain was reorganised and its transaction was in no block any more",
    "payout.cancelled": "the transaction that cancels it was seen in a block",
    "payout.released": "the money went back to the accounts",
}
