"""New tips: by poll, by long poll, by whichever is first; and a node that goes away and comes back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from native import sha256d
from pool.node.tip import RETRY_SECONDS_MAX, TipWatch
from pool.work.template import Template
from tests.pool.node.captured import captured_events, names
from tests.pool.node.fake_node import FakeNode
from tests.pool.work.templates import empty_template

POLL_SECONDS = 0.5


class Watched:
    """A watch that runs on a fake node and a fake clock."""

    def __init__(self) -> None:
        self.node = FakeNode()
        self.reactor = Clock()
        self.taken: list[Template] = []
        self.watch = TipWatch(self.node, self.reactor, POLL_SECONDS, self.taken.append)
        self.loops: list[Deferred[None]] = []

    def start(self) -> None:
        self.loops = [Deferred.fromCoroutine(self.watch.poll()), Deferred.fromCoroutine(self.watch.long_poll())]

    def pass_polls(self, count: int = 1) -> None:
        self.reactor.pump([POLL_SECONDS] * count)

    def stop(self) -> None:
        for loop in self.loops:
            loop.addErrback(lambda failure: None)
            loop.cancel()


@pytest.fixture
def watched() -> Iterator[Watched]:
    watched = Watched()
    yield watched
    watched.stop()


class TestPoll:
    def test_the_first_template_comes_at_once(self, watched: Watched) -> None:
        watched.start()
        assert watched.taken == [watched.node.template]

    def test_a_new_tip_brings_its_template_within_one_poll(self, watched: Watched) -> None:
        watched.start()
        watched.node.extend()
        watched.pass_polls()
        assert [template.height for template in watched.taken] == [1, 2]

    def test_the_same_tip_brings_nothing(self, watched: Watched) -> None:
        watched.start()
        watched.pass_polls(5)
        assert len(watched.taken) == 1

    def test_the_same_tip_asks_for_no_template(self, watched: Watched) -> None:
        watched.start()
        watched.pass_polls(5)
        assert watched.node.templates_asked == 1


class TestLongPoll:
    def test_it_brings_a_template_before_the_next_poll(self, watched: Watched) -> None:
        watched.start()
        watched.pass_polls()
        watched.node.extend()
        watched.node.answer_long_poll()
        assert [template.height for template in watched.taken] == [1, 2]

    def test_it_waits_with_the_newest_template(self, watched: Watched) -> None:
        watched.start()
        watched.pass_polls()
        watched.node.extend()
        watched.node.answer_long_poll()
        assert len(watched.node.waiting) == 1

    def test_what_the_poll_brought_first_is_not_brought_again(self, watched: Watched) -> None:
        watched.start()
        watched.pass_polls()
        watched.node.extend()
        watched.pass_polls()
        watched.node.answer_long_poll()
        assert [template.height for template in watched.taken] == [1, 2]

    def test_a_node_that_answers_without_news_is_not_asked_without_end(self, watched: Watched) -> None:
        watched.start()
        watched.pass_polls()
        watched.node.answer_long_poll()
        assert watched.node.waiting == []
        watched.pass_polls()
        assert len(watched.node.waiting) == 1


class TestFetch:
    def test_an_answer_that_was_overtaken_does_not_bring_an_old_tip_back(self, watched: Watched) -> None:
        watched.node.is_slow = True
        older = Deferred.fromCoroutine(watched.watch.fetch())
        newer = Deferred.fromCoroutine(watched.watch.fetch())
        tips = [empty_template(height, sha256d(bytes([height]))) for height in (1, 2)]
        watched.node.waiting[1].callback(tips[1])
        watched.node.waiting[0].callback(tips[0])
        assert [newer.result, older.result] == [tips[1], tips[1]]

    def test_it_is_not_offered_again(self, watched: Watched) -> None:
        watched.start()
        watched.node.extend()
        Deferred.fromCoroutine(watched.watch.fetch())
        watched.pass_polls()
        assert len(watched.taken) == 1


class TestNodeAway:
    def test_the_problem_is_said(self, watched: Watched) -> None:
        watched.node.problem = "it is starting: wait a moment"
        watched.start()
        assert watched.watch.problem == "it is starting: wait a moment"

    def test_it_is_logged_once_when_it_begins_and_once_when_it_ends(self, watched: Watched) -> None:
        with captured_events() as events:
            watched.start()
            watched.node.problem = "nothing listens there"
            watched.pass_polls(20)
            watched.node.problem = None
            watched.pass_polls(20)
        assert names(events) == ["node_ready", "node_unavailable", "node_ready"]

    def test_another_problem_is_logged_too(self, watched: Watched) -> None:
        with captured_events() as events:
            for watched.node.problem in ("nothing listens there", "it is starting"):
                if not watched.loops:
                    watched.start()
                watched.pass_polls(20)
        assert [event["message"] for event in events] == ["nothing listens there", "it is starting"]

    def test_when_it_comes_back_the_new_tip_comes_within_the_longest_wait(self, watched: Watched) -> None:
        watched.start()
        watched.node.problem = "nothing listens there"
        watched.pass_polls(100)
        watched.node.problem = None
        watched.node.extend()
        watched.reactor.advance(RETRY_SECONDS_MAX)
        assert [template.height for template in watched.taken] == [1, 2]

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
        assert (watched.watch.problem, watched.taken) == ("it is still syncing", [])
