"""The work role's end of the job feed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from pool import events, failpoints
from pool.feed.frames import BEAT, BEAT_SECONDS, FrameProtocol, decode_to_work, encode
from pool.work.candidate import Candidate, CandidateTaken
from pool.work.job import Job

OnCandidate = Callable[[Candidate], Coroutine[Any, Any, bool]]


class FeedServer:
    """Sends each job to every stratum role, and takes their candidates.

    A stratum role that comes later gets the last clean job first, then the current one. reactor: an IReactorTime.
    """

    def __init__(self, reactor: Any) -> None:
        self._links: set[_ServerLink] = set()
        self._reactor = reactor
        # With the time at which each was published.
        self._clean: tuple[Job, float] | None = None
        self._current: tuple[Job, float] | None = None
        self._beat = LoopingCall(self._send_all, BEAT)
        self._beat.clock = reactor
        self._port: Any = None

    @property
    def links(self) -> int:
        """Stratum roles that are connected."""
        return len(self._links)

    def publish(self, job: Job) -> None:
        """Send a job to all, and to whoever comes before the next one."""
        self._current = job, self._reactor.seconds()
        if job.clean:
            self._clean = self._current
        self._send_all(encode(job))

    async def listen(self, endpoint: Any, on_candidate: OnCandidate) -> None:
        """Open the door at an IStreamServerEndpoint. Raises twisted.internet.error.CannotListenError.

        on_candidate: tells when the candidate is on disk for good, or that another call will; raises OSError if it is
        not.
        """
        self._port = await endpoint.listen(_ServerFactory(self, on_candidate))
        self._beat.start(BEAT_SECONDS, now=False)

    async def stop(self) -> None:
        """Close the door and every link."""
        if self._port is not None:
            self._beat.stop()
            await self._port.stopListening()
            self._port = None
        for link in tuple(self._links):
            link.close()

    def joined(self, link: _ServerLink) -> None:
        """A stratum role has connected."""
        self._links.add(link)
        if self._clean is not None and self._clean is not self._current:
            link.send(self._aged(*self._clean))
        if self._current is not None:
            link.send(self._aged(*self._current))

    def left(self, link: _ServerLink) -> None:
        """A stratum role has gone."""
        self._links.discard(link)

    def _aged(self, job: Job, published_at: float) -> bytes:
        """The job as of now: its template has become older."""
        age_ms = job.template_age_ms + round((self._reactor.seconds() - published_at) * 1000)
        return encode(msgspec.structs.replace(job, template_age_ms=age_ms))

    def _send_all(self, frame: bytes) -> None:
        for link in tuple(self._links):
            link.send(frame)


class _ServerLink(FrameProtocol):
    """One stratum role."""

    def __init__(self, server: FeedServer, peer: str, on_candidate: OnCandidate) -> None:
        self._server = server
        self._peer = peer
        self._on_candidate = on_candidate

    def connectionMade(self) -> None:  # noqa: N802
        super().connectionMade()
        self._server.joined(self)

    def connectionLost(self, reason: Failure | None = None) -> None:  # noqa: N802
        self._server.left(self)

    def stringReceived(self, frame: bytes) -> None:  # noqa: N802
        try:
            candidate = decode_to_work(frame)
        except msgspec.DecodeError as error:
            self.refuse(str(error))
            return
        Deferred.fromCoroutine(self._take(candidate)).addErrback(_log_bug)

    async def _take(self, candidate: Candidate) -> None:
        try:
            is_kept = await self._on_candidate(candidate)
        except OSError as error:
            # Without our answer the stratum role keeps it and sends it again.
            events.candidate_not_written(candidate.block_hash[::-1].hex(), str(error))
        else:
            if is_kept:
                failpoints.hit("candidate-taken")
                self.send(encode(CandidateTaken(candidate.block_hash)))

    def refuse(self, problem: str) -> None:
        events.feed_frame_refused(self._peer, problem)
        super().refuse(problem)

    def close(self) -> None:
        self.transport.loseConnection()


class _ServerFactory(Factory):
    noisy = False

    def __init__(self, server: FeedServer, on_candidate: OnCandidate) -> None:
        self._server = server
        self._on_candidate = on_candidate

    def buildProtocol(self, addr: IAddress | None) -> _ServerLink:  # noqa: N802
        return _ServerLink(self._server, str(addr), self._on_candidate)


def _log_bug(failure: Failure) -> None:
    events.bug("job feed", failure.value or Exception(failure.getErrorMessage()))
