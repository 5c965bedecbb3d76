"""The work role's end: every stratum role has the current job, and no candidate is taken that is not on disk."""

from __future__ import annotations

import pytest
from msgspec import structs
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from pool.feed.frames import BEAT_SECONDS, FRAME_BYTES_MAX
from pool.feed.server import FeedServer
from pool.work.candidate import Candidate, CandidateTaken
from tests.pool.feed.links import FakeEndpoint, candidate, frame, job
from tests.pool.node.captured import captured_events, names


class Serving:
    """A server that listens in memory."""

    def __init__(self) -> None:
        self.reactor = Clock()
        self.endpoint = FakeEndpoint()
        self.server = FeedServer(self.reactor)
        self.taken: list[Candidate] = []
        self.disk_error: OSError | None = None
        self.is_kept = True
        Deferred.fromCoroutine(self.server.listen(self.endpoint, self.take))

    async def take(self, candidate: Candidate) -> bool:
        if self.disk_error is not None:
            raise self.disk_error
        self.taken.append(candidate)
        return self.is_kept


@pytest.fixture
def serving() -> Serving:
    return Serving()


class TestJobs:
    def test_a_job_goes_to_every_stratum_role(self, serving: Serving) -> None:
        links = [serving.endpoint.accept(), serving.endpoint.accept()]
        serving.server.publish(job())
        assert [link.sent() for link in links] == [frame(job())] * 2

    def test_a_job_is_one_write(self, serving: Serving) -> None:
        writes: list[bytes] = []
        link = serving.endpoint.accept()
        link.transport.write = writes.append
        serving.server.publish(job())
        assert writes == [frame(job())]

    def test_who_comes_later_gets_the_current_job(self, serving: Serving) -> None:
        serving.server.publish(job())
        assert serving.endpoint.accept().sent() == frame(job())

    def test_it_is_told_how_old_its_template_is_by_then(self, serving: Serving) -> None:
        serving.server.publish(structs.replace(job(), template_age_ms=500))
        serving.reactor.advance(2)
        assert serving.endpoint.accept().sent() == frame(structs.replace(job(), template_age_ms=2_500))

    def test_before_it_the_clean_job_that_it_refreshes(self, serving: Serving) -> None:
        for published in (job("1"), job("2", clean=False), job("3", clean=False)):
            serving.server.publish(published)
        assert serving.endpoint.accept().sent() == frame(job("1")) + frame(job("3", clean=False))

    def test_before_the_first_job_there_is_nothing(self, serving: Serving) -> None:
        assert serving.endpoint.accept().sent() == b""

    def test_who_has_gone_gets_no_more(self, serving: Serving) -> None:
        link = serving.endpoint.accept()
        link.lose()
        serving.server.publish(job())
        assert (link.sent(), serving.server.links) == (b"", 0)

    def test_a_job_may_be_published_before_anyone_can_connect(self) -> None:
        server, endpoint = FeedServer(Clock()), FakeEndpoint()
        server.publish(job())
        Deferred.fromCoroutine(server.listen(endpoint, Serving().take))
        assert endpoint.accept().sent() == frame(job())


class TestCandidates:
    def test_a_candidate_on_disk_is_acknowledged_to_its_sender(self, serving: Serving) -> None:
        sender, other = serving.endpoint.accept(), serving.endpoint.accept()
        sender.receive(frame(candidate()))
        assert (sender.sent(), other.sent()) == (frame(CandidateTaken(candidate().block_hash)), b"")

    def test_it_is_handed_in_first(self, serving: Serving) -> None:
        serving.endpoint.accept().receive(frame(candidate()))
        assert serving.taken == [candidate()]

    def test_it_may_come_in_pieces(self, serving: Serving) -> None:
        link = serving.endpoint.accept()
        for byte in frame(candidate()):
            link.receive(bytes([byte]))
        assert serving.taken == [candidate()]

    def test_one_that_the_disk_does_not_take_is_not_acknowledged(self, serving: Serving) -> None:
        serving.disk_error = OSError(28, "No space left on device")
        link = serving.endpoint.accept()
        with captured_events() as events:
            link.receive(frame(candidate()))
        assert (link.sent(), names(events)) == (b"", ["candidate_not_written"])

    def test_one_that_is_still_being_written_is_not_acknowledged_yet(self, serving: Serving) -> None:
        serving.is_kept = False
        link = serving.endpoint.accept()
        link.receive(frame(candidate()))
        assert (link.sent(), serving.taken) == (b"", [candidate()])


class TestBadFrames:
    @pytest.mark.parametrize(
        "data", [frame(b"hello"), frame(job()), (FRAME_BYTES_MAX + 1).to_bytes(4, "big"), b"GET / HTTP/1.1\r\n\r\n"]
    )
    def test_they_end_the_link_and_are_said(self, serving: Serving, data: bytes) -> None:
        link = serving.endpoint.accept()
        with captured_events() as events:
            link.receive(data)
        assert (link.transport.disconnected, names(events)) == (True, ["feed_frame_refused"])

    def test_nothing_counts_that_comes_behind_them(self, serving: Serving) -> None:
        link = serving.endpoint.accept()
        with captured_events() as events:
            link.receive((FRAME_BYTES_MAX + 1).to_bytes(4, "big"))
            link.receive(frame(candidate()))
        assert (serving.taken, names(events)) == ([], ["feed_frame_refused"])


class TestLife:
    def test_an_empty_frame_each_ten_seconds_shows_that_we_live(self, serving: Serving) -> None:
        link = serving.endpoint.accept()
        serving.reactor.pump([BEAT_SECONDS, BEAT_SECONDS])
        assert link.sent() == frame(b"") * 2

    def test_it_stops_with_everything_closed(self, serving: Serving) -> None:
        link = serving.endpoint.accept()
        Deferred.fromCoroutine(serving.server.stop())
        assert (link.transport.disconnecting, serving.endpoint.closed, serving.reactor.getDelayedCalls()) == (
            True,
            True,
            [],
        )
