"""What an operator does about payments. Each is one step, conditional on the state it leaves, so that it and the payer
may meet: who comes second is told that the batch went on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from payout import ledger, planning, settlement
from payout.advance import Moved, Settings, keep_signed
from payout.checks import FeeRefused, InputRefused
from payout.ledger import LedgerError
from payout.payment import LIVE, Attempt, Batch, Draft, Place, Purpose, State, amounts_sat, release_refusal, step
from payout.payment_ports import Built, PaidLine, PaymentStore, Wallet
from payout.planning import Plan
from payout.transactions import check_signed, draft_of
from pool.bitcoin.psbt import unsigned_transaction
from pool.bitcoin.transaction import OutPoint, parse_transaction

_TICKET = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# The smallest transaction that spends one output to ourselves, and what a replacement must add for each of its vbytes:
# Bitcoin Core's -incrementalrelayfee, 1 sat/vB (BIP-0125, rule 4).
_CANCEL_VBYTES_MIN = 99
_CANCEL_VBYTES_MAX = 160


class DeskRefused(Exception):
    """What the operator asked for cannot be done. The text says why, and what can be done instead."""


class Desk:
    """The operator's side of payments."""

    def __init__(self, store: PaymentStore, wallet: Wallet, settings: Settings) -> None:
        self._store = store
        self._wallet = wallet
        self._settings = settings

    def plan(self, now_ms: int) -> Plan:
        """Who the next batch would pay, and why the others wait. Nothing is changed."""
        rate_sat_kvb = self._fee_rate_sat_kvb(None)
        with self._store.read() as books:
            addresses = planning.addresses(books, now_ms)
        verdicts = planning.Verdicts(self._wallet, self._settings.policy.script_of)
        verdicts.judge(addresses)
        with self._store.read() as books:
            return planning.plan(books, self._settings.policy, rate_sat_kvb, verdicts.refused, now_ms)

    def release(self, payout_id: int, now_ms: int) -> Batch:
        """Give the money of a batch back to its accounts, if nothing of it can ever be in the chain."""
        batch, lines = self._batch(payout_id)
        places: Sequence[Place | None] = ()
        if batch.attempts:
            self._wallet.tip()
            places = [self._wallet.place(attempt.txid) for attempt in batch.attempts]
        refusal = release_refusal(batch, places)
        if refusal is not None:
            raise DeskRefused(f"payout {payout_id} cannot be released: {refusal}")
        after = step(batch, State.RELEASED, now_ms)
        with self._store.write() as books:
            books.payouts.move(books.payouts.draft(batch, None), after)
            books.payouts.disclaim(batch)
            amounts = amounts_sat(each.line for each in lines)
            books.journal.post([settlement.release(batch.name, amounts, now_ms)])
        return after

    def bump(self, payout_id: int, rate_sat_kvb: int | None, newest_txid: str = "") -> Draft:
        """Draft a replacement of the newest transaction of a batch that pays the same at a higher fee rate.

        newest_txid: the transaction that whoever asks saw as the newest. An order that is repeated because its answer
        was lost says the same one again, and does not raise the fee twice.
        """
        batch, lines = self._batch(payout_id)
        _check_newest(batch, newest_txid)
        if batch.state is not State.BROADCAST:
            raise DeskRefused(f"payout {payout_id} is {batch.state.value}: only one that is broadcast can be bumped")
        newest = batch.signed[-1]
        self._wallet.tip()
        built = self._wallet.build_replacement(newest.txid, self._fee_rate_sat_kvb(rate_sat_kvb))
        return self._draft(batch, lines, newest.purpose, built)

    def cancel(self, payout_id: int, rate_sat_kvb: int | None, newest_txid: str = "") -> Draft:
        """Draft a transaction that spends an input of a batch to ourselves; six blocks deep, it releases the money.

        newest_txid: as of `bump`.
        """
        batch, lines = self._batch(payout_id)
        _check_newest(batch, newest_txid)
        if batch.state not in (State.EXPORTED, State.SIGNED, State.BROADCAST):
            hint = "; release it instead" if batch.state in (State.RESERVED, State.BUILT) else ""
            raise DeskRefused(f"payout {payout_id} is {batch.state.value}: it cannot be cancelled{hint}")
        self._wallet.tip()
        # It must pay more than what it replaces, and is much smaller; so the cap of the rate is not for it.
        beat_sat = max(attempt.fee_sat for attempt in batch.attempts) + _CANCEL_VBYTES_MAX
        rate = max(self._fee_rate_sat_kvb(rate_sat_kvb), -(-beat_sat * 1000 // _CANCEL_VBYTES_MIN))
        built = self._wallet.build_cancel(self._richest_input(batch), rate)
        return self._draft(batch, lines, Purpose.CANCEL, built)

    def export(self, payout_id: int, now_ms: int) -> str:
        """The PSBT of a batch that waits for signatures, to be signed elsewhere. From then on it may be signed."""
        if self._settings.signs:
            raise DeskRefused('the wallet signs by itself; payouts.signer = "external" is for keys that are elsewhere')
        batch, _ = self._batch(payout_id)
        draft = batch.draft
        if draft is None or batch.state not in LIVE:
            raise DeskRefused(f"nothing of payout {payout_id} ({batch.state.value}) waits for signatures")
        if not any(attempt.txid == draft.txid for attempt in batch.attempts):
            after = step(batch, State.EXPORTED, now_ms) if batch.state is State.BUILT else batch
            unsigned = unsigned_transaction(draft.psbt)
            with self._store.write() as books:
                books.payouts.move(batch, after)
                books.payouts.attempt(batch, draft.purpose, unsigned, draft.fee_sat, now_ms, signed=False)
        return draft.psbt

    def take_signed(self, psbt: str, now_ms: int) -> Moved:
        """Keep what was signed elsewhere, if it is what was exported; the payer sends it."""
        try:
            txid = parse_transaction(unsigned_transaction(psbt)).txid
        except ValueError as error:
            raise DeskRefused(f"this is no PSBT of version 0: {error}") from error
        batch, attempt = self._exported(txid)
        if any(each.is_signed and each.txid == txid for each in batch.attempts):
            raise DeskRefused(f"payout {batch.id} has the signatures of {txid[::-1].hex()} already")
        lines = self._batch(batch.id)[1]
        draft = Draft(attempt.purpose, psbt, txid, attempt.inputs, attempt.fee_sat)
        self._wallet.tip()
        raw = self._wallet.finish(psbt)
        if raw is None:
            raise DeskRefused(f"the PSBT of payout {batch.id} lacks signatures: sign it with all its keys")
        try:
            fee_sat = check_signed(self._wallet, batch, lines, draft, raw, self._settings.caps)
        except (LedgerError, InputRefused, FeeRefused) as error:
            raise DeskRefused(f"the PSBT of payout {batch.id} is refused: {error}") from error
        with self._store.write() as books:
            return keep_signed(books, batch, draft, raw, fee_sat, now_ms)

    def fund(self, ticket: str, amount_sat: int, now_ms: int) -> None:
        """Book coins that came into the wallet, or left it if negative, otherwise than by blocks and payouts."""
        if not _TICKET.fullmatch(ticket) or not amount_sat:
            raise DeskRefused("a ticket has 1 to 64 of letters, digits, _ . and -, and an amount is not 0")
        amounts = {ledger.WALLET: amount_sat, f"adjust:{ticket}": -amount_sat}
        with self._store.write() as books:
            try:
                if not books.journal.post([ledger.posting(f"adjust:{ticket}", "adjust", ticket, now_ms, amounts)]):
                    raise DeskRefused(f"ticket {ticket} was booked before")
            except LedgerError as error:
                raise DeskRefused(f"ticket {ticket}: {error}") from error

    def _draft(self, batch: Batch, lines: Sequence[PaidLine], purpose: Purpose, built: Built) -> Draft:
        try:
            draft = draft_of(self._wallet, batch, lines, purpose, built, self._settings.caps)
            with self._store.write() as books:
                books.payouts.draft(batch, draft)
        except (LedgerError, InputRefused, FeeRefused) as error:
            raise DeskRefused(f"payout {batch.id}: {error}") from error
        return draft

    def _richest_input(self, batch: Batch) -> OutPoint:
        """The input worth most of those that every transaction of the batch spends."""
        common = set.intersection(*(set(attempt.inputs) for attempt in batch.attempts))
        values_sat = {
            each: output.value_sat
            for each, output in self._wallet.spent_by(sorted(common), in_mempool=False).items()
            if output is not None
        }
        if not values_sat:
            raise DeskRefused(f"payout {batch.id} cannot be cancelled: what it spends is spent in the chain")
        return max(values_sat, key=lambda each: values_sat[each])

    def _fee_rate_sat_kvb(self, wished: int | None) -> int:
        rate = wished or self._wallet.fee_rate_sat_kvb(self._settings.target_blocks)
        rate = rate or self._settings.fee_rate_fallback_sat_kvb
        try:
            self._settings.caps.check_rate(rate)
        except FeeRefused as error:
            raise DeskRefused(str(error)) from error
        return rate

    def _batch(self, payout_id: int) -> tuple[Batch, Sequence[PaidLine]]:
        with self._store.read() as books:
            batch = books.payouts.get(payout_id)
            if batch is None:
                raise DeskRefused(f"there is no payout {payout_id}; `steppe payout list` shows them")
            return batch, books.payouts.lines(payout_id)

    def _exported(self, txid: bytes) -> tuple[Batch, Attempt]:
        with self._store.read() as books:
            for batch in books.payouts.live():
                for attempt in batch.attempts:
                    if attempt.txid == txid:
                        return batch, attempt
        raise DeskRefused(
            f"it is not ours, or was altered: no payout waits for the signatures of transaction {txid[::-1].hex()}"
        )


def _check_newest(batch: Batch, newest_txid: str) -> None:
    if not newest_txid:
        return
    newest = batch.attempts[-1].txid_hex if batch.attempts else "none"
    if newest_txid != newest:
        raise DeskRefused(
            f"the newest transaction of payout {batch.id} is {newest}, not {newest_txid}: it went on meanwhile; look "
            "at it again"
        )
