"""payout.strays: blocks that pay the pool and that nobody of ours has found."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from payout.strays import BLOCKS_AT_ONCE, GRACE_MS, StrayScan
from payout.watch_ports import Stray
from tests.payout.scene import POOL_SCRIPT, REWARD_SAT, FakeChain, Scene, block_hash, share


class PayingChain(FakeChain):
    """A chain on which the blocks of a name pay the pool."""

    def coinbase_outputs(self, block_hash: bytes) -> tuple[tuple[int, bytes], ...] | None:
        self._answer()
        ours = block_hash in self.ours.values()
        return ((REWARD_SAT, POOL_SCRIPT if ours else b"somebody's"),)


class Scanned:
    """A scan that has begun at height 99."""

    def __init__(self, engine: Engine) -> None:
        self.chain = PayingChain()
        self.scene = Scene(engine, chain=self.chain)
        self.now_ms = 0
        self.restart()
        assert self.find() == []

    def restart(self) -> None:
        self.scan = StrayScan(self.scene.ledger, self.chain, frozenset({POOL_SCRIPT}))

    def find(self, later_ms: int = 0, *, is_behind: bool = False) -> list[tuple[str, int]]:
        self.now_ms += later_ms
        found = list(self.scan.scan(self.now_ms, is_behind=is_behind))
        return [(stray.block_hash.rstrip(b"\0").decode(), stray.height) for stray in found]

    def open(self) -> list[Stray]:
        with self.scene.ledger.read() as books:
            return list(books.strays.open())


@pytest.fixture
def scanned(sqlite: Engine) -> Scanned:
    return Scanned(sqlite)


def test_a_block_that_pays_us_without_a_share_is_found_after_its_share_had_time_to_come(scanned: Scanned) -> None:
    scanned.scene.reach(100, X=100)
    assert scanned.find() == []
    assert scanned.find(GRACE_MS - 1) == []
    assert scanned.find(1) == [("X", 100)]
    assert [stray.paid_sat for stray in scanned.open()] == [REWARD_SAT]
    assert scanned.find(GRACE_MS) == []


def test_a_block_whose_share_comes_meanwhile_is_nothing_strange(scanned: Scanned) -> None:
    scanned.scene.reach(100, B=100)
    scanned.find()
    scanned.scene.take(share("alice", block="B", height=100))
    assert scanned.find(GRACE_MS) == []


def test_a_share_that_comes_after_all_ends_the_alarm(scanned: Scanned) -> None:
    scanned.scene.reach(100, B=100)
    scanned.find()
    assert scanned.find(GRACE_MS) == [("B", 100)]
    scanned.scene.take(share("alice", block="B", height=100))
    assert scanned.open() == []


def test_while_the_books_are_behind_nothing_is_strange(scanned: Scanned) -> None:
    scanned.scene.reach(100, X=100)
    scanned.find()
    assert scanned.find(GRACE_MS, is_behind=True) == []
    assert scanned.find(GRACE_MS - 1) == []
    assert scanned.find(1) == [("X", 100)]


def test_what_was_seen_shortly_before_a_restart_is_found_after_it(scanned: Scanned) -> None:
    scanned.scene.reach(103, X=100)
    scanned.find()
    scanned.restart()
    assert scanned.find() == []
    assert scanned.find(GRACE_MS) == [("X", 100)]


def test_what_was_before_the_pool_is_not_looked_at(sqlite: Engine) -> None:
    chain = PayingChain()
    chain.ours[98] = block_hash("X")
    scene = Scene(sqlite, chain=chain)
    scan = StrayScan(scene.ledger, chain, frozenset({POOL_SCRIPT}))
    for time_ms in (0, GRACE_MS):
        assert list(scan.scan(time_ms, is_behind=False)) == []


def test_a_block_of_another_branch_is_looked_at_too(scanned: Scanned) -> None:
    scanned.scene.reach(105)
    scanned.find()
    scanned.scene.reach(106, X=101)
    scanned.find()
    assert scanned.find(GRACE_MS) == [("X", 101)]


def test_one_that_left_the_chain_meanwhile_is_none(scanned: Scanned) -> None:
    scanned.scene.reach(100, X=100)
    scanned.find()
    scanned.scene.reach(101, X=0)
    assert scanned.find(GRACE_MS) == []


def test_one_that_leaves_the_chain_for_good_ends_the_alarm(scanned: Scanned) -> None:
    scanned.scene.reach(100, X=100)
    scanned.find()
    scanned.find(GRACE_MS)
    scanned.scene.reach(104, X=0)
    scanned.find()
    assert len(scanned.open()) == 1
    scanned.scene.reach(105)
    scanned.find()
    assert scanned.open() == []


def test_a_long_time_away_is_made_up_for_a_piece_at_a_time(scanned: Scanned) -> None:
    scanned.scene.reach(99 + 2 * BLOCKS_AT_ONCE + 1, X=99 + 2 * BLOCKS_AT_ONCE)
    scanned.find()
    assert scanned.find(GRACE_MS) == []
    scanned.find()
    assert scanned.find(GRACE_MS) == [("X", 99 + 2 * BLOCKS_AT_ONCE)]


def test_a_tip_that_was_looked_at_costs_two_questions(scanned: Scanned) -> None:
    scanned.find()
    asked = scanned.chain.asked
    scanned.find()
    assert scanned.chain.asked == asked + 2
