"""Who would be paid now, and why the others wait: the same for a dry run and for a batch.

Source: docs/payouts.md 3.6.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from msgspec import Struct

from payout import ledger
from payout.outputs import P2TR, fee_sat, output_kind, payout_min_sat
from payout.payment_ports import PaidLine, Payee, PaymentBooks, Wallet
from payout.settlement import ACTIVE, Candidate, Selection, select

_TRANSACTION_VBYTES = 11
_INPUT_VBYTES = 68  # P2WPKH
_INPUTS_GUESSED = 10


class Policy(Struct, frozen=True):
    """What the operator allows. script_of: what an address means on the pool's chain; raises ValueError."""

    threshold_sat: int
    outputs_max: int
    script_of: Callable[[str], bytes]


class Waiting(Struct, frozen=True):
    """An account that is not paid now. min_sat: what it would need; 0 if that is not the reason."""

    account: str
    available_sat: int
    reason: str
    min_sat: int = 0
    text: str = ""


class Plan(Struct, frozen=True):
    """A dry run. lines: what the next batch would pay, largest first."""

    lines: tuple[PaidLine, ...]
    waiting: tuple[Waiting, ...]
    fee_rate_sat_kvb: int

    @property
    def total_sat(self) -> int:
        return sum(each.line.amount_sat for each in self.lines)


Kept = tuple[str, bytes]
"""An address, and the script that was kept with it."""


class Verdicts:
    """Which addresses cannot be paid, and why; each is judged once, by us and by the node."""

    def __init__(self, wallet: Wallet, script_of: Callable[[str], bytes]) -> None:
        self._wallet = wallet
        self._script_of = script_of
        self._known: set[Kept] = set()
        self.refused: dict[Kept, str] = {}

    def judge(self, kept: Collection[Kept]) -> None:
        """Judge those that are new."""
        new = set(kept) - self._known
        refused = {each: reason for each in new if (reason := self._refusal(*each))}
        scripts = dict(new - refused.keys())
        of_node = self._wallet.address_refusals(scripts)
        self.refused |= refused | {(address, scripts[address]): reason for address, reason in of_node.items()}
        self._known |= new

    def _refusal(self, address: str, script: bytes) -> str | None:
        try:
            meant = self._script_of(address)
            output_kind(script)
        except ValueError as error:
            return str(error)
        return None if meant == script else f"{address} means another script than the one that was kept with it"


def plan(books: PaymentBooks, policy: Policy, fee_rate_sat_kvb: int, refused: Mapping[Kept, str], time_ms: int) -> Plan:
    """The next batch. refused: addresses that cannot be paid, and why; all others were judged to be good."""
    payees = books.payouts.payees(time_ms)
    mins_sat: dict[str, int] = {}
    texts: dict[str, str] = {}
    candidates = []
    for payee in payees:
        kind = None
        if payee.address is not None and payee.script is not None:
            reason = refused.get((payee.address, payee.script))
            if reason is None:
                kind = output_kind(payee.script)
            else:
                texts[payee.account] = reason
        threshold_sat = policy.threshold_sat if payee.threshold_sat is None else payee.threshold_sat
        min_sat = max(threshold_sat, payout_min_sat(kind, fee_rate_sat_kvb)) if kind else threshold_sat
        mins_sat[payee.account] = min_sat
        candidates.append(
            Candidate(
                account=payee.account,
                available_sat=payee.available_sat,
                min_payout_sat=min_sat,
                script=(payee.script or b"").hex(),
                dust_sat=kind.dust_sat if kind else 0,
                address_valid=kind is not None,
                address_hold_until=payee.held_until_ms,
                state=ACTIVE,
            )
        )
    coins_sat = _coins_sat(books, len(payees), policy, fee_rate_sat_kvb)
    chosen = select(candidates, time_ms, policy.outputs_max, coins_sat)
    return _plan(chosen, payees, mins_sat, texts, fee_rate_sat_kvb)


def addresses(books: PaymentBooks, time_ms: int) -> set[Kept]:
    """The addresses that a run might pay, with the scripts that were kept with them."""
    return {(payee.address, payee.script) for payee in books.payouts.payees(time_ms) if payee.address and payee.script}


def _coins_sat(books: PaymentBooks, payees: int, policy: Policy, fee_rate_sat_kvb: int) -> int:
    """What the books have to pay with: coins of mature blocks that no batch has, less what the network may take."""
    reserved_sat = sum(books.payouts.reserved_sat().values())
    wallet_sat = books.journal.balances_sat([ledger.WALLET]).get(ledger.WALLET, 0)
    vbytes = _TRANSACTION_VBYTES + _INPUTS_GUESSED * _INPUT_VBYTES + P2TR.vbytes * (1 + min(payees, policy.outputs_max))
    return wallet_sat - reserved_sat - fee_sat(vbytes, fee_rate_sat_kvb)


def _plan(
    chosen: Selection,
    payees: Collection[Payee],
    mins_sat: Mapping[str, int],
    texts: Mapping[str, str],
    fee_rate_sat_kvb: int,
) -> Plan:
    of = {payee.account: payee for payee in payees}
    lines = tuple(PaidLine(line, of[line.account].address or "") for line in chosen.lines)
    waiting = tuple(
        Waiting(name, of[name].available_sat, reason, mins_sat[name], texts.get(name, ""))
        for name, reason in sorted(chosen.skipped.items())
    )
    return Plan(lines, waiting, fee_rate_sat_kvb)
