"""Who has what of the shares of a slice: of blocks, of pay per share, and what energy took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from payout.contracts import Contract
from payout.crediting import parts_of
from payout.maturity import State
from payout.ports import BookedBlock
from payout.slices import divide_slice, earned_by_slice

BLOCK, PER_SHARE, ENERGY = "block", "per_share", "energy"


class Earning(Struct, frozen=True):
    """What a party has in the ledger of a slice of an account, once.

    at_ms: when the block was found, when the period of pay per share began, or when energy was charged. kind: BLOCK,
    PER_SHARE or ENERGY. amount_sat: negative for who pays. is_final: whether no reorg can take it back.
    """

    account: str
    slice_id: int
    party: str
    at_ms: int
    kind: str
    amount_sat: int
    is_final: bool


def of_block(block: BookedBlock, contracts: Mapping[int, Contract]) -> Iterator[Earning]:
    """What a block pays that is in the chain."""
    if block.life.state not in (State.IMMATURE, State.MATURE):
        return
    is_final = block.life.state is State.MATURE
    for each in block.credits:
        account, slice_id = each.key.account, each.key.slice_id
        for party, part_sat in parts_of(each, contracts).items():
            yield Earning(account, slice_id, party, block.found.found_ms, BLOCK, part_sat, is_final)


def per_share(
    account: str,
    at_ms: int,
    slices_psat: Mapping[int, int],
    all_psat: int,
    paid_sat: int,
    contracts: Mapping[int, Contract],
) -> Iterator[Earning]:
    """What a period of pay per share, or a day of its fees, paid: as `payout.slices.divide_earned` does, by slice."""
    for slice_id, part_sat in (earned_by_slice(slices_psat, all_psat, paid_sat) if paid_sat else {}).items():
        for party, each_sat in divide_slice(part_sat, account, contracts.get(slice_id)).items():
            if each_sat:
                yield Earning(account, slice_id, party, at_ms, PER_SHARE, each_sat, True)
