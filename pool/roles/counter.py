"""The counter where operators ask about money: the desk of `payout.desk` on the configured books and wallet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from payout.accounts import AddressRefused, PayoutAddress
from payout.audit import audit
from payout.desk import Desk, DeskRefused
from payout.desk_views import (
    AddressReport,
    AuditReport,
    Exported,
    Funded,
    Noted,
    PlannedLine,
    PlanReport,
    StatusReport,
    ThresholdReport,
    WaitingBlock,
    told_of,
)
from payout.foreign import Foreign
from payout.maturity import State as BlockState
from payout.outputs import VBYTES_PER_KVB
from payout.payer import HOUR_MS
from payout.payment import Draft, State
from payout.payment_ports import Switch
from payout.planning import Plan
from payout.store.ledger import SqlLedger
from payout.store.luck import GroupReport
from payout.store.payees import AddressChange
from payout.store.payout_reports import PayoutDetail, PayoutReport, PayoutsPage, report_of
from payout.store.reports import SqlReports
from payout.wallet import BitcoindWallet
from payout.watch import Watch
from payout.watch_ports import Hold
from pool.config import Config
from pool.roles.clock import SystemClock
from pool.roles.database import open_database
from pool.roles.past_payments import adopt, past_payments, refuse_while_unbooked
from pool.roles.payments import settings_of, wallet_settings
from pool.roles.plans import script_of


@contextmanager
def open_counter(config: Config) -> Iterator[Counter]:
    """The counter for a moment."""
    data_dir = Path(config.pool.data_dir)
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = open_database(config)
    wallet = BitcoindWallet(wallet_settings(config))
    try:
        yield Counter(config, SqlLedger(engine), SqlReports(engine), wallet)
    finally:
        wallet.close()
        engine.dispose()


class Counter:
    """One operator's command, or several."""

    def __init__(self, config: Config, ledger: SqlLedger, reports: SqlReports, wallet: BitcoindWallet) -> None:
        self._config = config
        self._ledger = ledger
        self._reports = reports
        self._wallet = wallet
        self._desk = Desk(ledger, wallet, settings_of(config))
        self._clock = SystemClock()

    def plan(self) -> PlanReport:
        """Who would be paid now."""
        self._wallet.tip()
        return _plan(self._desk.plan(self._clock.time_ms()))

    def run(self) -> Noted:
        """Ask for a run."""
        if not self._config.payouts.enabled:
            raise DeskRefused("payouts.enabled is false in this configuration: nobody would pay")
        with self._ledger.write() as books:
            switch = books.payouts.switch()
            if switch.is_stopped:
                raise DeskRefused(f"payouts are stopped: {switch.reason}; see `steppe payout resume`")
            books.payouts.open_run(None)
        return Noted(None, "the accounting role pays at its next step: see `steppe payout list`")

    def payouts(self, count: int) -> PayoutsPage:
        """The newest batches."""
        return self._reports.payouts(0, count)

    def payout(self, payout_id: int) -> PayoutDetail:
        """One batch."""
        found = self._reports.payout(payout_id)
        if found is None:
            raise DeskRefused(f"there is no payout {payout_id}; `steppe payout list` shows them")
        return found

    def release(self, payout_id: int) -> PayoutReport:
        """Give the money back."""
        return report_of(self._desk.release(payout_id, self._clock.time_ms()), 0)

    def bump(self, payout_id: int, fee_rate: int | None, newest: str = "") -> Noted:
        """A higher fee. newest: the txid of the transaction that it is about; refused if there is a newer one."""
        return self._noted(payout_id, self._desk.bump(payout_id, _kvb(fee_rate), newest))

    def cancel(self, payout_id: int, fee_rate: int | None, newest: str = "") -> Noted:
        """Spend an input back to the pool. newest: as of `bump`."""
        return self._noted(payout_id, self._desk.cancel(payout_id, _kvb(fee_rate), newest))

    def export(self, payout_id: int) -> Exported:
        """A PSBT for the signer."""
        return Exported(payout_id, self._desk.export(payout_id, self._clock.time_ms()))

    def take_signed(self, psbt: str) -> PayoutReport:
        """Take a signed PSBT."""
        return report_of(self._desk.take_signed(psbt, self._clock.time_ms()).after, 0)

    def status(self) -> StatusReport:
        """Whether payouts go on, and what is wrong with the books by what can be told at once."""
        with self._ledger.read() as books:
            switch, counts = books.payouts.switch(), books.payouts.counts()
            found = Watch().look(books)
        batches = {state.value: counts[state] for state in State if counts.get(state)}
        return StatusReport(switch.is_stopped, switch.time_ms, switch.reason, batches, told_of(found))

    def audit(
        self, *, put_back_guards: bool, seen: Callable[[int, int], None] = lambda number, total: None
    ) -> AuditReport:
        """Read everything; seen: as in `payout.audit`."""
        put_back: tuple[str, ...] = ()
        if put_back_guards:
            with self._ledger.write() as books:
                put_back = books.guards.put_back()
        with self._ledger.read() as books:
            found = audit(books, seen)
            rows, blocks = books.journal.count(), sum(count for _, count, _ in books.blocks.totals())
        return AuditReport(rows, blocks, put_back, told_of(found))

    def waiting_blocks(self) -> tuple[WaitingBlock, ...]:
        """The blocks that a person has to look at."""
        with self._ledger.read() as books:
            held, strays = books.blocks.holds(), books.strays.open()
        return (
            *(WaitingBlock(each.block_hash[::-1].hex(), "held", each.time_ms, each.reason) for each in held),
            *(
                WaitingBlock(each.hash_hex, "stray", each.seen_ms, f"pays {each.paid_sat} satoshi at {each.height}")
                for each in strays
            ),
        )

    def luck(self) -> tuple[GroupReport, ...]:
        """Groups of machines: what they should have found, and what they have."""
        return self._reports.luck()

    def hold(self, hash_hex: str, reason: str, *, is_held: bool) -> None:
        """Hold back what a block pays, or let it go."""
        _say_why(reason)
        with self._ledger.write() as books:
            block = books.blocks.get(_block_hash(hash_hex))
            if block is None:
                raise DeskRefused(f"the pool has no block {hash_hex}; `steppe block held` lists those that wait")
            if is_held and block.life.state is BlockState.MATURE:
                raise DeskRefused(f"block {hash_hex} is mature: what it pays is the accounts' already")
            if block.life.is_held == is_held:
                raise DeskRefused(f"block {hash_hex} is {'held already' if is_held else 'not held'}")
            books.blocks.hold(Hold(block.life.block_hash, self._clock.time_ms(), is_held, reason))

    def accept(self, hash_hex: str, reason: str) -> None:
        """A person has looked at a block that is not in the books."""
        _say_why(reason)
        with self._ledger.write() as books:
            if not books.strays.end(_block_hash(hash_hex), self._clock.time_ms(), reason):
                raise DeskRefused(f"no alarm is on for block {hash_hex}; `steppe block held` lists those that wait")

    def foreign(self) -> list[Foreign]:
        """What the wallet sent that restored books do not know."""
        return past_payments(self._ledger, self._wallet)

    def adopt(self, txid: str) -> Foreign:
        """Book one of those."""
        return adopt(self._ledger, self._wallet, txid, self._clock.time_ms())

    def switch(self, *, is_stopped: bool, reason: str, nothing_was_paid: bool = False) -> Switch:
        """Stop payouts, or let them go on: that only when all is well. nothing_was_paid: a person vouches that since
        the copy that the books were restored from nothing was, so the wallet is not asked."""
        _say_why(reason)
        if not is_stopped:
            if nothing_was_paid:
                reason = f"{reason} (vouched for: nothing was paid since the backup)"
            else:
                refuse_while_unbooked(self._ledger, self._wallet)
            with self._ledger.read() as books:
                found = audit(books)
            if found:
                raise DeskRefused(f"payouts stay stopped: {found[0]} ({len(found)} in all); {found[0].mend}")
        said = Switch(is_stopped, self._clock.time_ms(), reason)
        with self._ledger.write() as books:
            books.payouts.set_switch(is_stopped, reason, said.time_ms)
            if not is_stopped:
                books.payouts.compared()
        return said

    def fund(self, ticket: str, amount_sat: int) -> Funded:
        """Book coins."""
        self._desk.fund(ticket, amount_sat, self._clock.time_ms())
        return Funded(ticket, amount_sat)

    def change_address(self, name: str, address: str) -> None:
        """Pay an account elsewhere."""
        script = self.script_of(address)
        hold_ms = self._config.payouts.address_hold_hours * HOUR_MS
        with self._ledger.write() as books:
            books.payees.change_address(name, PayoutAddress(address, script), self._clock.time_ms(), hold_ms)

    def script_of(self, address: str) -> bytes:
        """What an address means, if the node agrees. Raises AddressRefused."""
        script = script_of(address, self._config.pool.chain)
        for refusal in self._wallet.address_refusals({address: script}).values():
            raise AddressRefused(refusal)
        return script

    def cancel_address(self, name: str) -> None:
        """Take back a change that is on hold."""
        with self._ledger.write() as books:
            books.payees.cancel_change(name, self._clock.time_ms())

    def addresses(self, name: str) -> tuple[AddressReport, ...]:
        """Where an account was, is and will be paid."""
        with self._ledger.read() as books:
            return tuple(_address(each) for each in books.payees.addresses(name))

    def change_threshold(self, name: str, threshold_sat: int | None) -> None:
        """Pay an account from so much on."""
        with self._ledger.write() as books:
            books.payees.change_threshold(name, threshold_sat, self._clock.time_ms())

    def threshold(self, name: str) -> ThresholdReport:
        """From how much on an account is paid."""
        with self._ledger.read() as books:
            own = books.payees.threshold_sat(name, self._clock.time_ms())
        if own is None:
            return ThresholdReport(name, self._config.payouts.threshold_sat, "payouts.threshold_sat")
        return ThresholdReport(name, own, "its own")

    def _noted(self, payout_id: int, draft: Draft) -> Noted:
        txid_hex = draft.txid[::-1].hex()
        after = "the payer signs and sends it" if self._config.payouts.signer == "wallet" else "export it to be signed"
        note = f"payout {payout_id}: transaction {txid_hex} costs {draft.fee_sat} satoshi; {after}"
        return Noted(payout_id, note, txid_hex, draft.fee_sat)


def _say_why(reason: str) -> None:
    if not reason.strip():
        raise DeskRefused("say why: the reason is kept in the books")


def _block_hash(hash_hex: str) -> bytes:
    try:
        return bytes.fromhex(hash_hex)[::-1]
    except ValueError as error:
        raise DeskRefused(f"{hash_hex!r} is no hash of a block: 64 hexadecimal digits") from error


def _plan(plan: Plan) -> PlanReport:
    lines = tuple(PlannedLine(each.line.account, each.address, each.line.amount_sat) for each in plan.lines)
    return PlanReport(plan.fee_rate_sat_kvb, plan.total_sat, lines, plan.waiting)


def _address(change: AddressChange) -> AddressReport:
    valid_from = datetime.fromtimestamp(change.valid_from_ms // 1000, UTC).isoformat(sep=" ")
    return AddressReport(change.address, change.requested_ms, change.valid_from_ms, valid_from, change.cancelled_ms)


def _kvb(sat_per_vb: int | None) -> int | None:
    return None if sat_per_vb is None else sat_per_vb * VBYTES_PER_KVB
