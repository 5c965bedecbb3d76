"""The invariants, held while the pool runs: each new row of the ledger is read once, with what it is about.

The whole ledger is read when the watch begins, when payouts are let go on, and when somebody did something to the
triggers that refuse changes; else only what came since. So a look costs what happened, not what ever happened. Numbers
as in docs/payouts.md 3.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from payout import maturity, settlement
from payout.crediting import reward_of
from payout.fold import PAID, RELEASED, RESERVED, Fold
from payout.invariants import BLOCKS, GUARDS, ROWS, STRAYS, Finding
from payout.invariants import RESERVED as OF_BATCHES
from payout.ledger import COINBASE_IMMATURE, WALLET, Entry, LedgerError, Posting, Row
from payout.maturity import Life
from payout.maturity import State as BlockState
from payout.payment import RESERVING, State, amounts_sat, confirm
from payout.payment_ports import PaymentBooks

_RESERVED = ":reserved"
_PHASES = {State.CONFIRMED: PAID, State.FINAL: PAID, State.RELEASED: RELEASED} | dict.fromkeys(RESERVING, RESERVED)


class _Seen:
    """What was read, and what was wrong with it in itself."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.fold = Fold()
        self.broken: list[Finding] = []
        self.batches_at: object = None
        self.blocks_at: object = None


class Watch:
    """What was found so far, and where to go on."""

    def __init__(self) -> None:
        self._seen = _Seen("")
        self._resumed_ms = -1

    @property
    def place(self) -> tuple[int, bytes]:
        """The newest row that was read, and its hash."""
        return self._seen.fold.last_id, self._seen.fold.last_hash

    def look(self, books: PaymentBooks) -> tuple[Finding, ...]:
        """What is wrong now: invariants 1, 2, 3, 4, 6, 8 and 9."""
        guards, switch = books.guards.look(), books.payouts.switch()
        is_resumed = not switch.is_stopped and switch.time_ms != self._resumed_ms
        if guards.token != self._seen.token or is_resumed:
            self._seen = _Seen(guards.token)  # whatever was read may be something else now
        if is_resumed:
            self._resumed_ms = switch.time_ms
        seen = self._seen
        try:
            for row in books.journal.rows_after(seen.fold.last_id):
                seen.broken += seen.fold.take(row)
                seen.broken += check_subject(row, books)
        except LedgerError as error:  # a row that no posting could have become
            return (Finding(ROWS, f"after row {seen.fold.last_id} of the journal: {error}"),)
        return (
            *seen.broken,
            *seen.fold.check_balances(),
            *self._blocks(books),
            *self._batches(books),
            *_strays(books),
            *(Finding(GUARDS, f"trigger {name} is gone or says something else") for name in guards.missing),
        )

    def _blocks(self, books: PaymentBooks) -> Iterator[Finding]:
        """Invariant 3: the ledger holds of each block what its state says. Looked at when anything has changed."""
        place = self._seen.fold.last_id, books.blocks.totals()
        if place == self._seen.blocks_at:
            return
        findings = list(self._each_block(books.blocks.rewards_sat()))
        yield from findings
        self._seen.blocks_at = None if findings else place

    def _each_block(self, rewards_sat: Mapping[Life, int | None]) -> Iterator[Finding]:
        for life, reward_sat in rewards_sat.items():
            has_sat = self._seen.fold.coins_sat.get(life.hash_hex, {})
            for account, state in ((COINBASE_IMMATURE, BlockState.IMMATURE), (WALLET, BlockState.MATURE)):
                expected_sat = reward_sat or 0 if life.state is state else 0
                if has_sat.get(account, 0) != expected_sat:
                    yield Finding(
                        BLOCKS,
                        f"block {life.hash_hex} ({life.state.value}): {account} has {has_sat.get(account, 0)} satoshi "
                        f"of it instead of {expected_sat}",
                    )
        for name in self._seen.fold.coins_sat.keys() - {life.hash_hex for life in rewards_sat}:
            yield Finding(BLOCKS, f"block {name}: it is booked, and there is no such block")

    def _batches(self, books: PaymentBooks) -> Iterator[Finding]:
        """Invariant 4. Lines never change, so it is looked at when a row came or a batch went on."""
        place = self._seen.fold.last_id, books.payouts.live_states(), books.payouts.counts()
        if place == self._seen.batches_at:
            return
        findings = [*self._each_batch(books.payouts.states()), *self._reserved(books)]
        yield from findings
        self._seen.batches_at = None if findings else place

    def _each_batch(self, states: Mapping[int, State]) -> Iterator[Finding]:
        for number, state in states.items():
            phase = self._seen.fold.batches.get(str(number))
            if phase != _PHASES[state]:
                yield Finding(OF_BATCHES, f"payout {number} is {state.value} and in the ledger {phase or 'not there'}")
        for name in self._seen.fold.batches.keys() - {str(number) for number in states}:
            yield Finding(OF_BATCHES, f"payout {name} is in the ledger, and there is no such batch")

    def _reserved(self, books: PaymentBooks) -> Iterator[Finding]:
        booked = {
            name.removeprefix("liab:").removesuffix(_RESERVED): -amount_sat
            for name, amount_sat in self._seen.fold.balances_sat.items()
            if amount_sat and name.endswith(_RESERVED)
        }
        in_batches = dict(books.payouts.reserved_sat())
        for name in sorted(booked.keys() | in_batches.keys()):
            if booked.get(name, 0) != in_batches.get(name, 0):
                yield Finding(
                    OF_BATCHES,
                    f"{name} has {booked.get(name, 0)} satoshi reserved in the ledger and "
                    f"{in_batches.get(name, 0)} in the batches on their way",
                )


def check_subject(row: Row, books: PaymentBooks) -> Iterator[Finding]:
    """Whether a row says what the block or the batch that it is about says."""
    posted = row.posting
    try:
        if posted.kind in ("block.immature", "block.orphaned", "block.mature"):
            expected, number, told = _of_block(posted, books), BLOCKS, f"what block {posted.ref} credits"
        elif posted.kind in ("payout.reserved", "payout.released"):
            expected, number, told = _of_batch(posted, books), OF_BATCHES, f"the lines of payout {posted.ref}"
        elif posted.kind in ("payout.confirmed", "payout.cancelled", "payout.unconfirmed"):
            expected, number = _of_transaction(posted, books), OF_BATCHES
            told = f"a transaction of payout {posted.ref}"
        else:
            return
    except (LedgerError, ValueError) as error:
        of_batch = posted.kind.startswith("payout.")
        what = f"row {row.id} of the journal is about {posted.ref!r}: {error}"
        yield Finding(OF_BATCHES if of_batch else BLOCKS, what)
        return
    if expected is not None and expected != posted.entries:
        yield Finding(number, f"row {row.id} of the journal does not book {told}")


def _of_block(posted: Posting, books: PaymentBooks) -> tuple[Entry, ...] | None:
    """What a row about a block should say; None if there is no such block, which is told elsewhere."""
    block = books.blocks.get(bytes.fromhex(posted.ref)[::-1])
    if block is None:
        return None
    return maturity.entries_of(posted.kind, block.life, reward_of(block, books.slices))


def _of_batch(posted: Posting, books: PaymentBooks) -> tuple[Entry, ...]:
    """What a row about the lines of a batch should say."""
    lines = amounts_sat(each.line for each in books.payouts.lines(int(posted.ref)))
    if posted.kind == "payout.reserved":
        return settlement.reserve(posted.ref, lines, 0).entries
    return settlement.release(posted.ref, lines, 0).entries


def _of_transaction(posted: Posting, books: PaymentBooks) -> tuple[Entry, ...]:
    """What a row should say about a transaction that came into the chain or left it: as it does for one of those that
    the batch has, which pays, or cancels, or left and was either. Nothing if it does for none."""
    batch = books.payouts.get(int(posted.ref))
    if batch is None:
        return ()
    lines = [each.line for each in books.payouts.lines(batch.id)]
    sign = -1 if posted.kind == "payout.unconfirmed" else 1
    for attempt in batch.attempts:
        told = confirm(batch, lines, attempt, 0)
        entries = tuple(Entry(each.account, sign * each.amount_sat) for each in told.entries)
        if entries == posted.entries and posted.kind in (told.kind, "payout.unconfirmed"):
            return entries
    return ()


def _strays(books: PaymentBooks) -> Iterator[Finding]:
    """Invariant 8."""
    for stray in books.strays.open():
        yield Finding(
            STRAYS,
            f"block {stray.hash_hex} at height {stray.height} pays the pool {stray.paid_sat} satoshi "
            "and is not in the books",
        )
