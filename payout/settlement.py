"""From balances to payments: who is paid in a batch, and what that means in money.

Source: docs/payouts.md 3.5 and 3.6.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping

from msgspec import Struct

from payout import ledger
from payout.ledger import Posting

ACTIVE = "active"


class Skipped(enum.StrEnum):
    """Why an account with a balance is not in the batch. A state other than active has a reason of its own."""

    NO_ADDRESS = "no_address"
    ADDRESS_INVALID = "address_invalid"
    ADDRESS_HOLD = "address_hold"
    BELOW_MINIMUM = "below_minimum"
    BATCH_FULL = "batch_full"
    COINS_SHORT = "coins_short"


class Candidate(Struct, frozen=True):
    """An account that may be paid.

    script: where to, opaque here. dust_sat: of that type of script. address_hold_until: the end of the hold after a
    change of address, in the unit of the run's `now`.
    """

    account: str
    available_sat: int
    min_payout_sat: int
    script: str
    dust_sat: int
    address_valid: bool
    address_hold_until: int
    state: str


class Line(Struct, frozen=True):
    """One account's part of a batch."""

    account: str
    script: str
    amount_sat: int


class Selection(Struct, frozen=True):
    """A batch: its lines, largest first, and why the others wait."""

    lines: tuple[Line, ...]
    skipped: Mapping[str, str]

    @property
    def outputs_sat(self) -> dict[str, int]:
        """The outputs of the transaction: one for each script."""
        outputs: dict[str, int] = {}
        for line in self.lines:
            outputs[line.script] = outputs.get(line.script, 0) + line.amount_sat
        return outputs

    @property
    def total_sat(self) -> int:
        return sum(line.amount_sat for line in self.lines)


def select(candidates: Iterable[Candidate], now: int, outputs_max: int, coins_sat: int | None = None) -> Selection:
    """Who is paid: every account that may be, largest amount first, into at most outputs_max different scripts.

    coins_sat: what there is to pay them with, if that is a question: who does not fit into it waits.
    """
    skipped: dict[str, str] = {}
    payable: list[Candidate] = []
    for candidate in candidates:
        reason = _reason(candidate, now)
        if reason is None:
            payable.append(candidate)
        else:
            skipped[candidate.account] = reason
    lines: list[Line] = []
    scripts: set[str] = set()
    left_sat = coins_sat
    for candidate in sorted(payable, key=lambda each: (-each.available_sat, each.account)):
        if candidate.script not in scripts and len(scripts) >= outputs_max:
            skipped[candidate.account] = Skipped.BATCH_FULL.value
            continue
        if left_sat is not None:
            if candidate.available_sat > left_sat:
                skipped[candidate.account] = Skipped.COINS_SHORT.value
                continue
            left_sat -= candidate.available_sat
        scripts.add(candidate.script)
        lines.append(Line(candidate.account, candidate.script, candidate.available_sat))
    return Selection(tuple(lines), skipped)


def _reason(candidate: Candidate, now: int) -> str | None:
    if candidate.state != ACTIVE:
        return f"account_{candidate.state}"
    if not candidate.script:
        return Skipped.NO_ADDRESS.value
    if not candidate.address_valid:
        return Skipped.ADDRESS_INVALID.value
    if now < candidate.address_hold_until:
        return Skipped.ADDRESS_HOLD.value
    if candidate.available_sat < max(candidate.min_payout_sat, candidate.dust_sat):
        return Skipped.BELOW_MINIMUM.value
    return None


def reserve(payout_id: str, amounts_sat: Mapping[str, int], time_ms: int) -> Posting:
    """The money of a batch leaves what its accounts may be paid."""
    entries_sat: dict[str, int] = {}
    for account, amount_sat in amounts_sat.items():
        entries_sat[ledger.available(account)] = amount_sat
        entries_sat[ledger.reserved(account)] = -amount_sat
    return ledger.posting(f"payout:{payout_id}:reserved", "payout.reserved", payout_id, time_ms, entries_sat)


def confirm(payout_id: str, amounts_sat: Mapping[str, int], network_fee_sat: int, time_ms: int) -> Posting:
    """The batch is in the chain: coins left the wallet, the pool bore the network fee."""
    entries_sat = {ledger.reserved(account): amount_sat for account, amount_sat in amounts_sat.items()}
    entries_sat[ledger.WALLET] = -sum(amounts_sat.values()) - network_fee_sat
    entries_sat[ledger.NETWORK_FEE] = network_fee_sat
    return ledger.posting(f"payout:{payout_id}:confirmed", "payout.confirmed", payout_id, time_ms, entries_sat)


def release(payout_id: str, amounts_sat: Mapping[str, int], time_ms: int) -> Posting:
    """The batch will never be sent: its money is the accounts' again."""
    taken = reserve(payout_id, amounts_sat, time_ms)
    return ledger.reverse(taken, f"payout:{payout_id}:released", "payout.released", time_ms)
