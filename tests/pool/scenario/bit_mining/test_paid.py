"""Who was paid what."""

from __future__ import annotations

from payout.contracts import between, divide, parse_steps
from pool.scenario.bit_mining.case import OWNER, PLACES
from tests.pool.scenario.bit_mining.small import Small


def test_the_parties_of_each_block_have_its_reward_to_the_satoshi(played: Small) -> None:
    for found in (played.pplns, played.pps):
        assert found.blocks
        assert all(sum(block.parties_sat.values()) == block.reward_sat for block in found.blocks)


def test_so_have_its_slices_with_what_the_pool_keeps_of_each(played: Small) -> None:
    for block in played.pplns.blocks:
        assert sum(each.gross_sat for each in block.slices) == block.reward_sat
        for each in block.slices:
            assert sum(each.parties_sat.values()) + each.fee_sat + each.bought_sat == each.gross_sat


def test_a_slice_is_divided_by_the_contract_of_its_site(played: Small) -> None:
    steps = {place.name: parse_steps(place.steps) for place in PLACES}
    sites = {each.slice_id: each.site for each in played.table.assignments}
    for block in played.pplns.blocks:
        for each in block.slices:
            if each.slice_id:
                contract = between(steps[sites[each.slice_id]], OWNER)
                assert each.parties_sat == divide(each.gross_sat - each.fee_sat, contract)


def test_under_pplns_what_came_in_and_the_fee_are_all_blocks(played: Small) -> None:
    fee_sat = -sum(sat for name, sat in played.pplns.balances_sat.items() if name.startswith("income:pool_fee"))
    came_in_sat = sum(each.amount_sat for each in played.pplns.incomes)
    assert came_in_sat + fee_sat == sum(block.reward_sat for block in played.pplns.blocks)


def test_an_account_has_what_its_ledger_says(played: Small) -> None:
    for found in (played.pplns, played.pps):
        names = {each.account for each in found.incomes}
        assert {"ganzi", "kz-operator", "kz-partner", "texas-operator", "tax:KZ", OWNER} <= names
        for name in names:
            of_name = (found.balances_sat.get(f"liab:{name}:{state}", 0) for state in ("immature", "available"))
            assert found.of(name) == -sum(of_name)


def test_under_pps_a_block_is_the_reserves(played: Small) -> None:
    assert {name for block in played.pps.blocks for name in block.parties_sat} == {"reserve"}
