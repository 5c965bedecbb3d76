"""A stratum role's end: it always comes back, and it loses no candidate."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from pool.feed.client import RECONNECT_SECONDS_MAX, RESEND_SECONDS, FeedClient
from pool.feed.frames import FRAME_BYTES_MAX, SILENCE_SECONDS_MAX
from pool.work.candidate import CandidateTaken
from pool.work.job import Job
from tests.pool.feed.links import FakeEndpoint, candidate, frame, job
from tests.pool.node.captured import captured_events, names


class Connecting:
    """A client that opens a connection in memory."""

    def __init__(self) -> None:
        self.reactor = Clock()
        self.endpoint = FakeEndpoint()
        self.jobs: list[Job] = []
        self.links: list[bool] = []
        self.client = FeedClient("unix:/feed", self.endpoint, self.reactor, self.jobs.append, self.links.append)
        self.client.start()

    def reconnect(self) -> None:
        self.reactor.advance(RECONNECT_SECONDS_MAX * 2)


@pytest.fixture
def connecting() -> Connecting:
    return Connecting()


class TestJobs:
    def test_each_job_is_handed_in(self, connecting: Connecting) -> None:
        link = connecting.endpoint.succeed()
        link.receive(frame(job("1")) + frame(job("2", clean=False)))
        assert connecting.jobs == [job("1"), job("2", clean=False)]

    def test_one_in_pieces_too(self, connecting: Connecting) -> None:
        link = connecting.endpoint.succeed()
        for byte in frame(job()):
            link.receive(bytes([byte]))
        assert connecting.jobs == [job()]


class TestLink:
    def test_it_is_told_when_the_link_comes_and_goes(self, connecting: Connecting) -> None:
        connecting.endpoint.succeed().lose()
        assert connecting.links == [True, False]

    def test_a_lost_link_is_opened_again(self, connecting: Connecting) -> None:
        connecting.endpoint.succeed().lose()
        connecting.reconnect()
        assert len(connecting.endpoint.connecting) == 1

    def test_a_refused_one_too_for_ever_with_a_ceiling(self, connecting: Connecting) -> None:
        for _ in range(50):
            connecting.endpoint.fail(ConnectionRefusedError(111, "Connection refused"))
            connecting.reconnect()
        connecting.endpoint.succeed()
        assert connecting.links == [True]

    def test_it_is_logged_when_it_comes_and_goes(self, connecting: Connecting) -> None:
        with captured_events() as events:
            connecting.endpoint.succeed().lose()
        assert names(events) == ["feed_up", "feed_down"]

    def test_a_work_role_that_is_not_there_at_the_start_is_logged_once(self) -> None:
        with captured_events() as events:
            connecting = Connecting()
            for _ in range(5):
                connecting.endpoint.fail(ConnectionRefusedError(111, "Connection refused"))
                connecting.reconnect()
        assert names(events) == ["feed_down"]

    def test_a_link_that_is_silent_for_too_long_is_ended(self, connecting: Connecting) -> None:
        link = connecting.endpoint.succeed()
        connecting.reactor.advance(SILENCE_SECONDS_MAX)
        assert link.transport.disconnected

    def test_a_sign_of_life_keeps_it(self, connecting: Connecting) -> None:
        link = connecting.endpoint.succeed()
        for _ in range(10):
            connecting.reactor.advance(SILENCE_SECONDS_MAX - 1)
            link.receive(frame(b""))
        assert (link.transport.disconnected, connecting.jobs) == (False, [])

    @pytest.mark.parametrize("data", [frame(b"hello"), frame(candidate()), (FRAME_BYTES_MAX + 1).to_bytes(4, "big")])
    def test_what_is_no_message_ends_it_and_is_said(self, connecting: Connecting, data: bytes) -> None:
        link = connecting.endpoint.succeed()
        with captured_events() as events:
            link.receive(data)
        assert (link.transport.disconnected, names(events)) == (True, ["feed_frame_refused"])

    def test_nothing_counts_that_comes_behind_it(self, connecting: Connecting) -> None:
        link = connecting.endpoint.succeed()
        with captured_events() as events:
            link.receive(frame(b"hello") + frame(job()) + frame(b"hello"))
            link.receive(frame(b"hello"))
        assert (connecting.jobs, names(events)) == ([], ["feed_frame_refused"])

    def test_after_the_end_nothing_is_opened(self, connecting: Connecting) -> None:
        link = connecting.endpoint.succeed()
        Deferred.fromCoroutine(connecting.client.stop())
        link.lose()
        connecting.reconnect()
        assert (connecting.endpoint.connecting, connecting.reactor.getDelayedCalls()) == ([], [])

    def test_an_end_before_the_first_link_is_no_failure(self, connecting: Connecting) -> None:
        with captured_events() as events:
            Deferred.fromCoroutine(connecting.client.stop())
        assert names(events) == []


class TestCandidates:
    def test_one_is_sent_at_once(self, connecting: Connecting) -> None:
        link = connecting.endpoint.succeed()
        connecting.client.send(candidate())
        assert link.sent() == frame(candidate())

    def test_one_found_while_the_link_is_down_is_sent_when_it_is_up(self, connecting: Connecting) -> None:
        connecting.client.send(candidate())
        assert connecting.endpoint.succeed().sent() == frame(candidate())

    def test_one_that_was_not_acknowledged_is_sent_on_the_next_link(self, connecting: Connecting) -> None:
        link = connecting.endpoint.succeed()
        connecting.client.send(candidate())
        link.lose()
        connecting.reconnect()
        assert connecting.endpoint.succeed().sent() == frame(candidate())

    def test_one_that_was_is_not(self, connecting: Connecting) -> None:
        link = connecting.endpoint.succeed()
        connecting.client.send(candidate())
        link.receive(frame(CandidateTaken(candidate().block_hash)))
        link.lose()
        connecting.reconnect()
        assert (connecting.endpoint.succeed().sent(), connecting.client.pending) == (b"", 0)

    def test_one_that_the_work_role_could_not_write_is_offered_again(self, connecting: Connecting) -> None:
        link = connecting.endpoint.succeed()
        connecting.client.send(candidate())
        link.sent()
        connecting.reactor.advance(RESEND_SECONDS)
        assert link.sent() == frame(candidate())

    def test_several_are_kept_in_order(self, connecting: Connecting) -> None:
        for number in (2, 1, 3):
            connecting.client.send(candidate(number))
        sent = connecting.endpoint.succeed().sent()
        assert sent == frame(candidate(2)) + frame(candidate(1)) + frame(candidate(3))

    def test_an_acknowledgement_of_something_else_changes_nothing(self, connecting: Connecting) -> None:
        link = connecting.endpoint.succeed()
        connecting.client.send(candidate())
        link.receive(frame(CandidateTaken(bytes(32))))
        assert connecting.client.pending == 1
