"""Shares as chance has them."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from msgspec.structs import replace

from pool.ports import Record
from pool.scenario.bit_mining.case import BEGINS_MS, DARK_MS, DAY_MS, GANZI, LOTS, OTHERS, OWNER, case_of
from pool.scenario.bit_mining.mining import Mine
from pool.scenario.bit_mining.network import Network
from pool.scenario.bit_mining.travel import Stay, workers
from pool.work.job import Job
from pool.work.share import Outcome, Share

CASE = replace(case_of(3, 200), late_percent=0, broken_permille=0)
ENDS_MS = BEGINS_MS + 12 * DAY_MS


class Slices:
    def slice_of(self, worker: str, time_ms: int) -> int | None:
        return 1 if time_ms < DARK_MS else 2


def mined(upto_ms: int = ENDS_MS) -> tuple[list[Record], Network]:
    network = Network(CASE.seed)
    lot = LOTS[1]
    where = [Stay(name, lot, GANZI, BEGINS_MS, DARK_MS) for name in workers(lot, CASE.scale)]
    where += [Stay(name, lot, lot.goes, DARK_MS + DAY_MS, CASE.ends_ms) for name in workers(lot, CASE.scale)]
    mine = Mine(CASE, where, network, Slices())
    return [
        record for end_ms in range(BEGINS_MS + DAY_MS, upto_ms + 1, DAY_MS) for record in mine.until(end_ms)
    ], network


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return mined()[0]


@pytest.fixture(scope="module")
def shares(records: list[Record]) -> list[Share]:
    return [record for record in records if isinstance(record, Share)]


def hashes(shares: list[Share]) -> float:
    return sum(each.difficulty for each in shares) * 4_295_032_833


def test_machines_find_as_many_shares_as_they_hash_give_or_take_chance(shares: list[Share]) -> None:
    own = [each for each in shares if each.account == OWNER and each.time_ms < DARK_MS]
    expected = LOTS[1].nominal_ghs * 1e9 * (DARK_MS - BEGINS_MS) / 1000
    assert abs(hashes(own) / expected - 1) < 5 / math.sqrt(len(own))


def test_so_do_the_others(shares: list[Share]) -> None:
    others = [each for each in shares if each.account != OWNER]
    expected = OTHERS.machines * OTHERS.ghs * 1e9 * (ENDS_MS - BEGINS_MS) / 1000
    assert abs(hashes(others) / expected - 1) < 5 / math.sqrt(len(others))
    assert len({each.account for each in others}) == OTHERS.accounts


def test_a_machine_that_is_nowhere_finds_nothing(shares: list[Share]) -> None:
    assert not [each for each in shares if each.account == OWNER and DARK_MS <= each.time_ms < DARK_MS + DAY_MS]


def test_a_share_has_the_slice_of_the_moment(shares: list[Share]) -> None:
    for each in shares:
        assert each.slice_id == (None if each.account != OWNER else 1 if each.time_ms < DARK_MS else 2)


def test_records_come_in_the_order_of_their_times_each_share_behind_its_job(records: list[Record]) -> None:
    assert all(one.time_ms <= other.time_ms for one, other in pairwise(records) if isinstance(other, Share))
    job: Job | None = None
    for record in records:
        if isinstance(record, Job):
            job = record
        else:
            assert job is not None
            assert (record.job_id, record.height, record.nbits) == (job.job_id, job.height, job.nbits)
            assert record.outcome is Outcome.ACCEPTED


def test_as_many_come_near_a_block_as_chance_says(shares: list[Share]) -> None:
    network_difficulty = 19_932_791_027_262
    for band in (5, 7):
        expected = sum(min(1.0, each.difficulty * 2**band / network_difficulty) for each in shares)
        near = sum(each.near is not None and each.near <= band for each in shares)
        assert abs(near - expected) < 6 * math.sqrt(expected)


def test_a_share_that_is_a_block_is_the_block_of_its_height() -> None:
    records, network = mined(BEGINS_MS + 40 * DAY_MS)
    blocks = [each for each in records if isinstance(each, Share) and each.block_hash is not None]
    network.now_ms = CASE.ends_ms
    assert len(blocks) > 5
    assert all(block.near == 0 and network.hash_at(block.height) == block.block_hash for block in blocks)
    assert len({block.height for block in blocks}) == len(blocks)


def test_the_same_seed_gives_the_same_records(records: list[Record]) -> None:
    assert mined()[0] == records
