"""The payer: leads every batch through its life, one step in one transaction, and begins new ones.

Synchronous and without a clock. Every step is done again when it was broken off anywhere, and changes nothing the
second time: what may be in the network is in the books before it is sent, and is sent until it is six blocks deep.
Source: docs/payouts.md 3.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from payout import ledger, planning, settlement
from payout.advance import Advance, Moved, Settings, Waits
from payout.checks import FeeRefused, InputRefused
from payout.lead import Lead, Term
from payout.ledger import LedgerError
from payout.payment import LIVE, StateChanged, amounts_sat
from payout.payment_ports import LeaseLost, PaymentBooks, PaymentStore, Tip, Wallet, WalletWaits
from payout.watch import Watch
from pool.ports import NodeUnavailable

TERM = Term("payouts", lasts_ms=120_000, renew_ms=30_000)
"""Longer than any call of the wallet, so that a slow one does not cost the lease."""
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
COUNT_MS = 10_000
"""Between two counts of the wallet's coins."""
SHORT_COUNTS = 3
"""Chain, wallet and books are not read at one moment: coins are missing once they are missing so often in a row."""


class Stopped(Struct, frozen=True):
    """Payouts stop until a person says otherwise."""

    reason: str


Told = Moved | Waits | Stopped


class Payer:
    """One of these pays at a time: see Leases."""

    def __init__(
        self,
        store: PaymentStore,
        wallet: Wallet,
        settings: Settings,
        holder: str,
        is_dead: Callable[[str], bool],
        hit: Callable[[str], None],
    ) -> None:
        """holder: this process, by name. is_dead: whether another holder has ended. hit: a place where tests kill."""
        self._store = store
        self._wallet = wallet
        self._settings = settings
        self._lead: Lead[PaymentBooks] = Lead(store, TERM, holder, is_dead)
        self._hit = hit
        self._advance = Advance(store, self._lead.write, wallet, settings, hit)
        self._watch = Watch()
        self._verdicts: planning.Verdicts | None = None
        self._is_set_aside = False
        self._count_ms = 0
        self._short_counts = 0
        self._surplus_sat = 0
        self._last_surplus_sat = 0

    def tick(self, now_ms: int) -> Iterator[Told]:
        """One step of each batch and of the run, as far as it is iterated; each is durable when it is told.

        Raises NodeUnavailable, payout.ports.LedgerUnavailable.
        """
        try:
            fence = self._lead.fence
            if (other := self._lead.take(now_ms)) is not None:
                yield Waits("lease", f"{other} pays; this process takes over when that one ends")
                return
            self._is_set_aside &= fence == self._lead.fence
            yield from self._tick(now_ms)
        except LeaseLost as error:
            self._lead.lose()
            yield Waits("lease", str(error))
        except LedgerError as error:
            self._is_set_aside = False
            yield self._stop(str(error), now_ms)

    def leave(self) -> None:
        """Let another process pay at once."""
        self._lead.give_back()

    def _tick(self, now_ms: int) -> Iterator[Told]:
        self._look()
        tip = self._tip()
        if not self._is_set_aside:
            self._advance.set_aside()
            self._is_set_aside = True
        with self._store.read() as books:
            live = books.payouts.live()
        is_quiet = True
        for batch in live:
            may_send = self._look()
            try:
                for told in self._advance.step(batch, may_send=may_send, now_ms=now_ms):
                    is_quiet &= not isinstance(told, Moved)
                    yield told
            except (WalletWaits, FeeRefused, InputRefused, StateChanged) as reason:
                yield Waits(f"payout {batch.id}", str(reason))
                self._advance.set_aside()  # what was built and is not kept may hold coins that the next one needs
        if self._look():
            try:
                yield from self._run(now_ms)
            except (WalletWaits, FeeRefused) as reason:
                yield Waits("run", str(reason))
        if is_quiet:
            yield from self._count(tip, now_ms)

    def _look(self) -> bool:
        """Whether anything may be sent: looked at before each step, since a wallet may take its time over the one
        before. Raises LedgerError if an invariant is broken and payouts go on."""
        with self._store.read() as books:
            findings = self._watch.look(books)
            is_stopped = books.payouts.switch().is_stopped
        if findings and not is_stopped:
            raise LedgerError(f"invariant {findings[0].invariant} is broken: {findings[0].what}")
        return not is_stopped

    def _tip(self) -> Tip:
        """The tip of a node that can be believed. Raises NodeUnavailable."""
        tip = self._wallet.tip()
        with self._store.read() as books:
            highest = books.blocks.chain_height()
        if tip.height < highest:
            raise NodeUnavailable(
                f"the wallet's node is at height {tip.height}, but {highest} was seen before: payouts wait until it "
                "has caught up; if it never will, it follows another chain"
            )
        if tip.height > highest:
            with self._lead.write() as books:
                books.blocks.see_height(tip.height)
        return tip

    def _stop(self, reason: str, now_ms: int) -> Stopped | Waits:
        with self._store.write() as books:
            if books.payouts.switch().is_stopped:
                return Waits("books", reason)
            books.payouts.set_switch(is_stopped=True, reason=reason, time_ms=now_ms)
        return Stopped(reason)

    def _run(self, now_ms: int) -> Iterator[Told]:
        """Begin the daily run when it is due; give the next of those who can be paid a batch while a run is open."""
        day, hour = now_ms // DAY_MS, self._settings.hour_utc
        with self._store.read() as books:
            is_open, is_paid = books.payouts.is_run_open(), books.payouts.run_day() >= day
        if hour is not None and not is_paid and now_ms % DAY_MS >= hour * HOUR_MS:
            with self._lead.write() as books:
                books.payouts.open_run(day)
            is_open = True
        if not is_open:
            self._verdicts = None
            return
        rate_sat_kvb = self._advance.fee_rate_sat_kvb()
        verdicts = self._judge_addresses(now_ms)
        self._hit("payout-reserve")
        with self._lead.write() as books:
            found = planning.plan(books, self._settings.policy, rate_sat_kvb, verdicts.refused, now_ms)
            if found.lines:
                batch = books.payouts.reserve(found.lines, now_ms)
                lines = [each.line for each in found.lines]
                books.journal.post([settlement.reserve(batch.name, amounts_sat(lines), now_ms)])
            else:
                books.payouts.close_run()
        self._hit("payout-reserved")
        if found.lines:
            yield Moved(None, batch)

    def _judge_addresses(self, now_ms: int) -> planning.Verdicts:
        """Judge each address once in a run."""
        if self._verdicts is None:
            self._verdicts = planning.Verdicts(self._wallet, self._settings.policy.script_of)
        with self._store.read() as books:
            wanted = planning.addresses(books, now_ms)
        self._verdicts.judge(wanted)
        return self._verdicts

    def _count(self, tip: Tip, now_ms: int) -> Iterator[Told]:
        """Invariant 5: the wallet holds what the books say. More is no harm, and anyone can send us some."""
        if now_ms < self._count_ms:
            if self._surplus_sat:
                yield Waits("coins", _surplus(self._surplus_sat))
            return
        self._count_ms = now_ms + COUNT_MS
        with self._store.read() as books:
            claimed = books.payouts.claimed(LIVE)
            booked_sat = books.journal.balances_sat([ledger.WALLET]).get(ledger.WALLET, 0)
        held_sat = self._wallet.confirmed_sat(claimed)
        if self._wallet.tip() != tip:
            return  # a block came between
        # Once is nothing: accounting may not have seen the newest block yet, in which a coinbase has matured.
        self._surplus_sat, self._last_surplus_sat = (
            min(self._last_surplus_sat, max(0, held_sat - booked_sat)),
            max(0, held_sat - booked_sat),
        )
        if self._surplus_sat:
            yield Waits("coins", _surplus(self._surplus_sat))
        if held_sat >= booked_sat:
            self._short_counts = 0
            return
        self._short_counts += 1
        if self._short_counts >= SHORT_COUNTS:
            self._short_counts = 0
            yield self._stop(
                f"invariant 5 is broken: the wallet holds {held_sat} satoshi and the books say {booked_sat}", now_ms
            )


def _surplus(sat: int) -> str:
    return (
        f"the wallet holds {sat} satoshi that the books do not know of, so nobody is paid with them; "
        "if they are the pool's, book them with `steppe payout fund`"
    )
