"""Whether a transaction is the one that a batch wants: looked at after it was built, and again before it is kept.

The wallet builds and signs; nothing it returns is believed. Source: docs/payouts.md 3.5.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from payout.ledger import LedgerError
from payout.outputs import VBYTES_PER_KVB, fee_sat, is_native_segwit
from payout.payment import Attempt, Purpose
from pool.bitcoin.transaction import OutPoint, Output, Transaction


class FeeRefused(Exception):
    """The network wants more than the operator allows. The text says how much, and which option decides."""


class InputRefused(Exception):
    """An input is gone or another batch's: the transaction has to be built again. The text says which."""


class FeeCaps(Struct, frozen=True):
    """What a transaction may cost at most."""

    rate_max_sat_kvb: int
    total_max_sat: int

    def check_rate(self, rate_sat_kvb: int) -> None:
        """Raises FeeRefused."""
        if rate_sat_kvb > self.rate_max_sat_kvb:
            raise FeeRefused(
                f"the network wants {rate_sat_kvb} sat/kvB, more than payouts.fee_rate_max "
                f"({self.rate_max_sat_kvb // VBYTES_PER_KVB} sat/vB): wait, or raise that"
            )

    def check_total(self, cost_sat: int) -> None:
        """Raises FeeRefused."""
        if cost_sat > self.total_max_sat:
            raise FeeRefused(
                f"the transaction would cost {cost_sat} satoshi, more than payouts.fee_max_sat ({self.total_max_sat}): "
                "wait, or raise that"
            )

    def check_rate_of(self, cost_sat: int, vbytes: int) -> None:
        """Raises FeeRefused."""
        if cost_sat > fee_sat(vbytes, self.rate_max_sat_kvb):
            raise FeeRefused(
                f"the transaction would cost {cost_sat} satoshi for {vbytes} vB, "
                f"more than payouts.fee_rate_max ({self.rate_max_sat_kvb // VBYTES_PER_KVB} sat/vB)"
            )


class Wanted(Struct, frozen=True):
    """What a transaction has to be. outputs_sat: by script; empty for one that spends an input to ourselves."""

    purpose: Purpose
    outputs_sat: Mapping[bytes, int]


def check_transaction(
    transaction: Transaction,
    wanted: Wanted,
    spent: Mapping[OutPoint, Output | None],
    ours: Collection[bytes],
    before: Sequence[Attempt] = (),
) -> int:
    """The fee in satoshis of a transaction that pays exactly what is wanted, and nobody else.

    spent: what its inputs spend, None where nothing is there to be spent. ours: the scripts of its outputs that are
    the wallet's. before: earlier transactions of the batch; each must share an input with this one. Raises LedgerError
    if it is not what is wanted, InputRefused if an input is gone.
    """
    change = _change(transaction, wanted)
    for output in change:
        if output.script not in ours or not is_native_segwit(output.script):
            raise LedgerError(f"the transaction pays {output.value_sat} satoshi to {output.script.hex()}, no line does")
    paid_sat = sum(output.value_sat for output in transaction.outputs)
    own = [each.spends for each in transaction.inputs]
    if len(set(own)) != len(own) or not own:
        raise LedgerError("the transaction spends an output twice, or none")
    for attempt in before:
        if not set(attempt.inputs) & set(own):
            raise LedgerError(
                f"the transaction shares no input with {attempt.txid_hex}: both could be in the chain at once"
            )
    spent_sat = 0
    for each in transaction.inputs:
        source = spent.get(each.spends)
        if source is None:
            raise InputRefused(f"input {each.spends} is not there to be spent")
        if each.script or not is_native_segwit(source.script):
            raise InputRefused(
                f"input {each.spends} is not native segwit, so the transaction would change its id when it is signed; "
                "move this coin to a bech32 address of the wallet"
            )
        spent_sat += source.value_sat
    if spent_sat < paid_sat:
        raise LedgerError(f"the transaction pays {paid_sat} satoshi out of {spent_sat}")
    return spent_sat - paid_sat


def _change(transaction: Transaction, wanted: Wanted) -> list[Output]:
    """The outputs that are no line's, at most one; for a cancelling transaction exactly one. Raises LedgerError."""
    missing = dict(wanted.outputs_sat)
    others: list[Output] = []
    for output in transaction.outputs:
        if missing.get(output.script) == output.value_sat:
            del missing[output.script]
        else:
            others.append(output)
    if missing:
        script, amount_sat = next(iter(missing.items()))
        raise LedgerError(f"the transaction does not pay {amount_sat} satoshi to {script.hex()}")
    if len(others) > 1 or (wanted.purpose is Purpose.CANCEL and len(others) != 1):
        raise LedgerError(f"the transaction has {len(others)} outputs that are no line's")
    return others
