"""stratum.front: the first bytes of a connection, on a transport of strings."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.testing import StringTransport

from stratum.front import FrontFactory, miner_address
from stratum.limits import FIRST_BYTES_SECONDS, CloseReason
from stratum.protocol import StratumFactory, StratumProtocol
from stratum.sources import Sources
from tests.stratum.scene import PEER, SUBSCRIBE, Pool, logged

PROXY = "10.0.0.1"
HEADER = b"PROXY TCP4 203.0.113.99 192.0.2.1 40000 3333\r\n"
TLS_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


class Connection:
    """A connection as its transport sees it: bytes go to whoever is its protocol."""

    def __init__(self, front: FrontFactory, host: str) -> None:
        transport: Any = StringTransport
        self.transport: Any = transport(peerAddress=miner_address(host))
        self.transport.protocol = front.buildProtocol(miner_address(host))
        self.transport.protocol.makeConnection(self.transport)

    def send(self, data: bytes) -> None:
        self.transport.protocol.dataReceived(data)

    @property
    def answer(self) -> bytes:
        return bytes(self.transport.value())

    @property
    def reset(self) -> bool:
        return bool(self.transport.disconnected)


class Door:
    """A front before a pool, with one proxy listed."""

    def __init__(self, tls: Callable[[], ssl.SSLContext | None] = lambda: None, **settings: Any) -> None:
        self.pool = Pool(**settings)
        self.front = FrontFactory(
            StratumFactory(self.pool.server),
            self.pool.reactor,
            proxies=Sources([PROXY]),
            warden=self.pool.server.warden,
            tls=tls,
            turned_away=self.pool.server.turned_away,
        )

    def connect(self, host: str = PEER.host) -> Connection:
        return Connection(self.front, host)

    def closed(self, reason: str) -> int:
        return self.pool.server.counters.get(f"closed_{reason}", 0)


class TestPlain:
    def test_the_first_bytes_reach_the_session(self) -> None:
        miner = Door().connect()
        miner.send(SUBSCRIBE)
        assert b'"id":1' in miner.answer

    def test_from_then_on_the_transport_feeds_the_session_itself(self) -> None:
        miner = Door().connect()
        miner.send(SUBSCRIBE[:1])
        assert isinstance(miner.transport.protocol, StratumProtocol)

    def test_who_says_nothing_is_reset(self) -> None:
        door = Door()
        miner = door.connect()
        door.pool.reactor.advance(FIRST_BYTES_SECONDS)
        assert (miner.reset, door.closed("no_first_bytes")) == (True, 1)

    def test_who_speaks_is_not(self) -> None:
        door = Door()
        miner = door.connect()
        miner.send(SUBSCRIBE)
        door.pool.reactor.advance(FIRST_BYTES_SECONDS)
        assert not miner.reset
        assert door.pool.reactor.getDelayedCalls() == []

    def test_who_leaves_before_is_forgotten(self) -> None:
        door = Door()
        miner = door.connect()
        miner.transport.protocol.connectionLost()
        door.front.abort(CloseReason.SHUTDOWN)
        assert door.pool.reactor.getDelayedCalls() == []
        assert door.pool.server.counters.get("closed_shutdown") is None

    def test_at_the_end_who_waits_is_reset(self) -> None:
        door = Door()
        miner = door.connect()
        door.front.abort(CloseReason.SHUTDOWN)
        assert (miner.reset, door.closed("shutdown")) == (True, 1)


class TestTls:
    def test_without_a_certificate_a_hello_ends_its_connection_at_once_and_in_silence(self) -> None:
        door = Door()
        miner = door.connect()
        miner.send(TLS_HELLO)
        assert (miner.reset, miner.answer, door.closed("tls_not_offered")) == (True, b"", 1)

    def test_what_comes_after_it_is_not_read(self) -> None:
        door = Door()
        miner = door.connect()
        miner.send(TLS_HELLO)
        miner.send(SUBSCRIBE)
        assert (miner.answer, door.closed("tls_not_offered")) == (b"", 1)

    def test_the_same_host_comes_back_in_the_clear(self) -> None:
        door = Door()
        door.connect().send(TLS_HELLO)
        miner = door.connect()
        miner.send(SUBSCRIBE)
        assert b'"id":1' in miner.answer


class TestProxy:
    def test_the_address_in_the_header_is_the_miners(self) -> None:
        miner = Door().connect(PROXY)
        miner.send(HEADER + SUBSCRIBE)
        assert b'"id":1' in miner.answer
        assert miner.transport.protocol.remote_address == "203.0.113.99"

    @given(st.lists(st.integers(1, len(HEADER + SUBSCRIBE) - 1), max_size=5))
    def test_however_it_is_cut(self, cuts: list[int]) -> None:
        miner, data = Door().connect(PROXY), HEADER + SUBSCRIBE
        places = [0, *sorted(set(cuts)), len(data)]
        for start, end in pairwise(places):
            miner.send(data[start:end])
        assert b'"id":1' in miner.answer
        assert miner.transport.protocol.remote_address == "203.0.113.99"

    @pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", bytes.fromhex("0d0a0d0a000d0a515549540a20000000")])
    def test_without_an_address_in_it_the_proxy_itself_is_meant(self, header: bytes) -> None:
        miner = Door().connect(PROXY)
        miner.send(header + SUBSCRIBE)
        assert miner.transport.protocol.remote_address == PROXY

    def test_from_a_listed_source_it_must_come(self) -> None:
        door = Door()
        proxy = door.connect(PROXY)
        with logged() as events:
            proxy.send(SUBSCRIBE)
        assert (proxy.reset, proxy.answer, door.closed("bad_proxy_header")) == (True, b"", 1)
        assert [(event["event"], event["proxy"]) for event in events] == [("proxy_header_refused", PROXY)]

    def test_the_operator_is_told_once_until_it_is_mended(self) -> None:
        door = Door()
        with logged() as events:
            for first in (SUBSCRIBE, SUBSCRIBE, HEADER, SUBSCRIBE):
                door.connect(PROXY).send(first)
        assert len(events) == 2

    def test_from_anyone_else_it_is_no_header(self) -> None:
        door = Door()
        miner = door.connect()
        miner.send(HEADER)
        assert (door.closed("not_json"), miner.answer) == (1, b"")
        assert miner.transport.protocol.remote_address == PEER.host

    def test_the_time_for_the_first_bytes_is_that_for_the_miners_own(self) -> None:
        door = Door()
        miner = door.connect(PROXY)
        miner.send(HEADER)
        door.pool.reactor.advance(FIRST_BYTES_SECONDS)
        assert door.closed("no_first_bytes") == 1

    def test_a_hello_behind_it_is_one_too(self) -> None:
        door = Door()
        door.connect(PROXY).send(HEADER + TLS_HELLO)
        assert door.closed("tls_not_offered") == 1
