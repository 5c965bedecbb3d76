"""What the books hold for a report of solvency."""

from __future__ import annotations

from sqlalchemy import Engine, func, select

from payout.payment import LIVE
from payout.solvency import Accounts
from payout.store.blocks import SqlBlocks
from payout.store.fee_days import SqlFeeDays
from payout.store.journal import SqlJournal
from payout.store.ledger import errors_of_ours
from payout.store.payouts import SqlPayouts
from payout.store.reserve import SqlReserve
from pool.store.sql import pps_carry, reading


def accounts_of(engine: Engine) -> Accounts:
    """At one moment. Raises LedgerUnavailable."""
    with errors_of_ours(engine), reading(engine) as connection:
        carried = connection.execute(select(func.sum(pps_carry.c.carry_psat))).scalar_one()
        of_fees_psat = sum(SqlFeeDays(connection).carries_psat().values())
        return Accounts(
            SqlJournal(connection).balances_sat(),
            int(carried or 0) + of_fees_psat + SqlReserve(connection).accrued_psat(),
            SqlPayouts(connection).claimed(LIVE),
            SqlBlocks(connection).chain_height(),
        )
