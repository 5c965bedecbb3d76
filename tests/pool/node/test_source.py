"""Templates of several nodes: by poll, long poll and announcement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from native import sha256d
from pool.node.announcements import SILENT_SECONDS
from pool.node.source import TemplateSource
from pool.ports import NodeUnavailable
from pool.work.template import Template
from tests.pool.node.captured import captured_events, names
from tests.pool.node.fake_clock import FakeClock
from tests.pool.node.fake_node import FakeNode
from tests.pool.node.watched import POLL_SECONDS, Watched, watching, watching_two
from tests.pool.work.templates import empty_template


@pytest.fixture
def watched() -> Iterator[Watched]:
    yield from watching()


@pytest.fixture
def two() -> Iterator[Watched]:
    yield from watching_two()


class TestPoll:
    def test_the_first_template_comes_at_once(self, watched: Watched) -> None:
        watched.start()
        assert watched.taken == [watched.node.template]

    def test_a_new_tip_brings_its_template_within_one_poll(self, watched: Watched) -> None:
        watched.start()
        watched.node.extend()
        watched.pass_polls()
        assert watched.heights == [1, 2]

    def test_the_same_tip_brings_nothing(self, watched: Watched) -> None:
        watched.start()
        watched.pass_polls(5)
        assert len(watched.taken) == 1

    def test_the_same_tip_asks_for_no_template(self, watched: Watched) -> None:
        watched.start()
        watched.pass_polls(5)
        assert watched.node.templates_asked == 1

    def test_a_tip_that_the_node_takes_back_is_left(self, watched: Watched) -> None:
        watched.start()
        watched.node.extend(by=5)
        watched.pass_polls()
        watched.node.extend(by=-1)
        watched.pass_polls()
        assert watched.heights == [1, 6, 5]

    def test_so_is_one_that_it_takes_back_before_it_was_asked_about_it(self, watched: Watched) -> None:
        watched.start()
        watched.pass_polls()
        watched.node.extend()
        watched.node.answer_long_poll()
        watched.node.extend(by=-1)
        watched.pass_polls()
        assert watched.heights == [1, 2, 1]

    def test_a_tip_known_by_a_template_only_is_not_left_for_a_lower_one(self, two: Watched) -> None:
        two.pass_polls()
        two.nodes[0].is_hung = True  # it names no tip any more
        two.nodes[0].extend()
        two.nodes[0].answer_long_poll()
        two.nodes[0].problem = "nothing listens there"
        two.pass_seconds(60)
        assert (two.chosen, two.heights) == (None, [1, 2])

    def test_an_answer_that_a_template_overtook_does_not_bring_an_old_tip_back(self, two: Watched) -> None:
        two.pass_polls()
        older = _result(Deferred.fromCoroutine(two.nodes[0].tip()))
        two.nodes[0].is_hung = True
        two.pass_polls()
        two.nodes[0].extend()
        two.nodes[0].answer_long_poll()
        two.nodes[0].asking.pop(0).callback(older)
        two.pass_polls()
        assert (two.chosen, two.heights) == ("a:1", [1, 2])


class TestLongPoll:
    def test_it_brings_a_template_before_the_next_poll(self, watched: Watched) -> None:
        watched.start()
        watched.pass_polls()
        watched.node.extend()
        watched.node.answer_long_poll()
        assert watched.heights == [1, 2]

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
        assert watched.heights == [1, 2]

    def test_a_node_that_answers_without_news_is_not_asked_without_end(self, watched: Watched) -> None:
        watched.start()
        watched.pass_polls()
        watched.node.answer_long_poll()
        assert watched.node.waiting == []
        watched.pass_polls()
        assert len(watched.node.waiting) == 1

    def test_only_the_chosen_node_is_long_polled(self, two: Watched) -> None:
        two.pass_polls(10)
        assert [len(node.waiting) for node in two.nodes] == [1, 0]

    def test_what_it_brings_after_its_node_was_set_aside_is_not_taken(self, two: Watched) -> None:
        two.pass_polls()
        two.nodes[1].extend()
        two.pass_polls()
        two.nodes[0].answer_long_poll()
        assert two.heights == [1, 2]


class TestAnnouncements:
    @pytest.fixture
    def announced(self) -> Iterator[Watched]:
        for watched in watching(FakeNode(announces=True)):
            watched.start()
            yield watched

    def test_an_announcement_brings_the_new_tips_template_at_once(self, announced: Watched) -> None:
        announced.node.extend()
        announced.node.announce()
        announced.reactor.advance(0)
        assert announced.heights == [1, 2]

    def test_one_that_comes_while_the_node_is_asked_has_it_asked_again(self, announced: Watched) -> None:
        announced.node.is_hung = True
        announced.pass_polls()
        announced.node.is_hung = False
        former = _result(Deferred.fromCoroutine(announced.node.tip()))
        announced.node.extend()
        announced.node.announce()
        announced.node.asking.pop().callback(former)
        announced.reactor.advance(0)
        assert announced.heights == [1, 2]

    def test_of_a_tip_that_is_known_nothing_is_asked(self, announced: Watched) -> None:
        before = announced.node.tips_asked
        announced.node.announce()
        assert announced.node.tips_asked == before

    def test_a_node_that_announces_nothing_is_told_once_when_it_has_a_new_tip(self, announced: Watched) -> None:
        with captured_events() as events:
            announced.node.extend()
            announced.pass_seconds(3 * SILENT_SECONDS)
        assert names(events) == ["node_announces_nothing"]
        assert announced.source.status()[0].is_silent

    def test_the_next_announcement_ends_it(self, announced: Watched) -> None:
        announced.node.extend()
        announced.pass_seconds(SILENT_SECONDS + 1)
        with captured_events() as events:
            announced.node.extend()
            announced.node.announce()
            announced.pass_seconds(SILENT_SECONDS + 1)
        assert names(events) == ["node_announces"]
        assert not announced.source.status()[0].is_silent

    def test_without_blocks_nobody_wonders_about_silence(self, announced: Watched) -> None:
        announced.pass_seconds(3 * SILENT_SECONDS)
        assert not announced.source.status()[0].is_silent

    def test_a_node_that_is_not_configured_to_announce_is_not_silent(self, watched: Watched) -> None:
        watched.start()
        watched.node.extend()
        watched.pass_seconds(3 * SILENT_SECONDS)
        assert watched.source.status()[0].is_silent is None


class TestFetch:
    def test_an_answer_that_was_overtaken_does_not_bring_an_old_tip_back(self, watched: Watched) -> None:
        watched.start()
        watched.node.is_slow = True
        older = Deferred.fromCoroutine(watched.source.fetch())
        newer = Deferred.fromCoroutine(watched.source.fetch())
        tips = [empty_template(height, sha256d(bytes([height]))) for height in (2, 3)]
        watched.node.template = tips[1]
        watched.node.waiting[-1].callback(tips[1])
        watched.node.waiting[-2].callback(tips[0])
        assert [newer.result, older.result] == [tips[1], tips[1]]

    def test_it_is_not_offered_again(self, watched: Watched) -> None:
        watched.start()
        watched.node.extend()
        Deferred.fromCoroutine(watched.source.fetch())
        watched.pass_polls()
        assert len(watched.taken) == 1

    def test_it_comes_of_the_chosen_node(self, two: Watched) -> None:
        two.nodes[0].problem = "nothing listens there"
        two.pass_polls()
        assert Deferred.fromCoroutine(two.source.fetch()).result == two.nodes[1].template

    def test_one_below_the_highest_tip_is_refused(self, two: Watched) -> None:
        two.nodes[0].is_slow = True
        late = Deferred.fromCoroutine(two.source.fetch())
        two.nodes[1].extend()
        two.pass_polls()
        two.nodes[0].waiting[-1].callback(two.nodes[0].template)
        with pytest.raises(NodeUnavailable, match="a:1 lost its place"):
            _result(late)


def _result(deferred: Deferred[Any]) -> Any:
    failures: list[Any] = []
    deferred.addErrback(failures.append)
    for failure in failures:
        failure.raiseException()
    return deferred.result


class TestBugs:
    def test_what_a_bug_raises_while_nobody_waits_ends_a_loop(self) -> None:
        reactor, errors = Clock(), list[BaseException | None]()

        def broken(template: Template) -> None:
            raise ZeroDivisionError

        source = TemplateSource([FakeNode()], reactor, FakeClock(reactor), POLL_SECONDS, broken)
        loops = [Deferred.fromCoroutine(loop) for loop in source.loops()]
        for loop in loops:
            loop.addErrback(lambda failure: errors.append(failure.value))
        assert [type(error) for error in errors] == [ZeroDivisionError]
        for loop in loops:
            loop.cancel()
