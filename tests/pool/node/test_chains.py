"""The chain by the first of several nodes that can be asked."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from pool.node.chains import REST_SECONDS_MAX, SeveralChains
from pool.ports import BlockHeader, NodeUnavailable
from tests.pool.node.fake_clock import FakeClock


class FakeChain:
    """A node's view of its chain, from memory. asked: how often it was asked whether it is synced."""

    def __init__(self, mark: int, height: int = 9) -> None:
        self.mark = bytes([mark]) * 32
        self.height = height
        self.synced = True
        self.problem: str | None = None
        self.asked = 0

    def is_synced(self) -> bool:
        self.asked += 1
        self._check()
        return self.synced

    def tip_height(self) -> int:
        self._check()
        return self.height

    def hash_at(self, height: int) -> bytes | None:
        self._check()
        return self.mark if height <= self.height else None

    def coinbase_outputs(self, block_hash: bytes) -> tuple[tuple[int, bytes], ...] | None:
        self._check()
        return ((1, self.mark),)

    def header(self, block_hash: bytes) -> BlockHeader | None:
        self._check()
        return BlockHeader(block_hash, self.mark, self.height, 7, 6)

    def fees_sat(self, block_hash: bytes) -> int | None:
        self._check()
        return self.mark[0]

    def _check(self) -> None:
        if self.problem is not None:
            raise NodeUnavailable(self.problem)


class Both:
    """Two nodes."""

    def __init__(self) -> None:
        self.reactor = Clock()
        self.a, self.b = FakeChain(1), FakeChain(2)
        self.chains = SeveralChains([self.a, self.b], FakeClock(self.reactor))

    def pass_of(self) -> bytes | None:
        """Who answers a pass of questions, by its mark."""
        assert self.chains.is_synced()
        return self.chains.hash_at(self.chains.tip_height())


def test_the_preferred_node_answers() -> None:
    both = Both()
    assert both.pass_of() == both.a.mark


def test_if_it_is_away_the_next_one_does() -> None:
    both = Both()
    both.a.problem = "away"
    assert both.pass_of() == both.b.mark


def test_so_it_does_if_the_first_is_behind() -> None:
    both = Both()
    both.a.height = 8
    assert both.pass_of() == both.b.mark


def test_or_syncs() -> None:
    both = Both()
    both.a.synced = False
    assert both.pass_of() == both.b.mark


def test_within_a_pass_nobody_else_answers() -> None:
    both = Both()
    assert both.chains.is_synced()
    both.a.problem = "away"
    with pytest.raises(NodeUnavailable, match="away"):
        both.chains.coinbase_outputs(both.a.mark)


def test_a_node_that_is_away_is_asked_ever_more_seldom() -> None:
    both = Both()
    both.a.problem = "away"
    for _ in range(240):
        both.pass_of()
        both.reactor.advance(0.5)
    assert both.a.asked < 12


def test_it_answers_again_when_it_is_back() -> None:
    both = Both()
    both.a.problem = "away"
    for _ in range(240):
        both.pass_of()
        both.reactor.advance(0.5)
    both.a.problem = None
    both.reactor.advance(REST_SECONDS_MAX)
    assert both.pass_of() == both.a.mark


def test_if_all_are_away_the_first_ones_problem_is_told_also_while_nobody_is_asked() -> None:
    both = Both()
    both.a.problem, both.b.problem = "away", "away too"
    for _ in range(3):
        with pytest.raises(NodeUnavailable, match=r"^away$"):
            both.chains.is_synced()
    assert (both.a.asked, both.b.asked) == (1, 1)
    both.b.problem = None
    both.reactor.advance(REST_SECONDS_MAX)
    assert both.pass_of() == both.b.mark


def test_if_those_that_answer_sync_nothing_is_decided() -> None:
    both = Both()
    both.a.problem, both.b.synced = "away", False
    assert not both.chains.is_synced()
