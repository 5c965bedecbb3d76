"""The accounting role's core: one writer that takes shares from a source and follows its blocks on the chain.

Synchronous and without a clock. The batches of one reading, and every step of a block, are one transaction, so whatever
stops it at any point is mended by doing the same again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from payout import intake
from payout.accounts import Plan, check_plan
from payout.follow import BlockFollower, Step
from payout.intake import Rules, Taken
from payout.ledger import LedgerError
from payout.ports import Chain, LedgerStore, ShareSource
from pool.ports import ShareBatch


class Accounting:
    """Shares and blocks into the books. One of these per pool."""

    def __init__(self, store: LedgerStore, chain: Chain, rules: Rules) -> None:
        """Raises AccountRefused if the default plan of the rules is one that accounts cannot have."""
        check_plan(Plan(rules.default_scheme, rules.default_fee_bps, 0))
        self._store = store
        self._rules = rules
        self._blocks = BlockFollower(store, chain, rules.pool_scripts)

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
