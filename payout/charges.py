"""Charges for energy in the ledger: taken from what an account has, and an invoice for the rest.

Source: docs/payouts.md 4.4.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from payout.ledger import Posting, available, posting
from payout.ports import Journal


class EnergyCharge(Struct, frozen=True):
    """What an account owes a party for a reading. posted_sat: what of it is in the ledger; postings: in how many."""

    id: int
    reading: int
    account: str
    party: str
    amount_sat: int
    posted_sat: int = 0
    postings: int = 0

    @property
    def open_sat(self) -> int:
        """The invoice: what no balance covered yet."""
        return self.amount_sat - self.posted_sat


class Charged(Struct, frozen=True):
    """What a run came to. new: charges that were made; posted_sat: what was taken; open: the invoices after it."""

    new: int
    posted_sat: int
    open: Sequence[EnergyCharge]


def collect(journal: Journal, charges: Sequence[EnergyCharge], time_ms: int) -> list[Posting]:
    """Take what balances cover of charges, oldest first; the postings, which are booked.

    A balance never becomes negative for it. What is left stays an invoice, for the next time.
    """
    owing = [each for each in charges if each.open_sat > 0 and each.account != each.party]
    balances_sat = journal.balances_sat({available(each.account) for each in owing})
    postings: list[Posting] = []
    for each in owing:
        has_sat = -balances_sat.get(available(each.account), 0)
        taken_sat = min(each.open_sat, has_sat)
        if taken_sat <= 0:
            continue
        payer, party = available(each.account), available(each.party)
        for name, amount_sat in ((payer, taken_sat), (party, -taken_sat)):
            balances_sat[name] = balances_sat.get(name, 0) + amount_sat
        key = f"energy:{each.id}:{each.postings + 1}"
        postings.append(posting(key, "energy", f"energy:{each.id}", time_ms, {payer: taken_sat, party: -taken_sat}))
    journal.post(postings)
    return postings
