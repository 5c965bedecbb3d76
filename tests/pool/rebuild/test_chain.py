"""pool.rebuild.chain: the ledger's blocks beside the chain."""

from __future__ import annotations

import pytest

from payout.maturity import Life, State
from payout.ports import BookedBlock, FoundBlock
from pool.rebuild.chain import compare_with_chain
from pool.rebuild.comparison import Check
from tests.payout.scene import POOL_SCRIPT, REWARD_SAT, FakeChain, block_hash


def compare(state: State, chain: FakeChain, reward_sat: int | None = REWARD_SAT) -> Check:
    found = FoundBlock(block_hash("B"), 100, 0, "a", "", "f", 1, "accepted", 1, "8", "distribute")
    block = BookedBlock(found, Life(block_hash("B"), 100, state), reward_sat)
    return compare_with_chain([block], chain, frozenset({POOL_SCRIPT}))


def chain(tip: int, *, ours: bool) -> FakeChain:
    made = FakeChain()
    made.tip = tip
    if ours:
        made.ours[100] = block_hash("B")
    return made


@pytest.mark.parametrize(
    ("state", "tip", "ours"),
    [
        (State.CANDIDATE, 99, False),
        (State.CANDIDATE, 100, True),
        (State.IMMATURE, 100, True),
        (State.IMMATURE, 104, False),
        (State.MATURE, 300, True),
        (State.ORPHANED, 110, False),
        (State.DEAD, 110, False),
    ],
)
def test_a_state_that_the_chain_does_not_contradict_is_right(state: State, tip: int, ours: bool) -> None:
    reward_sat = None if state in (State.CANDIDATE, State.DEAD) else REWARD_SAT
    assert compare(state, chain(tip, ours=ours), reward_sat).different == 0


@pytest.mark.parametrize(
    ("state", "ours", "said"),
    [
        (State.IMMATURE, False, "not in the chain"),
        (State.MATURE, False, "not in the chain"),
        (State.ORPHANED, True, "in the chain"),
        (State.DEAD, True, "in the chain"),
    ],
)
def test_a_state_that_the_chain_contradicts_is_named(state: State, ours: bool, said: str) -> None:
    (text,) = compare(state, chain(200, ours=ours)).differences
    assert f"{state}, {REWARD_SAT} sat live, {said}, {REWARD_SAT} sat rebuilt" in text


def test_a_reward_that_is_not_the_coinbase_s_is_named() -> None:
    (text,) = compare(State.MATURE, chain(300, ours=True), REWARD_SAT + 1).differences
    assert text.endswith(f"mature, {REWARD_SAT + 1} sat live, mature, {REWARD_SAT} sat rebuilt")


def test_a_block_that_pays_an_address_of_before_is_told() -> None:
    other = chain(300, ours=True)
    other.script = b"another"
    check = compare(State.MATURE, other)
    assert (check.different, check.note[:19]) == (0, "1 do not pay the pa")
