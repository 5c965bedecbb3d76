"""payout.maturity: the life of a block (docs/payouts.md 3.4)."""

from __future__ import annotations

import pytest

from payout.ledger import Book, LedgerError
from payout.maturity import Life, Reward, Sighting, State, enter, is_final, next_state

OURS, OTHER = b"\x01" * 32, b"\x02" * 32
REWARD = Reward(100, {"liab:alice": 90, "income:pool_fee": 8, "equity:pps_reserve": 2})


def life(state: State, flips: int = 0) -> Life:
    return Life(OURS, 1000, state, flips)


def seen(confirmations: int, block_hash: bytes | None = OURS) -> Sighting:
    return Sighting(1000 + confirmations - 1, block_hash)


class TestNextState:
    @pytest.mark.parametrize("state", [State.CANDIDATE, State.ORPHANED, State.DEAD])
    def test_one_confirmation_makes_it_immature(self, state: State) -> None:
        assert next_state(life(state), seen(1)) is State.IMMATURE

    @pytest.mark.parametrize(("confirmations", "state"), [(100, State.IMMATURE), (101, State.MATURE)])
    def test_it_is_mature_with_101_confirmations(self, confirmations: int, state: State) -> None:
        assert next_state(life(State.IMMATURE), seen(confirmations)) is state

    @pytest.mark.parametrize(("depth", "state"), [(5, State.IMMATURE), (6, State.ORPHANED)])
    def test_it_is_orphaned_when_another_is_six_deep(self, depth: int, state: State) -> None:
        assert next_state(life(State.IMMATURE), seen(depth, OTHER)) is state

    @pytest.mark.parametrize(("depth", "state"), [(5, State.CANDIDATE), (6, State.DEAD)])
    def test_a_candidate_is_dead_when_another_is_six_deep(self, depth: int, state: State) -> None:
        assert next_state(life(State.CANDIDATE), seen(depth, OTHER)) is state

    @pytest.mark.parametrize("state", State)
    def test_nothing_is_decided_while_the_chain_is_shorter(self, state: State) -> None:
        assert next_state(life(state), seen(0, None)) is state

    @pytest.mark.parametrize("state", [State.ORPHANED, State.DEAD, State.MATURE])
    def test_what_was_given_up_or_paid_stays_so_under_another_block(self, state: State) -> None:
        assert next_state(life(state), seen(200, OTHER)) is state

    @pytest.mark.parametrize(
        ("state", "depth", "final"),
        [
            (State.MATURE, 101, True),
            (State.ORPHANED, 100, False),
            (State.ORPHANED, 101, True),
            (State.DEAD, 101, True),
            (State.CANDIDATE, 500, False),
            (State.IMMATURE, 500, False),
        ],
    )
    def test_a_block_is_watched_until_it_cannot_come_back(self, state: State, depth: int, final: bool) -> None:
        assert is_final(life(state), 1000 + depth - 1) is final


def tell(*states: State, reward: Reward = REWARD) -> tuple[Book, list[str]]:
    """Lead a candidate through the states; the book and the keys without the hash."""
    book, block, keys = Book(), life(State.CANDIDATE), []
    for state in states:
        block, postings = enter(block, state, reward, time_ms=0)
        for each in postings:
            assert book.post(each)
            keys.append(each.key.removeprefix(f"block:{block.hash_hex}:"))
    return book, keys


class TestEnter:
    def test_an_immature_block_is_owed_but_not_available(self) -> None:
        assert tell(State.IMMATURE)[0].balances_sat() == {
            "asset:coinbase_immature": 100,
            "equity:pps_reserve:immature": -2,
            "income:pool_fee:immature": -8,
            "liab:alice:immature": -90,
        }

    def test_a_mature_block_is_available(self) -> None:
        assert tell(State.IMMATURE, State.MATURE)[0].balances_sat() == {
            "asset:wallet": 100,
            "equity:pps_reserve": -2,
            "income:pool_fee": -8,
            "liab:alice:available": -90,
        }

    def test_an_orphaned_block_leaves_nothing(self) -> None:
        assert tell(State.IMMATURE, State.ORPHANED)[0].balances_sat() == {}

    def test_a_block_that_comes_back_is_credited_again(self) -> None:
        again = tell(State.IMMATURE, State.ORPHANED, State.IMMATURE)[0].balances_sat()
        assert again == tell(State.IMMATURE)[0].balances_sat()

    def test_every_return_has_keys_of_its_own(self) -> None:
        states = (State.IMMATURE, State.ORPHANED) * 2 + (State.IMMATURE, State.MATURE)
        assert tell(*states)[1] == ["immature", "orphaned", "immature:1", "orphaned:1", "immature:2", "mature"]

    def test_a_dead_candidate_moves_no_money(self) -> None:
        assert tell(State.DEAD)[1] == []

    def test_a_dead_candidate_that_enters_the_chain_is_credited(self) -> None:
        assert tell(State.DEAD, State.IMMATURE)[1] == ["immature"]

    def test_a_block_that_pays_nothing_has_no_postings(self) -> None:
        assert tell(State.IMMATURE, State.MATURE, reward=Reward(0, {}))[1] == []

    def test_its_name_in_the_ledger_is_the_hash_as_people_read_it(self) -> None:
        found = Life(bytes(range(32)), 1)
        assert found.hash_hex.startswith("1f1e1d")

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (State.CANDIDATE, State.MATURE),
            (State.CANDIDATE, State.ORPHANED),
            (State.IMMATURE, State.DEAD),
            (State.ORPHANED, State.MATURE),
            (State.MATURE, State.ORPHANED),
            (State.MATURE, State.IMMATURE),
        ],
    )
    def test_a_step_that_life_does_not_have_is_refused(self, before: State, after: State) -> None:
        with pytest.raises(LedgerError, match=f"cannot go from {before.value} to {after.value}"):
            enter(life(before), after, REWARD, time_ms=0)

    def test_nobody_is_credited_without_a_reward(self) -> None:
        with pytest.raises(LedgerError, match="without its reward"):
            enter(life(State.CANDIDATE), State.IMMATURE, None, time_ms=0)


class TestReward:
    def test_its_claims_must_be_what_the_coinbase_pays(self) -> None:
        with pytest.raises(LedgerError, match="claims of 99 satoshi on a block that pays 100"):
            Reward(100, {"liab:alice": 99})

    def test_no_claim_is_negative(self) -> None:
        with pytest.raises(LedgerError, match="negative"):
            Reward(100, {"liab:alice": 101, "income:pool_fee": -1})
