"""The rules of double entry: postings that balance, keys that make them happen once, a chain that shows every edit.

Amounts are signed satoshis: assets and expenses positive; liabilities, income and equity negative. A posting sums to 0.
Source: docs/payouts.md 3.1 to 3.3.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

COINBASE_IMMATURE = "asset:coinbase_immature"
WALLET = "asset:wallet"
POOL_FEE = "income:pool_fee"
NETWORK_FEE = "expense:network_fee"
PPS_RESERVE = "equity:pps_reserve"
PPLNS_STARTUP = "equity:pplns_startup"

FIRST_PREV_HASH = bytes(32)
"""What the first row of a ledger follows."""

_SIDED = ("asset:", "liab:")
_ACCOUNT = re.compile(r"(asset|liab|income|expense|equity|adjust):[A-Za-z0-9_.:-]{1,200}")


class LedgerError(Exception):
    """The books are wrong or would become wrong. Payouts stop until a person has looked."""


class Entry(Struct, frozen=True, array_like=True):
    """One account's part of a posting."""

    account: str
    amount_sat: int


class Posting(Struct, frozen=True):
    """What happened, in money: booked whole and once, by its key.

    kind: what sort of event. ref: what it is about, such as a block's hash in hex. entries: each account once, in
    order of the names, no zeros. Raises LedgerError on anything else.
    """

    key: str
    kind: str
    ref: str
    time_ms: int
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        names = [entry.account for entry in self.entries]
        if names != sorted(set(names)) or not names:
            raise LedgerError(f"{self.key}: each account once and in order, not {names}")
        for entry in self.entries:
            if not _ACCOUNT.fullmatch(entry.account):
                raise LedgerError(f"{self.key}: {entry.account!r} is no account of the ledger")
            if not entry.amount_sat:
                raise LedgerError(f"{self.key}: an entry of 0 satoshi for {entry.account}")
        total_sat = sum(entry.amount_sat for entry in self.entries)
        if total_sat:
            raise LedgerError(f"{self.key}: the entries sum to {total_sat} satoshi instead of 0")

    @property
    def sided_accounts(self) -> Iterator[str]:
        """Its accounts that must never be on the wrong side of zero."""
        return (entry.account for entry in self.entries if entry.account.startswith(_SIDED))

    def says_the_same_as(self, other: Posting) -> bool:
        """Whether it is the same event told again; when it was booked does not matter."""
        return (self.key, self.kind, self.ref, self.entries) == (other.key, other.kind, other.ref, other.entries)


class Row(Struct, frozen=True):
    """A posting where it stands in the ledger."""

    id: int
    posting: Posting
    prev_hash: bytes
    hash: bytes


def posting(key: str, kind: str, ref: str, time_ms: int, amounts_sat: Mapping[str, int]) -> Posting:
    """A posting of amounts by account, without those that are 0."""
    entries = tuple(Entry(account, amounts_sat[account]) for account in sorted(amounts_sat) if amounts_sat[account])
    return Posting(key, kind, ref, time_ms, entries)


def reverse(original: Posting, key: str, kind: str, time_ms: int) -> Posting:
    """The exact negative of a posting."""
    entries = tuple(Entry(entry.account, -entry.amount_sat) for entry in original.entries)
    return Posting(key, kind, original.ref, time_ms, entries)


def available(party: str) -> str:
    """The account of what a party may be paid."""
    return f"liab:{party}:available"


def reserved(party: str) -> str:
    """The account of what is on its way to a party."""
    return f"liab:{party}:reserved"


def canonical_row(posted: Posting) -> bytes:
    """The bytes that are hashed: a JSON array without spaces, so that anyone can check a ledger with what they have.

    [time_ms, key, kind, ref, [[account, amount_sat], ...]], the entries in order of the account names, UTF-8.
    """
    entries = [[entry.account, entry.amount_sat] for entry in posted.entries]
    row = [posted.time_ms, posted.key, posted.kind, posted.ref, entries]
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


def row_hash(prev_hash: bytes, posted: Posting) -> bytes:
    """SHA-256 of the hash of the row before and the canonical row."""
    return hashlib.sha256(prev_hash + canonical_row(posted)).digest()


def on_wrong_side(account: str, balance_sat: int) -> bool:
    """Whether a balance is on the side where its account must never be.

    Nobody owes the pool by way of a liability, and there are no negative coins. Income, expense and equity may turn: a
    loss is shown, never hidden by clipping.
    """
    return (account.startswith("liab:") and balance_sat > 0) or (account.startswith("asset:") and balance_sat < 0)


class Book:
    """A ledger in memory: what the one in SQL must agree with."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._balances_sat: dict[str, int] = {}
        self._last_hash = FIRST_PREV_HASH

    @property
    def rows(self) -> Iterable[Row]:
        return self._rows.values()

    def post(self, posted: Posting) -> bool:
        """Book it; False if it was booked before. Raises LedgerError if the key was used for something else."""
        before = self._rows.get(posted.key)
        if before is not None:
            if not before.posting.says_the_same_as(posted):
                raise LedgerError(f"{posted.key} was booked before with other content")
            return False
        balances_sat = {
            entry.account: self._balances_sat.get(entry.account, 0) + entry.amount_sat for entry in posted.entries
        }
        check_sides(balances_sat)
        row = Row(len(self._rows) + 1, posted, self._last_hash, row_hash(self._last_hash, posted))
        self._rows[posted.key] = row
        self._balances_sat.update(balances_sat)
        self._last_hash = row.hash
        return True

    def balances_sat(self) -> dict[str, int]:
        """Every account that is not at 0."""
        return {account: amount for account, amount in sorted(self._balances_sat.items()) if amount}


def check_sides(balances_sat: Mapping[str, int]) -> None:
    """Raises LedgerError naming the first account on the wrong side of zero. Invariant 2 of docs/payouts.md 3.3."""
    for account, balance_sat in sorted(balances_sat.items()):
        if on_wrong_side(account, balance_sat):
            raise LedgerError(f"{account} would stand at {balance_sat} satoshi, on the wrong side of zero")
