"""Ends of a feed link in memory, and the messages that go over it."""

from __future__ import annotations

from typing import Any

from twisted.internet import testing
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.python import failure

from pool.feed.frames import encode
from pool.work.candidate import Candidate, CandidateTaken
from pool.work.job import Job

# Twisted does not type these constructors.
StringTransport: Any = testing.StringTransport
Failure: Any = failure.Failure

ADDRESS: Any = UNIXAddress("/feed")


def job(job_id: str = "1a", clean: bool = True) -> Job:
    return Job(
        job_id=job_id,
        time_ms=1,
        height=2,
        version=0x20000000,
        prev_hash=bytes(32),
        coinb1=b"\x01",
        coinb2=b"\x02",
        branch=(b"\x03" * 32,),
        nbits=0x207FFFFF,
        ntime=3,
        ntime_min=2,
        ntime_max=7203,
        subsidy_sat=50_0000_0000,
        fees_sat=4,
        clean=clean,
    )


def candidate(number: int = 1) -> Candidate:
    return Candidate(
        job_id="1a",
        block_hash=bytes([number]) * 32,
        header=bytes(80),
        coinbase=b"\x05",
        login="alice.rig",
        time_ms=6,
    )


def frame(message: Job | Candidate | CandidateTaken | bytes) -> bytes:
    """A message as it goes over the wire."""
    content = message if isinstance(message, bytes) else encode(message)
    return len(content).to_bytes(4, "big") + content


class FakeEndpoint:
    """Server and client endpoint: keeps what would listen or connect, and connects when the test says so."""

    def __init__(self) -> None:
        self.factory: Any = None
        self.connecting: list[Deferred[Any]] = []
        self.closed = False

    def listen(self, factory: Any) -> Deferred[Any]:
        self.factory = factory
        return succeed(self)

    def stopListening(self) -> Deferred[None]:  # noqa: N802
        self.closed = True
        return succeed(None)

    def connect(self, factory: Any) -> Deferred[Any]:
        self.factory = factory
        self.connecting.append(Deferred())
        return self.connecting[-1]

    def accept(self) -> Link:
        """Another stratum role connects."""
        return Link(self.factory.buildProtocol(ADDRESS))

    def succeed(self) -> Link:
        """The connection that is being opened is there."""
        protocol = self.factory.buildProtocol(ADDRESS)
        link = Link(protocol)
        self.connecting.pop(0).callback(protocol)
        return link

    def fail(self, error: Exception) -> None:
        """It is refused."""
        self.connecting.pop(0).errback(Failure(error))


class Link:
    """A protocol on a transport in memory."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self.transport = StringTransport(peerAddress=ADDRESS)
        protocol.makeConnection(self.transport)

    def receive(self, data: bytes) -> None:
        self._protocol.dataReceived(data)

    def sent(self) -> bytes:
        """What it wrote since the last time."""
        data = bytes(self.transport.value())
        self.transport.clear()
        return data

    def lose(self) -> None:
        self._protocol.connectionLost(Failure(ConnectionDone()))
