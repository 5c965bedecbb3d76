"""What an account earned in its slices, divided by the contracts of these. Source: docs/payouts.md 4.3 and 4.4."""

from __future__ import annotations

from collections.abc import Mapping

from payout.apportion import largest_remainder
from payout.contracts import Contract, between, divide
from payout.ports import Slices


def divide_slice(sat: int, account: str, contract: Contract | None) -> dict[str, int]:
    """What each party has of what an account earned in a slice; without a contract the account has it."""
    return {account: sat} if contract is None else divide(sat, between(contract, account))


def divide_earned(
    slices: Slices, account: str, slices_psat: Mapping[int, int], all_psat: int, paid_sat: int
) -> dict[str, int]:
    """What each party has of whole satoshis that an account earned per share.

    slices_psat: what its slices earned of all_psat. What an account carries over from before is of no slice any more,
    so the whole satoshis of now go by what was earned now.
    """
    if not slices_psat:
        return {account: paid_sat}
    contracts = slices.contracts(slices_psat.keys())
    parts: dict[str, int] = {}
    for slice_id, part_sat in earned_by_slice(slices_psat, all_psat, paid_sat).items():
        for party, each_sat in divide_slice(part_sat, account, contracts.get(slice_id)).items():
            parts[party] = parts.get(party, 0) + each_sat
    return parts


def earned_by_slice(slices_psat: Mapping[int, int], all_psat: int, paid_sat: int) -> dict[int, int]:
    """The whole satoshis of each slice; 0: of what is of none."""
    # Fees of several bases round one by one, so what slices have may exceed the whole by some picosatoshi.
    weights = {0: max(0, all_psat - sum(slices_psat.values())), **slices_psat}
    return largest_remainder(paid_sat, weights)
