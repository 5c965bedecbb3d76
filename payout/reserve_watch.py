"""The reserve of pay per share while the pool runs: at the operator's floor nothing more is paid per share."""

from __future__ import annotations

from collections.abc import Callable

from payout.ledger import PPS_RESERVE
from payout.ports import Books, LedgerStore, Stop
from payout.reserve import Policy, Standing, next_height, standing


class ReserveWatch:
    """A running sum of the reserve: a look costs what is new in the ledger, not what ever was."""

    def __init__(self, store: LedgerStore, policy: Policy, subsidy_sat: Callable[[int], int]) -> None:
        self._store = store
        self._policy = policy
        self._subsidy_sat = subsidy_sat
        self._balance_sat = 0
        self._last_id = 0

    def look(self, time_ms: int) -> tuple[Standing, Stop | None]:
        """How it stands; and a decision if one was due, which is in the books then.

        It holds for jobs of the next height, of which none was handed out: what was, is paid as promised.
        """
        with self._store.read() as books:
            found = self._standing(books, time_ms)
        if not found.must_stop:
            return found, None
        with self._store.write() as books:
            found = self._standing(books, time_ms)
            if not found.must_stop:
                return found, None
            reason = f"the reserve holds {found.held_sat} satoshi, and the floor is {found.floor_sat}"
            decided = Stop(next_height(books), True, time_ms, reason)
            books.reserve.stop(decided)
            return self._standing(books, time_ms), decided

    def _standing(self, books: Books, time_ms: int) -> Standing:
        moved_sat, self._last_id = books.journal.balance_after(PPS_RESERVE, self._last_id)
        self._balance_sat += moved_sat
        return standing(books, self._policy, self._subsidy_sat, time_ms, booked_sat=-self._balance_sat)
