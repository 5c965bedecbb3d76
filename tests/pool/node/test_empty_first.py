"""An empty job goes out first only on nodes that were measured to be slow."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from pool.bitcoin.network import REGTEST, SIGNET, Network
from pool.node.empty_first import EmptyFirst, EmptySettings
from pool.work.template import Template
from tests.pool.node.fake_clock import FakeClock
from tests.pool.node.fake_node import FakeNode
from tests.pool.work.templates import empty_template

TIP = bytes(range(32))
MARGIN_SECONDS = 0.5


class Measuring:
    """Two nodes that take as long as the test says."""

    def __init__(self, margin_seconds: float = MARGIN_SECONDS, network: Network = REGTEST) -> None:
        self.reactor = Clock()
        self.nodes = [FakeNode(), FakeNode()]
        self.first = EmptyFirst(self.nodes, EmptySettings(network, margin_seconds), FakeClock(self.reactor))

    def take(self, *seconds: float, index: int = 0) -> None:
        """The node takes so long for each of some templates."""
        for each in seconds:
            self.first.asked(index, TIP)
            self.reactor.advance(each)
            self.first.came(index, empty_template(5, TIP))


class TestMeasure:
    def test_a_node_that_was_not_measured_is_not_taken_for_slow(self) -> None:
        assert not Measuring().first.is_worth_it(0)

    def test_one_beyond_the_margin_is(self) -> None:
        measuring = Measuring()
        measuring.take(0.6)
        assert (measuring.first.is_worth_it(0), measuring.first.is_worth_it(1)) == (True, False)

    def test_one_within_is_not(self) -> None:
        measuring = Measuring()
        measuring.take(0.4)
        assert not measuring.first.is_worth_it(0)

    def test_one_slow_answer_among_quick_ones_decides_nothing(self) -> None:
        measuring = Measuring()
        measuring.take(0.1, 0.1, 1.0)
        assert not measuring.first.is_worth_it(0)

    def test_the_figure_follows_a_node_that_has_become_quick(self) -> None:
        measuring = Measuring()
        measuring.take(2.0, *[0.1] * 8)
        assert not measuring.first.is_worth_it(0)

    def test_a_margin_of_zero_is_never(self) -> None:
        measuring = Measuring(margin_seconds=0)
        measuring.take(30.0)
        assert not measuring.first.is_worth_it(0)

    def test_only_the_tip_that_was_asked_for_counts(self) -> None:
        measuring = Measuring()
        measuring.first.asked(0, TIP)
        measuring.reactor.advance(9)
        measuring.first.came(0, empty_template(5, bytes(32)))
        assert measuring.first.seconds(0) is None

    def test_a_later_template_of_the_same_tip_does_not(self) -> None:
        measuring = Measuring()
        measuring.take(0.1)
        measuring.reactor.advance(30)
        measuring.first.came(0, empty_template(5, TIP))
        assert measuring.first.seconds(0) == 0.1


class TestTemplate:
    def ask(self, measuring: Measuring) -> Template | None:
        results: list[Any] = []
        last = measuring.nodes[0].template
        measuring.nodes[0].extend()
        tip = measuring.nodes[0].template.prev_hash
        Deferred.fromCoroutine(measuring.first.template(0, tip, last, last.time + 1)).addCallback(results.append)
        [result] = results
        return result if result is None or isinstance(result, Template) else None

    def test_it_is_of_the_new_tip(self) -> None:
        measuring = Measuring()
        made = self.ask(measuring)
        assert made is not None
        assert (made.prev_hash, made.height) == (measuring.nodes[0].template.prev_hash, 2)

    def test_there_is_none_where_it_is_not_certain(self) -> None:
        assert self.ask(Measuring(network=SIGNET)) is None

    def test_there_is_none_when_the_node_does_not_say_what_its_tip_is(self) -> None:
        measuring = Measuring()
        measuring.nodes[0].problem = "it is too busy"
        assert self.ask(measuring) is None
