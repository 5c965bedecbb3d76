"""Nodes that go away, hang and come back, and the templates meanwhile; pool/node/source.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet.defer import Deferred

from pool.node.choice import RETURN_SECONDS, SLOW_SECONDS
from pool.node.source import NO_NODE_SECONDS
from pool.node.watch import PROBE_SECONDS, RETRY_SECONDS_MAX
from tests.pool.node.captured import captured_events, names
from tests.pool.node.watched import POLL_SECONDS, Watched, watching, watching_two


@pytest.fixture
def watched() -> Iterator[Watched]:
    yield from watching()


@pytest.fixture
def two() -> Iterator[Watched]:
    yield from watching_two()


class TestNodeAway:
    def test_the_problem_is_said(self, watched: Watched) -> None:
        watched.node.problem = "it is starting: wait a moment"
        watched.start()
        assert watched.source.problem == "it is starting: wait a moment"

    def test_with_several_each_is_named(self, two: Watched) -> None:
        two.nodes[0].problem, two.nodes[1].problem = "nothing listens there", "it is starting"
        two.pass_polls()
        assert two.source.problem == "a:1: nothing listens there; b:1: it is starting"

    def test_it_is_logged_once_when_it_begins_and_once_when_it_ends(self, watched: Watched) -> None:
        with captured_events() as events:
            watched.start()
            watched.node.problem = "nothing listens there"
            watched.pass_seconds(NO_NODE_SECONDS - 1)
            watched.node.problem = None
            watched.pass_polls(20)
        assert names(events) == ["node_ready", "node_unavailable", "node_ready"]

    def test_another_problem_is_logged_too(self, watched: Watched) -> None:
        with captured_events() as events:
            for watched.node.problem in ("nothing listens there", "it is starting"):
                if not watched.loops:
                    watched.start()
                watched.pass_polls(6)
        assert [event["message"] for event in events if event["event"] == "node_unavailable"] == [
            "nothing listens there",
            "it is starting",
        ]

    def test_when_it_comes_back_the_new_tip_comes_within_the_longest_wait(self, watched: Watched) -> None:
        watched.start()
        watched.node.problem = "nothing listens there"
        watched.pass_polls(100)
        watched.node.problem = None
        watched.node.extend()
        watched.reactor.advance(RETRY_SECONDS_MAX)
        assert watched.heights == [1, 2]

    def test_a_long_poll_that_breaks_off_is_taken_up_again(self, watched: Watched) -> None:
        watched.start()
        watched.pass_polls()
        watched.node.problem = "nothing listens there"
        watched.node.answer_long_poll()
        watched.pass_polls(20)
        watched.node.problem = None
        watched.pass_polls(20)
        assert len(watched.node.waiting) == 1

    def test_a_node_that_knows_its_tip_but_gives_no_template_is_not_ready(self, watched: Watched) -> None:
        watched.node.template_problem = "it is still syncing"
        watched.start()
        assert (watched.source.problem, watched.taken) == ("it is still syncing", [])

    def test_it_is_asked_again_and_comes_back_by_itself(self, watched: Watched) -> None:
        watched.node.template_problem = "it is still syncing"
        watched.start()
        watched.pass_polls(3)
        watched.node.template_problem = None
        watched.pass_seconds(PROBE_SECONDS + POLL_SECONDS)
        assert (watched.source.problem, watched.heights) == (None, [1])

    def test_the_next_node_gives_a_template_at_once(self, two: Watched) -> None:
        two.nodes[0].problem = "nothing listens there"
        two.pass_polls()
        assert (two.chosen, two.taken[-1]) == ("b:1", two.nodes[1].template)

    def test_so_it_does_when_the_first_gives_no_template_of_a_new_tip(self, two: Watched) -> None:
        two.nodes[0].template_problem = "it has no peers"
        for node in two.nodes:
            node.extend()
        two.pass_polls(2)
        assert (two.chosen, two.taken[-1]) == ("b:1", two.nodes[1].template)

    def test_an_event_names_who_gives_the_work(self, two: Watched) -> None:
        with captured_events() as events:
            two.nodes[0].problem = "nothing listens there"
            two.pass_polls()
        assert [(event["event"], event["node"]) for event in events] == [
            ("node_unavailable", "a:1"),
            ("node_chosen", "b:1"),
        ]

    def test_the_first_is_taken_back_when_it_was_well_for_a_while(self, two: Watched) -> None:
        two.nodes[0].problem = "nothing listens there"
        two.pass_polls()
        two.nodes[0].problem = None
        two.pass_seconds(RETRY_SECONDS_MAX + RETURN_SECONDS + 1)
        assert two.chosen == "a:1"

    def test_then_miners_stay_on_their_work_until_the_next_template_is_due(self, two: Watched) -> None:
        two.nodes[0].problem = "nothing listens there"
        two.pass_polls()
        two.nodes[0].problem = None
        two.pass_seconds(RETRY_SECONDS_MAX + RETURN_SECONDS + 1)
        assert len(two.taken) == 2

    def test_it_is_replaced_each_time(self, two: Watched) -> None:
        for taken in (2, 3):
            two.nodes[0].problem = "nothing listens there"
            two.pass_polls()
            assert len(two.taken) == taken
            two.nodes[0].problem = None
            two.pass_seconds(RETRY_SECONDS_MAX + RETURN_SECONDS + 1)
            Deferred.fromCoroutine(two.source.fetch())


class TestHang:
    def test_a_node_that_hangs_is_replaced_within_two_seconds(self, two: Watched) -> None:
        two.nodes[0].is_hung = True
        two.pass_seconds(2)
        assert (two.states(), two.chosen, two.taken[-1]) == (["slow", "good"], "b:1", two.nodes[1].template)

    def test_it_is_not_as_long_as_it_may_still_answer_in_time(self, two: Watched) -> None:
        two.nodes[0].is_hung = True
        two.pass_seconds(SLOW_SECONDS)
        assert two.chosen == "a:1"

    def test_one_that_hangs_alone_stays_chosen(self, watched: Watched) -> None:
        watched.start()
        watched.node.is_hung = True
        watched.pass_seconds(2)
        assert (watched.states(), watched.source.problem) == (["slow"], None)

    def test_one_that_makes_no_template_of_a_new_tip_is_replaced_within_three_seconds(self, two: Watched) -> None:
        two.nodes[0].is_slow = True
        for node in two.nodes:
            node.extend()
        two.pass_seconds(3.5)
        assert (two.states()[0], two.taken[-1]) == ("slow", two.nodes[1].template)

    def test_it_is_asked_for_a_template_until_it_gives_one_quickly(self, two: Watched) -> None:
        two.nodes[0].is_slow = True
        for node in two.nodes:
            node.extend()
        two.pass_seconds(3.5)
        two.nodes[0].is_slow = False
        two.nodes[0].waiting[-1].callback(two.nodes[0].template)
        two.pass_seconds(PROBE_SECONDS + RETURN_SECONDS + 1)
        assert two.chosen == "a:1"


class TestNoNodeLeft:
    def test_a_person_is_called_once(self, two: Watched) -> None:
        with captured_events() as events:
            for node in two.nodes:
                node.problem = "nothing listens there"
            two.pass_seconds(3 * NO_NODE_SECONDS)
        assert names(events).count("no_node_left") == 1

    def test_not_when_one_is_back_in_time(self, two: Watched) -> None:
        with captured_events() as events:
            for node in two.nodes:
                node.problem = "nothing listens there"
            two.pass_seconds(2)
            two.nodes[1].problem = None
            two.pass_seconds(3 * NO_NODE_SECONDS)
        assert "no_node_left" not in names(events)

    def test_also_when_there_was_none_from_the_start(self, watched: Watched) -> None:
        watched.node.problem = "nothing listens there"
        with captured_events() as events:
            watched.start()
            watched.pass_seconds(3 * NO_NODE_SECONDS)
        assert names(events) == ["node_unavailable", "no_node_left"]

    def test_a_node_that_is_behind_gives_none(self, two: Watched) -> None:
        two.nodes[0].extend()
        two.pass_polls()
        two.nodes[0].problem = "nothing listens there"
        two.pass_seconds(60)
        assert (two.chosen, two.heights) == (None, [1, 2])
        assert "no node has the highest tip any more, at height 1" in str(two.source.problem)
        two.nodes[1].extend()
        two.pass_polls()
        assert two.chosen == "b:1"
