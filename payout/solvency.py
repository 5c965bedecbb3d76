"""What the pool owes against what it has on chain, at a block.

The wallet is asked itself; the books say only what is owed. Source: docs/payouts.md 3.3, invariant 6.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Protocol, TypeVar

from msgspec import Struct

from payout.instants import format_instant
from payout.ledger import COINBASE_IMMATURE, PPLNS_STARTUP, PPS_RESERVE, WALLET
from payout.payment_ports import Tip
from payout.pps import PSAT
from payout.rewards import BPS
from pool.bitcoin.amount import format_btc
from pool.bitcoin.transaction import OutPoint
from pool.ports import NodeUnavailable

T = TypeVar("T")

_TRIES = 3


class Holdings(Protocol):
    """The part of a wallet that is asked. Every method raises NodeUnavailable and WalletWaits."""

    def tip(self) -> Tip: ...

    def confirmed_sat(self, claimed: Collection[OutPoint]) -> int: ...

    def immature_sat(self) -> int: ...


class Accounts(Struct, frozen=True):
    """What the books hold. accrued_psat: earned per share and not in the ledger. claimed: outputs that payouts on
    their way spend. height: the highest block that accounting has seen."""

    balances_sat: Mapping[str, int]
    accrued_psat: int
    claimed: Collection[OutPoint]
    height: int


class Solvency(Struct, frozen=True):
    """A report. What is owed and what is there are positive.

    accrued_sat: earned per share and not in the ledger yet, rounded up. other_sat: owed to others than accounts.
    reserve_sat, startup_sat: its own money, kept for pay per share and for the start-up; below zero it is
    used up. coverage_bps: what is there of what is owed, in basis points, rounded down; None if nothing is owed.
    due_coverage_bps: the same of the coins that can be spent and of what is due now. booked_wallet_sat,
    booked_immature_sat: what the books take for coins. behind_blocks: of the chain that the books have not seen yet.
    """

    time_ms: int
    block_height: int
    block_hash: str
    available_sat: int
    immature_sat: int
    reserved_sat: int
    accrued_sat: int
    other_sat: int
    owed_sat: int
    wallet_sat: int
    wallet_immature_sat: int
    held_sat: int
    surplus_sat: int
    coverage_bps: int | None
    due_coverage_bps: int | None
    reserve_sat: int
    startup_sat: int
    booked_wallet_sat: int
    booked_immature_sat: int
    behind_blocks: int

    @property
    def is_covered(self) -> bool:
        return self.surplus_sat >= 0


def report(read: Callable[[], Accounts], wallet: Holdings, time_ms: int) -> Solvency:
    """Books and wallet, both at one block. Raises NodeUnavailable, also if blocks come too fast to count in between."""
    for _ in range(_TRIES):
        tip = wallet.tip()
        books = read()
        wallet_sat, immature_sat = wallet.confirmed_sat(books.claimed), wallet.immature_sat()
        if wallet.tip() == tip:
            return _judge(books, wallet_sat, immature_sat, tip, time_ms)
    raise NodeUnavailable("the chain grew while the wallet was counted, three times: ask again")


def _judge(books: Accounts, wallet_sat: int, wallet_immature_sat: int, tip: Tip, time_ms: int) -> Solvency:
    owed = {"available": 0, "immature": 0, "reserved": 0, "other": 0}
    for name, amount_sat in books.balances_sat.items():
        if name.startswith("liab:"):
            kind = name.rpartition(":")[2]
            owed[kind if kind in owed and name.count(":") == 2 else "other"] -= amount_sat
    accrued_sat = -(-books.accrued_psat // PSAT)
    owed_sat = sum(owed.values()) + accrued_sat
    held_sat = wallet_sat + wallet_immature_sat
    return Solvency(
        time_ms=time_ms,
        block_height=tip.height,
        block_hash=tip.block_hash[::-1].hex(),
        available_sat=owed["available"],
        immature_sat=owed["immature"],
        reserved_sat=owed["reserved"],
        accrued_sat=accrued_sat,
        other_sat=owed["other"],
        owed_sat=owed_sat,
        wallet_sat=wallet_sat,
        wallet_immature_sat=wallet_immature_sat,
        held_sat=held_sat,
        surplus_sat=held_sat - owed_sat,
        coverage_bps=_bps(held_sat, owed_sat),
        due_coverage_bps=_bps(wallet_sat, owed_sat - owed["immature"]),
        reserve_sat=-books.balances_sat.get(PPS_RESERVE, 0),
        startup_sat=-books.balances_sat.get(PPLNS_STARTUP, 0),
        booked_wallet_sat=books.balances_sat.get(WALLET, 0),
        booked_immature_sat=books.balances_sat.get(COINBASE_IMMATURE, 0),
        behind_blocks=max(0, tip.height - books.height),
    )


def words(found: Solvency) -> Iterator[str]:
    """For people."""
    yield f"At block {found.block_height}, {found.block_hash} ({format_instant(found.time_ms)})"
    yield "The pool owes:"
    yield _amount("to accounts, available", found.available_sat)
    yield _amount("to accounts, of immature blocks", found.immature_sat)
    yield _amount("to accounts, on its way (reserved)", found.reserved_sat)
    yield _amount("earned per share, not in the ledger yet", found.accrued_sat)
    yield _amount("to others", found.other_sat)
    yield _amount("together", found.owed_sat)
    yield "It has on chain, as the wallet itself says:"
    yield _amount("coins that can be spent", found.wallet_sat)
    yield _amount("coins of immature blocks", found.wallet_immature_sat)
    yield _amount("together", found.held_sat)
    if found.is_covered:
        yield f"COVERED: {_percent(found.coverage_bps)} of what is owed; {found.surplus_sat:,} sat are the pool's own."
    else:
        yield (
            f"SHORTFALL: {-found.surplus_sat:,} sat = {format_btc(-found.surplus_sat)} BTC are missing; only "
            f"{_percent(found.coverage_bps)} of what is owed is there."
        )
    yield f"Of what is due now, {_percent(found.due_coverage_bps)} is covered by coins that can be spent."
    yield (
        f"Of its own the pool keeps {found.reserve_sat:,} sat for pay per share and {found.startup_sat:,} sat of the "
        "start-up."
    )
    yield from _differences(found)


def _differences(found: Solvency) -> Iterator[str]:
    pairs = (
        ("spendable", found.wallet_sat, found.booked_wallet_sat),
        ("immature", found.wallet_immature_sat, found.booked_immature_sat),
    )
    for kind, held_sat, booked_sat in pairs:
        if held_sat != booked_sat:
            yield f"The books take {booked_sat:,} sat for {kind} coins; the wallet has {held_sat - booked_sat:+,} sat."
    if found.behind_blocks:
        yield f"The books have not seen the newest {found.behind_blocks} blocks yet, which may explain a difference."


def _amount(what: str, sat: int) -> str:
    return f"  {what:<42} {sat:>22,} sat  {format_btc(sat):>18} BTC"


def _percent(bps: int | None) -> str:
    return "all (nothing is owed)" if bps is None else f"{bps // 100}.{bps % 100:02} %"


def _bps(part: int, whole: int) -> int | None:
    return part * BPS // whole if whole > 0 else None
