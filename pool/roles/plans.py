"""How accounts are paid, and the reserve of pay per share, for operators: `payout.treasury` on the configured books."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from payout import treasury
from payout.accounts import AccountRefused, AddressRefused, PayoutAddress, Plan, Scheme
from payout.desk_views import AccountView, PlanView, ReserveReport
from payout.outputs import output_kind
from payout.ports import Stop
from payout.reserve import Standing
from payout.store.ledger import SqlLedger
from payout.store.reports import SqlReports
from payout.treasury import Terms
from pool.bitcoin.network import NETWORKS
from pool.bitcoin.script import output_script
from pool.config import Chain, Config
from pool.ports import Clock
from pool.roles.accounting import terms_of
from pool.roles.clock import SystemClock
from pool.roles.database import open_database

_MINUTE_MS = 60_000


@contextmanager
def open_desk(config: Config) -> Iterator[PlanDesk]:
    """The desk for a moment."""
    Path(config.pool.data_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = open_database(config)
    try:
        yield PlanDesk(SqlLedger(engine), SqlReports(engine), terms_of(config), SystemClock(), config)
    finally:
        engine.dispose()


def script_of(address: str, chain: Chain) -> bytes:
    """What an address means. Raises AddressRefused."""
    try:
        script = output_script(address, NETWORKS[chain])
        output_kind(script)
    except ValueError as error:
        raise AddressRefused(str(error)) from error
    return script


class PlanDesk:
    """One operator's command, or several."""

    def __init__(self, ledger: SqlLedger, reports: SqlReports, terms: Terms, clock: Clock, config: Config) -> None:
        self._config = config
        self._ledger = ledger
        self._reports = reports
        self._terms = terms
        self._clock = clock

    def add(self, name: str, scheme: str | None, fee_bps: int | None, address: str | None) -> None:
        """Register an account before its first share. None: as the configuration says, or no address yet."""
        options = self._config.accounting
        fee_bps = options.default_fee_bps if fee_bps is None else fee_bps
        plan = Plan(Scheme(scheme or options.default_scheme), fee_bps, self._clock.time_ms())
        pays = None if address is None else PayoutAddress(address, script_of(address, self._config.pool.chain))
        with self._ledger.write() as books:
            treasury.open_account(books, self._terms, name, plan, pays)

    def account(self, name: str) -> AccountView:
        """One account. Raises AccountRefused."""
        now_ms = self._clock.time_ms()
        found = self._reports.account(name, now_ms)
        if found is None:
            raise AccountRefused(f"account {name} does not exist; `steppe account list` shows them")
        return AccountView(
            name=name,
            created=_text(found.account.created_ms),
            scheme=found.plan.scheme.value,
            fee_bps=found.plan.fee_bps,
            paid_as=found.paid_as.value,
            plans=tuple(_view(each, found.plan, now_ms) for each in found.account.plans),
            immature_sat=found.immature_sat,
            available_sat=found.available_sat,
            reserved_sat=found.reserved_sat,
            pps_psat=str(found.pps_psat),
        )

    def change_plan(self, name: str, scheme: str | None, fee_bps: int | None, from_ms: int | None) -> None:
        """Give it another plan. from_ms: None for the first full minute that is at least one away, so that whoever asks
        knows the time before it is there."""
        now_ms = self._clock.time_ms()
        soon_ms = -(-now_ms // _MINUTE_MS) * _MINUTE_MS + _MINUTE_MS
        wanted = None if scheme is None else Scheme(scheme)
        with self._ledger.write() as books:
            treasury.change_plan(
                books, self._terms, name, wanted, fee_bps, soon_ms if from_ms is None else from_ms, now_ms
            )

    def cancel_plan(self, name: str) -> None:
        """Take back the change that is planned."""
        with self._ledger.write() as books:
            books.accounts.cancel_plan(name, self._clock.time_ms())

    def reserve(self) -> ReserveReport:
        """How the reserve stands, and what was decided so far."""
        with self._ledger.read() as books:
            found = self._terms.standing(books, self._clock.time_ms())
            return ReserveReport(found.level, found, tuple(books.reserve.stops()))

    def fund(self, ticket: str, amount_sat: int, from_fees: bool) -> Standing:
        """Book coins for the reserve."""
        with self._ledger.write() as books:
            return treasury.fund(books, self._terms, ticket, amount_sat, self._clock.time_ms(), from_fees=from_fees)

    def resume(self, reason: str) -> Stop:
        """Pay per share again."""
        with self._ledger.write() as books:
            return treasury.resume(books, self._terms, reason, self._clock.time_ms())


def _view(plan: Plan, in_force: Plan, now_ms: int) -> PlanView:
    state = "in_force" if plan == in_force else "planned" if plan.valid_from_ms > now_ms else "past"
    return PlanView(
        plan.scheme.value, plan.fee_bps, plan.valid_from_ms, _text(plan.valid_from_ms), plan.requested_ms, state
    )


def _text(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms // 1000, UTC).isoformat(sep=" ")
