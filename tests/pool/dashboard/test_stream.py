"""Server-sent events: HTML Living Standard, 9.2."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from pool.dashboard.answers import Answer, Refusal, encoded
from pool.dashboard.stream import INTERVAL_SECONDS, QUIET_SECONDS, READERS_MAX, Stream


class Connection:
    """Satisfies Outgoing."""

    def __init__(self) -> None:
        self.sent = b""
        self.producer: Any = None
        self.gone: Deferred[None] = Deferred()

    def write(self, data: bytes) -> None:
        self.sent += data

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: N802
        assert streaming
        self.producer = producer

    def notifyFinish(self) -> Deferred[None]:  # noqa: N802
        return self.gone

    @property
    def events(self) -> int:
        return self.sent.count(b"event: overview\n")


class Pool:
    """A stream over a number that changes when a test says so."""

    def __init__(self) -> None:
        self.number = 1
        self.reads = 0
        self.clock = Clock()
        self.stream = Stream(self.overview, self.clock.seconds, self.clock)

    async def overview(self) -> Answer:
        self.reads += 1
        return encoded({"number": self.number})

    def open(self, last_id: str | None = None) -> Connection:
        connection = Connection()
        self.stream.open(connection, last_id)
        return connection

    def wait(self, seconds: float) -> None:
        self.clock.pump([INTERVAL_SECONDS] * round(seconds / INTERVAL_SECONDS))


def test_whoever_comes_gets_the_whole_state_at_once() -> None:
    sent = Pool().open().sent
    assert b"event: overview\nid: " in sent
    assert b'\ndata: {"number":1}\n\n' in sent


def test_what_did_not_change_is_not_sent_again() -> None:
    pool = Pool()
    page = pool.open()
    pool.wait(8)
    assert page.events == 1
    pool.number = 2
    pool.wait(2)
    assert page.events == 2


def test_who_comes_back_with_the_newest_id_gets_nothing_until_the_next_change() -> None:
    pool = Pool()
    event_id = pool.open().sent.split(b"id: ")[1].split(b"\n")[0].decode()
    back = pool.open(event_id)
    assert back.events == 0
    pool.number = 2
    pool.wait(2)
    assert back.events == 1


def test_a_slow_reader_misses_events_and_gets_the_newest_when_it_goes_on() -> None:
    pool = Pool()
    page = pool.open()
    page.producer.pauseProducing()
    for number in range(2, 60):
        pool.number = number
        pool.wait(2)
    assert page.events == 1
    page.producer.resumeProducing()
    pool.wait(2)
    assert page.events == 2
    assert page.sent.endswith(b'{"number":59}\n\n')


def test_a_silent_stream_sends_comments_so_that_no_proxy_closes_it() -> None:
    pool = Pool()
    page = pool.open()
    pool.wait(QUIET_SECONDS + 2)
    assert page.sent.endswith(b"\n\n:\n\n")


def test_when_the_last_page_is_closed_nothing_is_read_any_more() -> None:
    pool = Pool()
    page = pool.open()
    page.gone.callback(None)
    reads = pool.reads
    pool.wait(20)
    assert pool.reads == reads


def test_one_page_too_many_is_refused_and_told_when_to_come_again() -> None:
    pool = Pool()
    for _ in range(READERS_MAX):
        pool.stream.admit()
        pool.open()
    with pytest.raises(Refusal) as refused:
        pool.stream.admit()
    assert refused.value.status == 503
    assert ("Retry-After", "30") in refused.value.headers
