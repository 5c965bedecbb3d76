"""payout.crediting."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payout.accounts import Scheme, Stake
from payout.contracts import Contract, parse_steps
from payout.crediting import credit, paid_to_pool, reward_of, window_of
from payout.ledger import LedgerError
from payout.maturity import Life
from payout.ports import Basis, BookedBlock, FoundBlock, SliceEarning
from payout.rewards import UNIT

POOL, OTHER = b"\x00\x14pool", b"\x6a\x24commitment"


class GivenSlices:
    """Contracts by slice. Satisfies payout.ports.Slices."""

    def __init__(self, **steps: str) -> None:
        self._contracts = {int(name[1:]): parse_steps(text) for name, text in steps.items()}

    def contracts(self, slice_ids: Collection[int]) -> dict[int, Contract]:
        return {number: contract for number, contract in self._contracts.items() if number in slice_ids}

    def add(self, earned_psat: Mapping[SliceEarning, int]) -> None:
        raise NotImplementedError

    def earned(self, basis: Basis, account_name: str, at_ms: int) -> Sequence[tuple[SliceEarning, int]]:
        raise NotImplementedError


NONE = GivenSlices()


def found(end: int = 8 * UNIT, window_x: str = "8", startup: str = "distribute") -> BookedBlock:
    block = FoundBlock(b"\x01" * 32, 7, 0, "alice", "rig", "f", 1, "accepted", end, window_x, startup)
    return BookedBlock(block, Life(block.block_hash, block.height))


def stake(name: str, scheme: Scheme = Scheme.PPLNS, fee_bps: int = 100) -> Stake:
    return Stake(name, 0, scheme, fee_bps)


class TestPaidToPool:
    def test_it_is_what_the_pools_scripts_get(self) -> None:
        assert paid_to_pool([(5, POOL), (0, OTHER), (7, POOL), (9, b"else")], [POOL]) == 12

    def test_a_block_that_pays_somebody_else_is_an_alarm(self) -> None:
        with pytest.raises(LedgerError, match="was the payout address changed"):
            paid_to_pool([(5, b"else"), (0, OTHER)], [POOL])

    def test_a_block_may_pay_nothing(self) -> None:
        assert paid_to_pool([(0, POOL)], [POOL]) == 0


class TestWindowOf:
    def test_it_ends_at_the_finders_share(self) -> None:
        assert window_of(found(end=10 * UNIT).found) == (2 * UNIT, 10 * UNIT)

    def test_it_may_be_a_fraction_of_a_block(self) -> None:
        assert window_of(found(end=UNIT, window_x="1/2").found) == (UNIT // 2, UNIT)

    def test_it_begins_with_the_first_share_if_there_are_too_few(self) -> None:
        assert window_of(found(end=UNIT).found) == (0, UNIT)


class TestCredit:
    def test_bought_shares_credit_the_reserve_without_a_fee(self) -> None:
        weights = {stake("alice"): 3 * UNIT, stake("kz", Scheme.PPS, 250): UNIT}
        assert reward_of(credit(found(), 1000, weights), NONE).claims_sat == {
            "equity:pplns_startup": 0,
            "equity:pps_reserve": 250,
            "income:pool_fee": 7,
            "liab:alice": 743,
        }

    def test_who_sells_his_shares_changes_nothing_for_the_others(self) -> None:
        weights = {stake("alice"): 5, stake("bob"): 7, stake("carol"): 11}
        sold = {**{key: weights[key] for key in list(weights)[:2]}, stake("carol", Scheme.PPS): 11}
        kept, bought = (reward_of(credit(found(), 999_999, each), NONE).claims_sat for each in (weights, sold))
        assert (kept["liab:alice"], kept["liab:bob"]) == (bought["liab:alice"], bought["liab:bob"])

    def test_the_parts_of_an_account_are_one_claim(self) -> None:
        weights = {stake("alice", fee_bps=0): 1, Stake("alice", 4, Scheme.PPLNS, 100): 1}
        assert reward_of(credit(found(), 2000, weights), NONE).claims_sat["liab:alice"] == 1990

    def test_the_start_up_policy_is_the_one_of_the_moment_it_was_found(self) -> None:
        block = found(end=UNIT, window_x="2", startup="reserve")
        assert credit(block, 1000, {stake("alice"): UNIT}).reserve_sat == 500

    def test_a_block_before_the_first_share_is_the_pools(self) -> None:
        assert reward_of(credit(found(end=0), 1000, {}), NONE).claims_sat["equity:pplns_startup"] == 1000

    @given(
        st.integers(0, 21 * 10**14),
        st.dictionaries(
            st.builds(
                Stake,
                st.sampled_from("abc"),
                st.integers(0, 2),
                st.sampled_from([Scheme.PPLNS, Scheme.PPS]),
                st.integers(0, 10_000),
            ),
            st.integers(1, 8 * UNIT),
        ),
        st.sampled_from(["distribute", "reserve"]),
    )
    def test_the_claims_are_what_the_coinbase_pays(
        self, reward_sat: int, weights: dict[Stake, int], startup: str
    ) -> None:
        block = credit(found(startup=startup), reward_sat, weights)
        assert sum(reward_of(block, NONE).claims_sat.values()) == reward_sat

    def test_a_block_that_was_not_credited_has_no_reward(self) -> None:
        with pytest.raises(LedgerError, match="has not been credited"):
            reward_of(found(), NONE)
