"""What an operator does about plans and the reserve of pay per share; each is one transaction."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from payout.accounts import PER_SHARE, Account, AccountRefused, PayoutAddress, Plan, Scheme, check_plan, plan_at
from payout.ledger import POOL_FEE, PPS_RESERVE, WALLET, LedgerError, posting
from payout.ports import Books, OperatorBooks, Stop
from payout.reserve import Level, Policy, Standing, check_joining, next_height, standing

_TICKET = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class ReserveRefused(Exception):
    """What was asked for cannot be done to the reserve. The text says why."""


class Terms(Struct, frozen=True):
    """What the reserve is judged by: the operator's policy, and the subsidy of a height."""

    policy: Policy
    subsidy_sat: Callable[[int], int]

    def standing(self, books: Books, time_ms: int, joining: Plan | None = None) -> Standing:
        """How the reserve stands, with one account more."""
        return standing(books, self.policy, self.subsidy_sat, time_ms, joining=joining)


def open_account(
    books: OperatorBooks, terms: Terms, name: str, plan: Plan, address: PayoutAddress | None = None
) -> Account:
    """Register an account. Raises AccountRefused, also if the reserve takes nobody more."""
    check_plan(plan)
    if plan.scheme in PER_SHARE:
        check_joining(plan, terms.standing(books, plan.valid_from_ms, plan), is_new=True)
    return books.accounts.add(name, plan.scheme, plan.fee_bps, address, plan.valid_from_ms)


def change_plan(
    books: OperatorBooks, terms: Terms, name: str, scheme: Scheme | None, fee_bps: int | None, from_ms: int, now_ms: int
) -> Account:
    """Give an account another scheme or fee from a time on; None: as it is then. Raises AccountRefused."""
    known = books.accounts.get(name)
    if known is None:
        raise AccountRefused(f"account {name} does not exist; `steppe account list` shows them")
    before = known.plans[-1]
    changed = check_plan(
        Plan(scheme or before.scheme, before.fee_bps if fee_bps is None else fee_bps, from_ms, requested_ms=now_ms)
    )
    if (changed.scheme, changed.fee_bps) == (before.scheme, before.fee_bps):
        raise AccountRefused(f"{name} is on {before.scheme.value} with {before.fee_bps} basis points already")
    if changed.scheme in PER_SHARE:
        in_force = plan_at(known.plans, now_ms)
        is_new = before.scheme not in PER_SHARE or in_force.scheme not in PER_SHARE
        check_joining(changed, terms.standing(books, now_ms, changed), is_new=is_new)
    return books.accounts.change_plan(name, changed, now_ms)


def fund(
    books: Books, terms: Terms, ticket: str, amount_sat: int, time_ms: int, *, from_fees: bool = False
) -> Standing:
    """Book coins that came into the wallet for the reserve, or left it if negative; or fees that are put there.

    ticket: names why, once and for ever. Raises ReserveRefused.
    """
    if not _TICKET.fullmatch(ticket) or not amount_sat:
        raise ReserveRefused("a ticket has 1 to 64 of letters, digits, _ . and -, and an amount is not 0")
    before = terms.standing(books, time_ms)
    if amount_sat < 0:
        _check_withdrawal(before, -amount_sat)
    source = POOL_FEE if from_fees else WALLET
    fees_sat = -books.journal.balances_sat([POOL_FEE]).get(POOL_FEE, 0)
    if from_fees and amount_sat > fees_sat:
        raise ReserveRefused(f"the pool has {max(0, fees_sat)} satoshi of fees in the ledger, not {amount_sat}")
    booked = posting(f"reserve:{ticket}", "reserve", ticket, time_ms, {source: amount_sat, PPS_RESERVE: -amount_sat})
    try:
        if not books.journal.post([booked]):
            raise ReserveRefused(f"ticket {ticket} was booked before")
    except LedgerError as error:
        raise ReserveRefused(f"ticket {ticket}: {error}") from error
    return terms.standing(books, time_ms)


def resume(books: Books, terms: Terms, reason: str, time_ms: int) -> Stop:
    """Pay per share again, for jobs of the next height on. Raises ReserveRefused while the reserve is too small."""
    if not reason.strip():
        raise ReserveRefused("say why: the reason is kept in the books")
    found = terms.standing(books, time_ms)
    if found.stopped_height is None:
        raise ReserveRefused("pay per share is not stopped")
    would_be = replace(found, stopped_height=None)
    if would_be.level is Level.CLOSED:
        asked = "no reserve is enough at this margin" if found.close_sat is None else f"{found.close_sat} are needed"
        raise ReserveRefused(
            f"the reserve holds {found.held_sat} satoshi, {asked}, more than the floor of {found.floor_sat}: "
            "fund it first (`steppe reserve fund`)"
        )
    decided = Stop(next_height(books), False, time_ms, reason)
    books.reserve.stop(decided)
    return decided


def _check_withdrawal(before: Standing, amount_sat: int) -> None:
    left_sat = before.held_sat - amount_sat
    if left_sat < 0:
        raise ReserveRefused(f"the reserve holds {before.held_sat} satoshi, less than {amount_sat}")
    if before.level is not Level.UNUSED and (before.alarm_sat is None or left_sat < before.alarm_sat):
        needed = "any reserve is too small at this margin" if before.alarm_sat is None else str(before.alarm_sat)
        raise ReserveRefused(
            f"{left_sat} satoshi would be left, and accounts are paid per share: at least {needed} must stay"
        )
