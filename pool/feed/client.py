"""A stratum role's end of the job feed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from pool import events, failpoints
from pool.feed.frames import BEAT, SILENCE_SECONDS_MAX, FrameProtocol, decode_from_work, encode
from pool.work.candidate import Candidate
from pool.work.job import Job

# A work role that comes back finds us within this time.
RECONNECT_SECONDS_FIRST = 0.25
RECONNECT_SECONDS_MAX = 2.0

# A candidate that the work role could not write to its disk is offered again after so long.
RESEND_SECONDS = 5.0


class FeedClient:
    """Connects to the work role, for ever; hands in jobs, and implements `pool.ports.CandidateSink`.

    endpoint: an IStreamClientEndpoint; address: the same for people. reactor: an IReactorTime. on_job: called with each
    job; after a reconnect with ones it may know. on_link: called with True and False as the link comes and goes.
    Candidates are kept until the work role has them on disk, and sent again on each new link.
    """

    def __init__(
        self,
        address: str,
        endpoint: Any,
        reactor: Any,
        on_job: Callable[[Job], None],
        on_link: Callable[[bool], None],
    ) -> None:
        self._address = address
        self._reactor = reactor
        self._on_job = on_job
        self._on_link = on_link
        self._open: dict[bytes, Candidate] = {}
        self._link: _ClientLink | None = None
        self._resend: Any = None
        policy = backoffPolicy(RECONNECT_SECONDS_FIRST, RECONNECT_SECONDS_MAX)
        factory: Any = _ClientFactory(self, reactor)
        self._service = ClientService(endpoint, factory, policy, reactor)

    @property
    def pending(self) -> int:
        """Candidates that the work role has not taken yet."""
        return len(self._open)

    def start(self) -> None:
        """Connect, now and whenever the link is lost."""
        self._service.startService()
        # The service tries on by itself and says nothing of what failed.
        self._service.whenConnected(failAfterFailures=1).addErrback(self._not_there)

    async def stop(self) -> None:
        """Close the link and do not come back."""
        if self._resend is not None and self._resend.active():
            self._resend.cancel()
        await self._service.stopService()

    def send(self, candidate: Candidate) -> None:
        """Hand a candidate to the work role, at once if it is there."""
        self._open[candidate.block_hash] = candidate
        if self._link is not None:
            self._link.send(encode(candidate))
            failpoints.hit("candidate-sent")
            self._send_again_later()

    def joined(self, link: _ClientLink) -> None:
        """The work role is there."""
        self._link = link
        events.feed_up(self._address)
        self._on_link(True)
        self._send_open()

    def left(self, problem: str) -> None:
        """The work role is gone."""
        self._link = None
        events.feed_down(self._address, problem)
        self._on_link(False)

    def received(self, frame: bytes) -> None:
        """A message of the work role. Raises msgspec.DecodeError."""
        message = decode_from_work(frame)
        if isinstance(message, Job):
            self._on_job(message)
        else:
            self._open.pop(message.block_hash, None)

    def _not_there(self, failure: Failure) -> None:
        if not isinstance(failure.value, CancelledError):
            events.feed_down(self._address, failure.getErrorMessage())

    def _send_open(self) -> None:
        if self._link is None or not self._open:
            return
        for candidate in self._open.values():
            self._link.send(encode(candidate))
        self._send_again_later()

    def _send_again_later(self) -> None:
        if self._resend is None or not self._resend.active():
            self._resend = self._reactor.callLater(RESEND_SECONDS, self._send_open)


class _ClientLink(FrameProtocol):
    """The link to the work role."""

    def __init__(self, client: FeedClient, peer: str, reactor: Any) -> None:
        self._client = client
        self._peer = peer
        self._problem: str | None = None
        self._reactor = reactor
        self._silence: Any = None

    def connectionMade(self) -> None:  # noqa: N802
        super().connectionMade()
        self._silence = self._reactor.callLater(SILENCE_SECONDS_MAX, self._give_up)
        self._client.joined(self)

    def connectionLost(self, reason: Failure | None = None) -> None:  # noqa: N802
        if self._silence.active():
            self._silence.cancel()
        self._client.left(self._problem or (reason.getErrorMessage() if reason else "closed"))

    def stringReceived(self, frame: bytes) -> None:  # noqa: N802
        self._silence.reset(SILENCE_SECONDS_MAX)
        if frame == BEAT:
            return
        try:
            self._client.received(frame)
        except msgspec.DecodeError as error:
            self.refuse(str(error))

    def _give_up(self) -> None:
        self._problem = f"silent for {SILENCE_SECONDS_MAX:g} s"
        self.transport.abortConnection()

    def refuse(self, problem: str) -> None:
        self._problem = "it sends what we do not understand"
        events.feed_frame_refused(self._peer, problem)
        super().refuse(problem)


class _ClientFactory(Factory):
    noisy = False

    def __init__(self, client: FeedClient, reactor: Any) -> None:
        self._client = client
        self._reactor = reactor

    def buildProtocol(self, addr: IAddress | None) -> _ClientLink:  # noqa: N802
        return _ClientLink(self._client, str(addr), self._reactor)
