"""The work role of a benchmark: it feeds jobs to a stratum role, and has no node.

    python -m tests.load.feed_process ADDRESS REFRESH_SECONDS

The first job is there from the start; then there is another of the same tip each REFRESH_SECONDS, unless that is 0. For
each line on standard input a new block has come: its job goes out, after `CLOCK_MONOTONIC` in nanoseconds on standard
output. Ends when standard input does.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.stdio import StandardIO
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from pool.feed.addresses import server_endpoint
from pool.feed.server import FeedServer
from pool.work.candidate import Candidate
from tests.load.job import mainnet_job


class Blocks(Protocol):
    """Publishes the jobs; each line from the benchmark is a block."""

    def __init__(self, feed: FeedServer, reactor: Any) -> None:
        self._feed = feed
        self._reactor = reactor
        self._number = self._tip = 1
        feed.publish(mainnet_job())

    def refresh(self) -> None:
        """A new job of the same tip."""
        self._number += 1
        self._feed.publish(mainnet_job(self._number, self._tip, clean=False))

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        for _ in range(data.count(b"\n")):
            self._number += 1
            self._tip += 1
            job = mainnet_job(self._number, self._tip)
            print(time.monotonic_ns(), flush=True)
            self._feed.publish(job)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        self._reactor.stop()


async def take(candidate: Candidate) -> bool:
    """No hash of a benchmark meets a mainnet target."""
    raise AssertionError("a block")


def main() -> None:
    from twisted.internet import reactor as installed

    reactor: Any = installed
    address, refresh_seconds = sys.argv[1], float(sys.argv[2])
    feed = FeedServer(reactor)
    blocks = Blocks(feed, reactor)
    if refresh_seconds:
        LoopingCall(blocks.refresh).start(refresh_seconds, now=False)
    Deferred.fromCoroutine(feed.listen(server_endpoint(reactor, address), take)).addErrback(_stop, reactor)
    StandardIO(blocks)
    reactor.run()


def _stop(failure: Failure, reactor: Any) -> None:
    print(failure.getErrorMessage(), file=sys.stderr)
    reactor.stop()


if __name__ == "__main__":
    main()
