"""How much a pool must hold to pay per share, and what follows when it holds less.

The reserve is an account of the ledger, `equity:pps_reserve`. Source: docs/payouts.md 1.8.
"""

from __future__ import annotations

import decimal
import enum
from collections.abc import Callable, Sequence
from fractions import Fraction

from msgspec import Struct

from payout.accounts import PER_SHARE, AccountRefused, Plan, Scheme
from payout.ledger import PPS_RESERVE
from payout.ports import Books, Stop
from payout.pps import PSAT, fee_rate_of
from payout.rewards import BPS

ALARM_RUIN = Fraction(1, 1000)
"""With less than this chance of ruin asks for, people are told."""

CLOSE_RUIN = Fraction(1, 100)
"""With less than this one asks for, no account more is paid per share."""

_GUARD_DIGITS = 60  # docs/payouts.md 1.8 asks for 50; the result of a logarithm is irrational, so no rounding is a tie


class Policy(Struct, frozen=True):
    """What an operator says about the reserve.

    losses_bps: of what is paid per share, how much is lost to orphans, withheld blocks and credit without work.
    floor_sat: at this and below, nothing more is paid per share.
    """

    losses_bps: int = 0
    floor_sat: int = 0


class Level(enum.StrEnum):
    """How the reserve stands, from good to bad. UNUSED: nobody is paid per share."""

    UNUSED = "unused"
    FUNDED = "funded"
    LOW = "low"
    CLOSED = "closed"
    STOPPED = "stopped"


class Standing(Struct, frozen=True):
    """The reserve against what it should be.

    held_sat: what the ledger has, less what is accrued and not yet posted. margin_bps: the lowest fee of those who are
    paid per share, less the losses; None: nobody is. alarm_sat, close_sat: what both chances of ruin ask for; None if
    no reserve is enough. stopped_height: from jobs of this height on nothing is paid per share; None if it is.
    """

    held_sat: int
    block_sat: int
    margin_bps: int | None
    alarm_sat: int | None
    close_sat: int | None
    floor_sat: int
    stopped_height: int | None

    @property
    def level(self) -> Level:
        if self.margin_bps is None:
            return Level.UNUSED
        if self.stopped_height is not None:
            return Level.STOPPED
        if self.close_sat is None or self.alarm_sat is None or self.held_sat < max(self.close_sat, self.floor_sat + 1):
            return Level.CLOSED
        return Level.LOW if self.held_sat < self.alarm_sat else Level.FUNDED

    @property
    def must_stop(self) -> bool:
        """Whether the operator's floor is reached and nobody has drawn the consequence yet."""
        return self.margin_bps is not None and self.stopped_height is None and self.held_sat <= self.floor_sat


def pps_reserve_sat(block_sat: int, margin_bps: int, ruin: Fraction) -> int:
    """The reserve at which pay per share fails with probability `ruin`: B ln(1/ruin) / (2 f), rounded up.

    margin_bps: the effective margin f, which is the fee less orphans, withheld blocks and unpaid credit. Raises
    ValueError for a margin of 0 or less: then ruin is certain whatever the reserve. Source: docs/payouts.md 1.8;
    Rosenfeld, arXiv:1112.4980, appendix C.
    """
    if block_sat < 0:
        raise ValueError(f"a block of {block_sat} satoshi")
    if margin_bps <= 0:
        raise ValueError(f"with a margin of {margin_bps} basis points ruin is certain, whatever the reserve")
    if not 0 < ruin <= 1:
        raise ValueError(f"{ruin} is no probability of ruin: it must be above 0 and at most 1")
    digits = _GUARD_DIGITS + len(str(block_sat)) + len(str(ruin.denominator))
    context = decimal.Context(prec=digits, rounding=decimal.ROUND_HALF_EVEN, Emax=decimal.MAX_EMAX)
    with decimal.localcontext(context):
        # ln(q/p) as a difference keeps every digit of p and q, whatever their size.
        log = decimal.Decimal(ruin.denominator).ln() - decimal.Decimal(ruin.numerator).ln()
        numerator, denominator = (log * block_sat * BPS).as_integer_ratio()
    return -(-numerator // (denominator * 2 * margin_bps))


def stop_at(stops: Sequence[Stop], height: int) -> Stop | None:
    """What was decided for jobs of a height; None if nothing was. stops: in order of their heights."""
    return next((stop for stop in reversed(stops) if stop.from_height <= height), None)


def scheme_of(plan: Plan, stops: Sequence[Stop], height: int) -> Scheme:
    """The scheme that a share of a job of this height counts under."""
    if plan.scheme not in PER_SHARE:
        return plan.scheme
    stop = stop_at(stops, height)
    return Scheme.PPLNS if stop is not None and stop.is_stopped else plan.scheme


def standing(
    books: Books,
    policy: Policy,
    subsidy_sat: Callable[[int], int],
    time_ms: int,
    *,
    joining: Plan | None = None,
    booked_sat: int | None = None,
) -> Standing:
    """How the reserve stands. joining: one more who would be paid per share. booked_sat: what the ledger has, if that
    is known; to sum it takes longer the longer the ledger is."""
    if booked_sat is None:
        booked_sat = -books.journal.balances_sat([PPS_RESERVE]).get(PPS_RESERVE, 0)
    held_sat = booked_sat - -(-books.reserve.accrued_psat() // PSAT)
    fees_bps = [books.reserve.lowest_fee_bps(PER_SHARE, time_ms), None if joining is None else joining.fee_bps]
    lowest_bps = min((fee for fee in fees_bps if fee is not None), default=None)
    block_sat = subsidy_sat(books.blocks.chain_height() + 1)
    pays_fees = joining is not None and joining.scheme is Scheme.FPPS
    if pays_fees or books.reserve.lowest_fee_bps({Scheme.FPPS}, time_ms) is not None:
        newest = books.fee_days.newest()
        block_sat += 0 if newest is None else fee_rate_of(newest.blocks).bonus_psat(block_sat)
    margin_bps = None if lowest_bps is None else lowest_bps - policy.losses_bps
    stops = books.reserve.stops()
    return Standing(
        held_sat=held_sat,
        block_sat=block_sat,
        margin_bps=margin_bps,
        alarm_sat=_asked_sat(block_sat, margin_bps, ALARM_RUIN),
        close_sat=_asked_sat(block_sat, margin_bps, CLOSE_RUIN),
        floor_sat=policy.floor_sat,
        stopped_height=stops[-1].from_height if stops and stops[-1].is_stopped else None,
    )


def _asked_sat(block_sat: int, margin_bps: int | None, ruin: Fraction) -> int | None:
    return None if margin_bps is None or margin_bps <= 0 else pps_reserve_sat(block_sat, margin_bps, ruin)


def check_joining(plan: Plan, found: Standing, *, is_new: bool) -> None:
    """Raises AccountRefused if the reserve cannot bear an account with this plan.

    found: with it. is_new: it was not paid per share before; else only a fee that covers the losses is asked for.
    """
    if plan.scheme not in PER_SHARE:
        return
    name = plan.scheme.value
    if found.margin_bps is None or found.close_sat is None:
        raise AccountRefused(
            f"{name} is refused: the lowest fee of those paid per share would leave a margin of {found.margin_bps} "
            "basis points after accounting.pps_losses_bps, and with none ruin is certain whatever is held; ask for a "
            "higher fee"
        )
    if not is_new:
        return
    if found.stopped_height is not None:
        raise AccountRefused(
            f"{name} is refused: the reserve was used up, and nothing is paid per share until `steppe reserve resume`"
        )
    if found.level in (Level.LOW, Level.FUNDED):
        return
    needed_sat = max(found.close_sat, found.floor_sat + 1)
    raise AccountRefused(
        f"{name} is refused: the reserve holds {found.held_sat} satoshi, and no account more is paid per share below "
        f"{needed_sat}; see `steppe reserve show`, and fund it with `steppe reserve fund`"
    )


def next_height(books: Books) -> int:
    """The lowest height of which no job can have been handed out yet: a decision from here on touches none that was."""
    stops = books.reserve.stops()
    issued = max(books.reserve.seen_height(), books.blocks.chain_height() + 1)
    return max(issued, stops[-1].from_height if stops else 0) + 1
