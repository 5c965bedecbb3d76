"""What the wallet paid and the books do not know, after they were restored from an older copy."""

from __future__ import annotations

from payout.desk import DeskRefused
from payout.foreign import CannotAdopt, Foreign, History, adoption, foreign
from payout.ledger import LedgerError
from payout.store.ledger import SqlLedger


def past_payments(ledger: SqlLedger, wallet: History) -> list[Foreign]:
    """Since the copy that was restored; none if there was no such restore. Raises NodeUnavailable, WalletWaits."""
    with ledger.read() as books:
        height = books.payouts.restored_height()
    if not height:
        return []
    sent = wallet.sent_since(height)
    with ledger.read() as books:
        booked = {each for each in {output.txid[::-1].hex() for output in sent} if books.journal.rows_of(each)}
        return foreign(sent, books.payouts.txids(), booked, books.payees.owners())


def refuse_while_unbooked(ledger: SqlLedger, wallet: History) -> None:
    """Raises DeskRefused while something was paid that the books would pay again."""
    if found := past_payments(ledger, wallet):
        first = found[0]
        raise DeskRefused(
            f"payouts stay stopped: the wallet sent {len(found)} transactions that these books do not know, first "
            f"{first.txid} with {first.paid_sat} satoshi: they were sent after the backup was made. `steppe payout "
            "foreign` lists them; `steppe payout adopt TXID` books one as the payment that it was"
        )


def adopt(ledger: SqlLedger, wallet: History, txid: str, now_ms: int) -> Foreign:
    """Book a transaction of the wallet as the payments that it was. Raises DeskRefused."""
    payment = next((each for each in past_payments(ledger, wallet) if each.txid == txid), None)
    if payment is None:
        raise DeskRefused(f"{txid} is no transaction that the books do not know; `steppe payout foreign` lists those")
    try:
        with ledger.write() as books:
            books.journal.post([adoption(payment, now_ms)])
    except CannotAdopt as error:
        raise DeskRefused(str(error)) from error
    except LedgerError as error:
        raise DeskRefused(
            f"transaction {txid} cannot be booked: {error}. What it paid is not available in these books: if a payout "
            "that was not sent holds it (`steppe payout list`), release that; if shares are missing, see that the "
            "journals are shipped (docs/operating.md, Restore)"
        ) from error
    return payment
