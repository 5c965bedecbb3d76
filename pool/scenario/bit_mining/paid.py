"""Who was paid what, read from a ledger: each block by party, and what came in over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from payout.crediting import reward_of
from payout.ledger import POOL_FEE, PPS_RESERVE
from payout.maturity import State
from payout.slices import divide_slice
from payout.store.ledger import SqlBooks, SqlLedger


class SliceCredit(Struct, frozen=True):
    """What an account's slice has of a block, and to whom that goes. slice_id: 0 for none."""

    account: str
    slice_id: int
    gross_sat: int
    fee_sat: int
    bought_sat: int
    parties_sat: Mapping[str, int]


class PaidBlock(Struct, frozen=True):
    """A block as the ledger has it. parties_sat: by account of the ledger, what all slices of the block give it;
    `pool fee` and `reserve` are the pool's."""

    height: int
    hash: str
    found_ms: int
    finder: str
    worker: str
    state: str
    reward_sat: int
    parties_sat: Mapping[str, int]
    slices: Sequence[SliceCredit]


class Income(Struct, frozen=True):
    """What an account got with a row of the ledger, whether it is available yet or not."""

    at_ms: int
    account: str
    amount_sat: int


class Paid(Struct, frozen=True):
    """All of a ledger. balances_sat: of its accounts that are not at 0."""

    blocks: Sequence[PaidBlock]
    incomes: Sequence[Income]
    balances_sat: Mapping[str, int]

    def of(self, account: str) -> int:
        """All that an account got."""
        return sum(each.amount_sat for each in self.incomes if each.account == account)


def paid(ledger: SqlLedger) -> Paid:
    """Read a ledger."""
    with ledger.read() as books:
        blocks = sorted(_blocks(books), key=lambda each: each.height)
        balances = {name: sat for name, sat in sorted(books.journal.balances_sat().items()) if sat}
        return Paid(blocks, _incomes(books), balances)


def _blocks(books: SqlBooks) -> list[PaidBlock]:
    found = []
    for block in books.blocks.every():
        if block.reward_sat is None or block.life.state not in (State.IMMATURE, State.MATURE):
            continue
        contracts = books.slices.contracts({each.key.slice_id for each in block.credits})
        slices = tuple(
            SliceCredit(
                each.key.account,
                each.key.slice_id,
                each.gross_sat,
                each.fee_sat,
                each.bought_sat,
                divide_slice(each.net_sat, each.key.account, contracts.get(each.key.slice_id)),
            )
            for each in block.credits
        )
        claims = reward_of(block, books.slices).claims_sat
        names = {POOL_FEE: "pool fee", PPS_RESERVE: "reserve"}
        parties = {names.get(claim, claim.removeprefix("liab:")): sat for claim, sat in sorted(claims.items()) if sat}
        found.append(
            PaidBlock(
                block.life.height,
                block.life.hash_hex,
                block.found.found_ms,
                block.found.finder,
                block.found.worker,
                block.life.state.value,
                block.reward_sat,
                parties,
                slices,
            )
        )
    return found


def _incomes(books: SqlBooks) -> list[Income]:
    """Credits of blocks when they are booked, and settled periods of pay per share. Nothing is an orphan here."""
    incomes = []
    for row in books.journal.rows():
        posted = row.posting
        if posted.kind not in ("block.immature", "pps"):
            continue
        for entry in posted.entries:
            if entry.account.startswith("liab:"):
                name = entry.account.removeprefix("liab:").rpartition(":")[0]
                incomes.append(Income(posted.time_ms, name, -entry.amount_sat))
    return incomes
