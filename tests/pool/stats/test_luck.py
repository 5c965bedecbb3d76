"""Blocks found against blocks expected; pool/stats/luck.py."""

import pytest

from pool.stats.luck import expected_blocks, luck, network_work, seconds_to_block

GENESIS_NBITS = 0x1D00FFFF


def test_the_work_of_a_block_at_difficulty_1() -> None:
    assert network_work(GENESIS_NBITS) == 0x100010001  # Bitcoin Core: chainwork of the genesis block


def test_as_much_work_as_a_block_takes_is_one_expected_block() -> None:
    assert expected_blocks(3 * 0x100010001, GENESIS_NBITS) == pytest.approx(3.0)


def test_more_blocks_than_expected_is_luck_above_one() -> None:
    assert luck(3, 2.0) == 1.5


def test_luck_is_unknown_before_the_first_share() -> None:
    assert luck(0, 0.0) is None


def test_the_time_to_a_block_is_its_work_over_the_hashrate() -> None:
    assert seconds_to_block(1e6, GENESIS_NBITS) == pytest.approx(4295.03, abs=0.01)


def test_without_hashrate_there_is_no_time_to_a_block() -> None:
    assert seconds_to_block(0.0, GENESIS_NBITS) is None
