"""What a wallet sent that the books do not know, as after books were restored from an older copy; and how it is booked.

Nothing here sends: it is what a person must have looked at before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from payout import ledger
from payout.ledger import Posting


class SentOutput(Struct, frozen=True):
    """An output of a transaction of the wallet that pays somebody else. txid: wire order. fee_sat: of the whole
    transaction. confirmations: 0 in the mempool."""

    txid: bytes
    address: str
    amount_sat: int
    fee_sat: int
    confirmations: int


class History(Protocol):
    """What a wallet remembers."""

    def sent_since(self, height: int) -> Sequence[SentOutput]:
        """The outputs to others of its transactions that are in the mempool or in blocks from that height on.

        Raises NodeUnavailable, WalletWaits.
        """


class Foreign(Struct, frozen=True):
    """A transaction that the books do not know. accounts: whom it pays by the addresses that accounts ever had, several
    if they have one in common; None: nobody of ours. paid_sat: without its fee."""

    txid: str
    confirmations: int
    paid_sat: int
    fee_sat: int
    outputs: tuple[tuple[str, int, tuple[str, ...]], ...]


class CannotAdopt(Exception):
    """It cannot be booked as payments. The text says why, and what can be done instead."""


def foreign(
    sent: Iterable[SentOutput], known: Collection[bytes], booked: Collection[str], owners: Mapping[str, Sequence[str]]
) -> list[Foreign]:
    """The transactions that are neither of a batch nor booked by a person, oldest first.

    known: txids of batches. booked: tickets, a txid in hex where a person booked it. owners: accounts by address.
    """
    found: dict[bytes, list[SentOutput]] = {}
    for output in sent:
        if output.txid not in known and output.txid[::-1].hex() not in booked:
            found.setdefault(output.txid, []).append(output)
    return [
        Foreign(
            txid=txid[::-1].hex(),
            confirmations=outputs[0].confirmations,
            paid_sat=sum(each.amount_sat for each in outputs),
            fee_sat=outputs[0].fee_sat,
            outputs=tuple((each.address, each.amount_sat, tuple(owners.get(each.address, ()))) for each in outputs),
        )
        for txid, outputs in sorted(found.items(), key=lambda item: -item[1][0].confirmations)
    ]


def adoption(payment: Foreign, time_ms: int) -> Posting:
    """A transaction booked as what it was: its payees had their money, and the pool bore the fee. Raises
    CannotAdopt."""
    if payment.confirmations < 1:
        raise CannotAdopt(f"transaction {payment.txid} is in no block yet: wait until it is")
    amounts_sat: dict[str, int] = {
        ledger.WALLET: -payment.paid_sat - payment.fee_sat,
        ledger.NETWORK_FEE: payment.fee_sat,
    }
    for address, amount_sat, accounts in payment.outputs:
        if len(accounts) != 1:
            whose = f"of {' and '.join(accounts)}" if accounts else "of no account"
            raise CannotAdopt(
                f"transaction {payment.txid} pays {amount_sat} satoshi to {address}, {whose}: book it by hand, "
                f"`steppe payout fund {payment.txid} -{payment.paid_sat + payment.fee_sat}`"
            )
        name = ledger.available(accounts[0])
        amounts_sat[name] = amounts_sat.get(name, 0) + amount_sat
    return ledger.posting(f"adjust:{payment.txid}", "adjust", payment.txid, time_ms, amounts_sat)
