"""The balance of an account: from nothing to now by kind of change, and where each part of it is."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from payout.instants import format_instant
from payout.maturity import SPENDABLE_CONFIRMATIONS
from payout.pps import PSAT
from payout.statement import Balance, Line
from payout.statement_formats import WORDS
from pool.bitcoin.amount import format_btc


class InBlock(Struct, frozen=True):
    """An immature part. left: blocks until it is available."""

    height: int
    block_hash: str
    confirmations: int
    left: int
    amount_sat: int


class InPayout(Struct, frozen=True):
    """A part that is set aside for a payout."""

    payout: int
    state: str
    txid: str | None
    amount_sat: int


class Kind(Struct, frozen=True):
    """All changes of one kind. changes: how many rows of the ledger."""

    kind: str
    changes: int
    immature_sat: int
    available_sat: int
    reserved_sat: int


class BalanceExplained(Struct, frozen=True):
    """What the pool owes an account, and why.

    kinds: their columns sum to balance. pending_psat: earned per share and not in the ledger yet, as text. address:
    None if it never said where it is paid; held_until_ms: 0 without a hold. threshold_sat: its own, None for the
    pool's.
    """

    account: str
    ledger_row: int
    ledger_hash: str
    balance: Balance
    kinds: tuple[Kind, ...]
    blocks: tuple[InBlock, ...]
    payouts: tuple[InPayout, ...]
    pending_psat: str
    address: str | None
    held_until_ms: int
    threshold_sat: int | None


def kinds_of(lines: Iterator[Line]) -> tuple[Kind, ...]:
    """The changes added up by kind, in order of the first of each."""
    sums: dict[str, tuple[set[int], Balance]] = {}
    for line in lines:
        rows, total = sums.get(line.kind, (set(), Balance()))
        sums[line.kind] = rows | {line.row}, total.plus(line.change)
    return tuple(
        Kind(kind, len(rows), total.immature_sat, total.available_sat, total.reserved_sat)
        for kind, (rows, total) in sums.items()
    )


def words(found: BalanceExplained) -> Iterator[str]:
    """For people."""
    balance = found.balance
    yield f"Balance of account {found.account}: {balance.total_sat:,} sat = {format_btc(balance.total_sat)} BTC"
    yield f"by the ledger up to its row {found.ledger_row}, whose hash is {found.ledger_hash}"
    yield ""
    yield "1. How it came about, from nothing to now (sat):"
    yield f"   {'immature':>20} {'available':>20} {'reserved':>20}"
    for each in found.kinds:
        columns = f"{each.immature_sat:>+20,} {each.available_sat:>+20,} {each.reserved_sat:>+20,}"
        yield f"   {columns}  {each.kind} (rows: {each.changes}): {WORDS.get(each.kind, each.kind)}"
    yield f"   {balance.immature_sat:>20,} {balance.available_sat:>20,} {balance.reserved_sat:>20,}  now"
    needed = f"{SPENDABLE_CONFIRMATIONS} confirmations"
    yield f"2. Immature, {balance.immature_sat:,} sat: each part becomes available when its block has {needed}."
    for block in found.blocks:
        yield f"   {block.amount_sat:,} sat in block {block.height}, {block.block_hash}: {block.left} blocks to go"
    yield f"3. Available, {balance.available_sat:,} sat: paid by the next payout, if nothing holds it back."
    yield from _payable(found)
    yield f"4. Reserved, {balance.reserved_sat:,} sat: on its way."
    for payout in found.payouts:
        txid = payout.txid or "none yet"
        yield f"   {payout.amount_sat:,} sat in payout {payout.payout} ({payout.state}), transaction {txid}"
    sat, psat = divmod(int(found.pending_psat), PSAT)
    if sat or psat:
        yield f"5. Earned per share and not in the ledger yet: {sat:,}.{psat:012} sat."
    yield ""
    yield f"Line by line: steppe statement {found.account}"


def _payable(found: BalanceExplained) -> Iterator[str]:
    if found.address is None:
        yield "   It has not said where it is paid: steppe account address NAME ADDRESS"
        return
    yield f"   To {found.address}."
    if found.held_until_ms:
        yield f"   That address is on hold until {format_instant(found.held_until_ms)}, since it was changed."
    if found.threshold_sat is None:
        yield "   From payouts.threshold_sat on; `steppe payout plan` says who waits and why."
    else:
        yield f"   From {found.threshold_sat:,} sat on, its own threshold; `steppe payout plan` says who waits and why."
