"""One step of one batch: what its state asks for, and what the node and the wallet answer.

`hit` names the places between two steps: whatever ends the process there, the same step is done again later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

from msgspec import Struct
from msgspec.structs import replace

from payout import ledger, settlement
from payout.checks import FeeCaps, FeeRefused, InputRefused
from payout.payment import (
    FINAL_DEPTH,
    LIVE,
    STEPS,
    Attempt,
    Batch,
    Draft,
    Place,
    Purpose,
    State,
    amounts_sat,
    confirm,
    step,
    unconfirm,
)
from payout.payment_ports import PaidLine, PaymentBooks, PaymentStore, Sent, Wallet, WalletWaits
from payout.planning import Policy
from payout.settlement import Line
from payout.transactions import check_signed, draft_of, outputs_by_address


class Settings(Struct, frozen=True):
    """How this pool pays. signs: whether the wallet holds the keys. hour_utc: of the daily run; None: on demand."""

    policy: Policy
    caps: FeeCaps
    target_blocks: int
    fee_rate_fallback_sat_kvb: int
    signs: bool
    hour_utc: int | None


class Moved(Struct, frozen=True):
    """A batch went from one state to another, or got another transaction. before: None for a new batch."""

    before: State | None
    after: Batch
    attempt: Attempt | None = None


class Waits(Struct, frozen=True):
    """Something cannot go on now. what: `payout ID`, `run`, `lease` or `coins`; the text says how to mend it."""

    what: str
    text: str


Write = Callable[[], AbstractContextManager[PaymentBooks]]


class Advance:
    """The steps of a batch."""

    def __init__(
        self, store: PaymentStore, write: Write, wallet: Wallet, settings: Settings, hit: Callable[[str], None]
    ) -> None:
        """write: a transaction of the one process that pays."""
        self._store = store
        self._write = write
        self._wallet = wallet
        self._settings = settings
        self._hit = hit
        self._announced: set[bytes] = set()  # sent by this process: each start sends everything again

    def step(self, batch: Batch, *, may_send: bool, now_ms: int) -> Iterator[Moved | Waits]:
        """Take the next step of a batch if it can be taken; durable when it is told.

        may_send: else only what the chain has decided is booked. Raises WalletWaits, FeeRefused, InputRefused,
        payment.StateChanged, LedgerError, NodeUnavailable.
        """
        match batch.state:
            case State.RESERVED if may_send:
                yield self._build(batch, now_ms)
            case State.BUILT if may_send and self._settings.signs:
                yield from self._sign(batch, now_ms)
            case State.EXPORTED:
                yield from self._find_exported(batch, now_ms)
            case State.SIGNED | State.BROADCAST:
                yield from self._send(batch, may_send, now_ms)
            case State.CONFIRMED | State.CANCELLED:
                yield from self._deepen(batch, now_ms)

    def set_aside(self) -> None:
        """Lock what the batches spend, and nothing else: before anything chooses coins, and when a step broke off."""
        with self._store.read() as books:
            claimed = books.payouts.claimed(LIVE)
        self._wallet.set_aside(claimed)

    def fee_rate_sat_kvb(self) -> int:
        """The rate to build at now. Raises FeeRefused when the network wants more than is allowed."""
        asked = self._wallet.fee_rate_sat_kvb(self._settings.target_blocks)
        rate_sat_kvb = self._settings.fee_rate_fallback_sat_kvb if asked is None else asked
        self._settings.caps.check_rate(rate_sat_kvb)
        return rate_sat_kvb

    def _build(self, batch: Batch, now_ms: int) -> Moved:
        lines = self._lines(batch)
        rate_sat_kvb = self.fee_rate_sat_kvb()
        self._hit("payout-build")
        built = self._wallet.build(outputs_by_address(lines), rate_sat_kvb)
        draft = draft_of(self._wallet, batch, lines, Purpose.PAY, built, self._settings.caps)
        self._hit("payout-built")
        after = replace(step(batch, State.BUILT, now_ms), draft=draft)
        with self._write() as books:
            books.payouts.move(books.payouts.draft(batch, draft), after)
        self._hit("payout-built-kept")
        self.set_aside()
        return Moved(batch.state, after)

    def _sign(self, batch: Batch, now_ms: int) -> Iterator[Moved | Waits]:
        """Sign the draft and keep the result, which may be sent from then on. A draft that has become useless is given
        up: what was never signed may be."""
        if batch.draft is None:
            return
        lines = self._lines(batch)
        self._hit("payout-sign")
        raw = self._wallet.sign(batch.draft.psbt)
        if raw is None:
            raise WalletWaits('the wallet has not all the keys: load them, or set payouts.signer = "external"')
        try:
            fee_sat = check_signed(self._wallet, batch, lines, batch.draft, raw, self._settings.caps)
        except (InputRefused, FeeRefused) as reason:
            yield from self._give_up_draft(batch, now_ms)
            yield Waits(f"payout {batch.id}", f"{reason}; it is built again")
            return
        self._hit("payout-signed")
        with self._write() as books:
            moved = keep_signed(books, batch, batch.draft, raw, fee_sat, now_ms)
        self._hit("payout-signed-kept")
        yield moved

    def _give_up_draft(self, batch: Batch, now_ms: int) -> Iterator[Moved]:
        is_unsigned = batch.state is State.BUILT
        with self._write() as books:
            after = books.payouts.draft(batch, None)
            if is_unsigned:
                books.payouts.disclaim(after)
                rebuilt = step(after, State.RESERVED, now_ms)
                books.payouts.move(after, rebuilt)
        self.set_aside()
        if is_unsigned:
            yield Moved(batch.state, rebuilt)

    def _find_exported(self, batch: Batch, now_ms: int) -> Iterator[Moved]:
        """What was given out to be signed may have been sent by whoever signed it."""
        for attempt in batch.attempts:
            raw = self._wallet.transaction(attempt.txid)
            if raw is not None:
                with self._write() as books:
                    is_drafted = batch.draft is not None and batch.draft.txid == attempt.txid
                    known = books.payouts.draft(batch, None) if is_drafted else batch
                    moved = keep_attempt(books, known, attempt.purpose, raw, attempt.fee_sat, now_ms)
                yield moved
                return

    def _send(self, batch: Batch, may_send: bool, now_ms: int) -> Iterator[Moved | Waits]:
        places = self._places(batch)
        in_chain = _in_chain(batch, places)
        if in_chain is not None and batch.state is State.BROADCAST:
            yield self._confirm(batch, *in_chain, now_ms)
            return
        if may_send and batch.draft is not None and self._settings.signs:
            yield from self._sign(batch, now_ms)
            return
        if in_chain is None and not may_send:
            return
        newest = batch.signed[-1]
        if batch.state is State.BROADCAST and newest.txid in self._announced and _is_waiting(batch, newest, places):
            return
        self._hit("payout-send")
        answer = None if in_chain else self._wallet.send(newest.raw)
        self._announced.add(newest.txid)
        self._hit("payout-sent")
        if batch.state is State.SIGNED and (answer is None or answer.sent in (Sent.TAKEN, Sent.CONFIRMED)):
            after = replace(step(batch, State.BROADCAST, now_ms), first_sent_ms=now_ms)
            with self._write() as books:
                books.payouts.move(batch, after)
            self._hit("payout-sent-kept")
            yield Moved(batch.state, after, newest)
        elif answer is not None and answer.sent in (Sent.ASK, Sent.UNKNOWN):
            yield Waits(f"payout {batch.id}", _undecided(answer.text, places))

    def _confirm(self, batch: Batch, attempt: Attempt, place: Place, now_ms: int) -> Moved:
        lines = self._ledger_lines(batch)
        state = State.CONFIRMED if attempt.purpose is Purpose.PAY else State.CANCELLED
        after = replace(
            step(batch, state, now_ms),
            confirmed_number=attempt.number,
            block_hash=place.block_hash,
            block_height=place.height,
        )
        self._hit("payout-confirm")
        with self._write() as books:
            books.payouts.move(batch, after)
            books.journal.post([confirm(batch, lines, attempt, now_ms)])
        self._hit("payout-confirmed")
        return Moved(batch.state, after, attempt)

    def _deepen(self, batch: Batch, now_ms: int) -> Iterator[Moved]:
        attempt = batch.confirmed
        place = self._wallet.place(attempt.txid, batch.block_hash)
        if place is None:
            return  # no answer decides nothing: a node that forgets is no reorg
        if place.confirmations <= 0 or place.block_hash != batch.block_hash:
            yield self._unconfirm(batch, now_ms)
        elif place.confirmations >= FINAL_DEPTH:
            yield self._finish(batch, now_ms)

    def _unconfirm(self, batch: Batch, now_ms: int) -> Moved:
        lines = self._ledger_lines(batch)
        after = replace(
            step(batch, State.BROADCAST, now_ms),
            confirmed_number=None,
            block_hash=None,
            block_height=None,
            flips=batch.flips + 1,
        )
        self._hit("payout-unconfirm")
        with self._write() as books:
            books.payouts.move(batch, after)
            books.journal.post([unconfirm(batch, lines, now_ms)])
        self._hit("payout-unconfirmed")
        return Moved(batch.state, after, batch.confirmed)

    def _finish(self, batch: Batch, now_ms: int) -> Moved:
        is_paid = batch.state is State.CONFIRMED
        after = step(batch, State.FINAL if is_paid else State.RELEASED, now_ms)
        lines = self._ledger_lines(batch)
        self._hit("payout-finish")
        with self._write() as books:
            books.payouts.move(books.payouts.draft(batch, None), after)
            if not is_paid:
                books.payouts.disclaim(batch)
                books.journal.post([settlement.release(batch.name, amounts_sat(lines), now_ms)])
        self._hit("payout-finished")
        return Moved(batch.state, after, batch.confirmed)

    def _places(self, batch: Batch) -> list[Place | None]:
        found = {txid: self._wallet.place(txid) for txid in {attempt.txid for attempt in batch.attempts}}
        return [found[attempt.txid] for attempt in batch.attempts]

    def _lines(self, batch: Batch) -> Sequence[PaidLine]:
        with self._store.read() as books:
            return books.payouts.lines(batch.id)

    def _ledger_lines(self, batch: Batch) -> list[Line]:
        return [each.line for each in self._lines(batch)]


def keep_signed(books: PaymentBooks, batch: Batch, draft: Draft, raw: bytes, fee_sat: int, now_ms: int) -> Moved:
    """Keep the signed transaction of a draft. Raises WalletWaits if the books hold too few coins for it."""
    _check_cover(books, batch, draft, fee_sat)
    is_drafted = batch.draft is not None and batch.draft.txid == draft.txid
    unbound = books.payouts.draft(batch, None) if is_drafted else batch
    return keep_attempt(books, unbound, draft.purpose, raw, fee_sat, now_ms)


def keep_attempt(books: PaymentBooks, batch: Batch, purpose: Purpose, raw: bytes, fee_sat: int, now_ms: int) -> Moved:
    """Keep a signed transaction: from then on it is sent until one of the batch is six blocks deep."""
    after = step(batch, State.SIGNED, now_ms) if State.SIGNED in STEPS[batch.state] else batch
    books.payouts.move(batch, after)
    attempt = books.payouts.attempt(batch, purpose, raw, fee_sat, now_ms, signed=True)
    return Moved(batch.state, replace(after, attempts=(*batch.attempts, attempt)), attempt)


def _check_cover(books: PaymentBooks, batch: Batch, draft: Draft, fee_sat: int) -> None:
    """A confirmed payment must not bring asset:wallet below zero, even if the wallet holds more than is booked."""
    out_sat = sum(
        each.total_sat + max((attempt.fee_sat for attempt in each.attempts), default=0)
        for each in books.payouts.live()
        if each.attempts and each.state is not State.CONFIRMED and each.id != batch.id
    )
    wallet_sat = books.journal.balances_sat([ledger.WALLET]).get(ledger.WALLET, 0)
    needs_sat = fee_sat + (batch.total_sat if draft.purpose is Purpose.PAY else 0)
    if needs_sat > wallet_sat - out_sat:
        raise WalletWaits(
            f"it needs {needs_sat} satoshi and the books have {wallet_sat - out_sat} to spend; "
            "more blocks mature by themselves, other coins are booked with `steppe payout fund`"
        )


def _in_chain(batch: Batch, places: Sequence[Place | None]) -> tuple[Attempt, Place] | None:
    for attempt, place in zip(batch.attempts, places, strict=True):
        if place is not None and place.confirmations > 0:
            return attempt, place
    return None


def _is_waiting(batch: Batch, attempt: Attempt, places: Sequence[Place | None]) -> bool:
    """Whether the node has a transaction in its mempool."""
    place = places[batch.attempts.index(attempt)]
    return place is not None and place.in_mempool


def _undecided(text: str, places: Sequence[Place | None]) -> str:
    if any(place is not None and place.confirmations < 0 for place in places):
        return (
            f"{text}; another transaction in the chain spends what it spends: see `steppe payout show`. "
            f"Once that one is {FINAL_DEPTH} blocks deep, `steppe payout release` gives the money back"
        )
    return f"{text}; nothing is decided, it is sent again"
