"""The transactions of a batch: made by the wallet, believed only after a look at every input and output."""

from __future__ import annotations

from collections.abc import Sequence

from payout.checks import FeeCaps, InputRefused, Wanted, check_transaction
from payout.ledger import LedgerError
from payout.payment import Batch, Draft, Purpose, outputs_sat
from payout.payment_ports import Built, PaidLine, Wallet
from pool.bitcoin.psbt import unsigned_transaction
from pool.bitcoin.transaction import Transaction, parse_transaction


def outputs_by_address(lines: Sequence[PaidLine]) -> dict[str, int]:
    """What the wallet is asked to pay: one output for each script, at the address of its first line."""
    address_of: dict[str, str] = {}
    for each in lines:
        address_of.setdefault(each.line.script, each.address)
    merged = outputs_sat(each.line for each in lines)
    return {address_of[script.hex()]: amount_sat for script, amount_sat in merged.items()}


def wanted(lines: Sequence[PaidLine], purpose: Purpose) -> Wanted:
    """What a transaction of a batch has to be."""
    return Wanted(purpose, outputs_sat(each.line for each in lines) if purpose is Purpose.PAY else {})


def draft_of(
    wallet: Wallet, batch: Batch, lines: Sequence[PaidLine], purpose: Purpose, built: Built, caps: FeeCaps
) -> Draft:
    """What the wallet has built, as something to be signed.

    Raises LedgerError if it is not what the batch pays, InputRefused, checks.FeeRefused.
    """
    unsigned = parse_transaction(unsigned_transaction(built.psbt))
    fee_sat = _checked_fee_sat(wallet, batch, lines, purpose, unsigned)
    if fee_sat != built.fee_sat:
        raise LedgerError(f"the transaction costs {fee_sat} satoshi and not {built.fee_sat}, as the wallet says")
    caps.check_total(fee_sat)
    return Draft(purpose, built.psbt, unsigned.txid, tuple(each.spends for each in unsigned.inputs), fee_sat)


def check_signed(
    wallet: Wallet, batch: Batch, lines: Sequence[PaidLine], draft: Draft, raw: bytes, caps: FeeCaps
) -> int:
    """The fee of a signed transaction, if it is the draft and nothing else, and if the node would take it.

    Raises as `draft_of`; also InputRefused if the node would not take it.
    """
    signed = parse_transaction(raw)
    if signed.txid != draft.txid:
        raise LedgerError(f"it was altered: the signed transaction {_hex(signed)} is not {draft.txid[::-1].hex()}")
    if not all(each.is_signed for each in signed.inputs):
        raise LedgerError("signatures are missing")
    fee_sat = _checked_fee_sat(wallet, batch, lines, draft.purpose, signed)
    caps.check_total(fee_sat)
    if draft.purpose is Purpose.PAY:
        # The fee is for the longest signatures; each may have come out shorter.
        caps.check_rate_of(fee_sat, signed.vbytes + len(signed.inputs))
    refusal = wallet.refusal(raw)
    if refusal is not None:
        raise InputRefused(f"the node would not take the transaction: {refusal}")
    return fee_sat


def _checked_fee_sat(
    wallet: Wallet, batch: Batch, lines: Sequence[PaidLine], purpose: Purpose, transaction: Transaction
) -> int:
    # What an earlier transaction of this batch spends in the mempool is still there for its replacement.
    spent = wallet.spent_by([each.spends for each in transaction.inputs], in_mempool=not batch.attempts)
    goal = wanted(lines, purpose)
    ours = wallet.ours(
        [output.script for output in transaction.outputs if goal.outputs_sat.get(output.script) != output.value_sat]
    )
    return check_transaction(transaction, goal, spent, ours, batch.attempts)


def _hex(transaction: Transaction) -> str:
    return transaction.txid[::-1].hex()
