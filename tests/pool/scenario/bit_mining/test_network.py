"""The chain of the time."""

from __future__ import annotations

from itertools import pairwise

from pool.scenario.bit_mining.case import BEGINS_MS, EPOCHS, SUBSIDY_SAT
from pool.scenario.bit_mining.network import POOL_SCRIPT, Network


def test_an_epoch_is_worked_on_from_its_time_on() -> None:
    network = Network(1)
    for epoch in EPOCHS:
        assert network.next_height(epoch.from_ms) == epoch.height
        assert network.next_height(epoch.from_ms - 1) == epoch.height - 1


def test_blocks_come_in_order() -> None:
    network = Network(1)
    times = [network.block_ms(height) for height in range(EPOCHS[0].height - 1, EPOCHS[-1].height)]
    assert all(one <= other for one, other in pairwise(times))


def test_the_difficulty_is_that_of_the_blocks_epoch() -> None:
    network = Network(1)
    second = EPOCHS[1]
    assert network.epoch(second.height - 1) is EPOCHS[0]
    assert network.epoch(second.height) is second


def test_a_block_of_the_pool_takes_the_place_of_the_one_that_would_have_come() -> None:
    network = Network(1)
    height = network.next_height(BEGINS_MS)
    found_ms = BEGINS_MS + 1
    assert network.block_ms(height) > found_ms
    network.find(height, b"\x01" * 32, found_ms)
    network.now_ms = found_ms
    assert (network.tip_height(), network.hash_at(height)) == (height, b"\x01" * 32)
    assert network.next_height(found_ms) == height + 1


def test_its_coinbase_pays_the_pool_the_subsidy_of_2021_and_the_fees() -> None:
    network = Network(1)
    height = network.next_height(BEGINS_MS)
    network.find(height, b"\x01" * 32, BEGINS_MS + 1)
    assert network.coinbase_outputs(b"\x01" * 32) == ((SUBSIDY_SAT + network.fees_sat(height), POOL_SCRIPT),)


def test_nobody_knows_a_block_that_has_not_come_nor_the_coinbase_of_a_strangers() -> None:
    network = Network(1)
    tip = network.tip_height()
    stranger = network.hash_at(tip)
    assert stranger is not None
    assert stranger[-8:] == bytes(8)
    assert network.hash_at(tip + 1) is None
    assert network.coinbase_outputs(stranger) is None


def test_chance_is_the_seeds() -> None:
    height = EPOCHS[0].height + 7
    assert Network(1).block_ms(height) == Network(1).block_ms(height)
    assert Network(1).block_ms(height) != Network(2).block_ms(height)
