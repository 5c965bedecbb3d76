"""The accounting role's core: one writer that takes shares from a source and follows its blocks on the chain.

Synchronous and without a clock. The batches of one reading, and every step of a block, are one transaction, so whatever
stops it at any point is mended by doing the same again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from payout import intake
from payout.accounts import Plan, check_plan
from payout.fee_days import DAY_MS, DayReader, Settled, settle_day
from payout.follow import BlockFollower, FeeRule, Step
from payout.intake import Rules, Taken
from payout.ledger import LedgerError
from payout.ports import Chain, DayChain, LedgerStore, ShareSource, Stop
from payout.reserve import Standing
from payout.reserve_watch import ReserveWatch
from payout.strays import StrayScan
from payout.watch_ports import Stray
from pool.ports import ShareBatch


class Accounting:
    """Shares and blocks into the books. One of these per pool."""

    def __init__(self, store: LedgerStore, chain: Chain, rules: Rules, days: DayChain | None = None) -> None:
        """days: the chain as FPPS asks for it; without it its days are not settled.

        Raises AccountRefused if the default plan of the rules is one that accounts cannot have.
        """
        check_plan(Plan(rules.default_scheme, rules.default_fee_bps, 0))
        self._store = store
        self._rules = rules
        fees = FeeRule(rules.fee_hold_sat, rules.subsidy_sat)
        self._blocks = BlockFollower(store, chain, rules.pool_scripts, fees)
        self._strays = StrayScan(store, chain, rules.pool_scripts)
        self._days = DayReader(days, rules.subsidy_sat) if days is not None else None
        self._reserve = ReserveWatch(store, rules.reserve, rules.subsidy_sat)

    def take(self, batch: ShareBatch) -> Taken:
        """One batch, durable on return. Raises LedgerError, LedgerUnavailable; then nothing of it was taken."""
        (taken,) = self._take([batch])
        return taken

    def drain(self, source: ShareSource) -> Iterator[Taken]:
        """Take whatever the source has by now; each batch is reported back to the source, as far as it is iterated.

        All of it is one transaction, so that a disk is waited for once. If one batch cannot be taken, those before it
        are in the books when LedgerError is raised.
        """
        batches = source.read()
        try:
            told: Iterable[tuple[ShareBatch, Taken]] = zip(batches, self._take(batches) if batches else (), strict=True)
        except LedgerError:
            told = ((batch, self.take(batch)) for batch in batches)
        for batch, taken in told:
            if taken.gap:
                source.resend(batch, taken.high_water)
            else:
                source.committed(batch, taken.high_water)
            yield taken

    def _take(self, batches: Sequence[ShareBatch]) -> Sequence[Taken]:
        with self._store.write() as books:
            return intake.take(books, batches, self._rules)

    def follow(self, time_ms: int) -> Iterator[Step]:
        """Take the steps of blocks that the chain decides now, as far as it is iterated.

        time_ms: for the postings. Raises NodeUnavailable, LedgerError, LedgerUnavailable.
        """
        return self._blocks.follow(time_ms)

    def scan(self, time_ms: int, *, is_behind: bool) -> Iterator[Stray]:
        """Find blocks that pay the pool and are not in the books; after `follow`, which asks whether the chain is
        synced. is_behind: shares of a while are not in the books yet. Raises NodeUnavailable, LedgerUnavailable."""
        return self._strays.scan(time_ms, is_behind=is_behind)

    def settle_day(self) -> Settled | None:
        """One look at the oldest day of FPPS that is not in the ledger; the day, if this brought it there.

        A day is over when the journals say so, and once no block more can be of it. Call it after `follow`, which says
        whose chain is asked. Raises NodeUnavailable, LedgerError, LedgerUnavailable.
        """
        if self._days is None:
            return None
        with self._store.read() as books:
            day_ms = books.fee_days.due(books.accruals.period_ms() - DAY_MS + 1)
        if day_ms is None:
            return None
        day = self._days.step(day_ms)
        if day is None:
            return None
        with self._store.write() as books:
            return settle_day(books, day)

    def watch_reserve(self, time_ms: int) -> tuple[Standing, Stop | None]:
        """How the reserve of pay per share stands, and what was decided for that reason.

        Raises LedgerError, LedgerUnavailable.
        """
        return self._reserve.look(time_ms)
